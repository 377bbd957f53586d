"""The difference of two common views as people and programs read it.

JSON: one object with ``format`` (1), ``equal``, ``first`` and ``second`` (``name``, ``origin``, ``common_view``,
``threads``), ``differing`` (how many threads; with ``--both`` only those that both have), ``truncated`` (``threads``
has not all of them), of those that were looked into, which with ``--both`` are all, ``on_both``, ``only_on_first`` and
``only_on_second`` (how many), ``messages`` and ``edges`` (how many messages were seen on one side only, how many edges
differ; with ``--both`` in what both have) and ``threads``: of each ``root``, ``first`` and ``second`` (its digest
there, null where it is no root), ``on_both`` (whether both have something of it), ``within`` (where one side has no
such root, the root of the thread in which it stands there, or null) and ``messages``, the ids that differ:

=====================  ===================================================================================
``id``
``first``, ``second``  null if nobody there names it, else ``parent`` (or null), ``rule``, and ``seen``
``only_first``,        what only that side counts about it: ``claim``, ``origin``, ``list``, the ``parent`` that it
``only_second``        states (or null) and, for a ghost, ``by``: the message in whose References that stands
=====================  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from weft._text import count
from weft.cli._options import origin_name
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.compare import IdPair, ThreadDifference
    from weft.thread_tree import PlacedId, PlacingClaim

Object = dict[str, object]

_SHOWN = 20
"""So many claims of an id are shown; ``--json`` has all."""
_SHORT = 16
_RULES = {
    "own headers": "its own headers",
    "contested": "contested",
    "witnesses": "References of others",
    "witnesses disagree": "References of others disagree",
    "nobody says": "nobody says",
    "cycle cut": "a cycle is cut there",
}


def thread_lines(one: ThreadDifference, sides: tuple[str, str], names: dict[str, str]) -> Iterator[str]:
    """A thread for people; ``names`` are those of origins."""
    messages, edges = sum(pair.message for pair in one.pairs), sum(pair.edge for pair in one.pairs)
    said = ", ".join(
        text
        for text in (
            messages and f"{count(messages, 'message')} on one side only",
            edges and count(edges, "edge differs", "edges differ"),
            not messages
            and not edges
            and one.pairs
            and count(len(one.pairs), "message has other copies", "messages have other copies"),
        )
        if text
    )
    yield f"{_id(one.thread.root)}: {said}" if said else _id(one.thread.root)
    if one.thread.first is None or one.thread.second is None:
        where = clean(sides[one.thread.first is not None])
        yield f"  {where} has it " + (f"in the thread of {_id(one.within)}" if one.within else "not at all")
    for pair in one.pairs:
        yield from _pair(pair, sides, names)


def _pair(pair: IdPair, sides: tuple[str, str], names: dict[str, str]) -> Iterator[str]:
    """An id: where it stands on each side, and below that what only this side counts about it."""
    heads = [clean(name) for name in sides]
    size = max(map(len, heads))
    yield f"  {_id(pair.id)}"
    same = not pair.edge and not pair.message
    if same:
        yield f"    {'both':{size}}  {_standing(pair.first)}"
    for head, standing, said in zip(heads, (pair.first, pair.second), (pair.only_first, pair.only_second), strict=True):
        lines = [_said(one, standing, names) for one in said[:_SHOWN]]
        if len(said) > _SHOWN:
            lines.append(f"and {len(said) - _SHOWN} more")
        lines = [f"only here: {line}" for line in lines]
        for number, line in enumerate(lines if same else [_standing(standing), *lines]):
            yield f"    {'' if number else head:{size}}  {line}"


def _standing(one: PlacedId | None) -> str:
    if one is None:
        return "nobody names it"
    where = "no parent" if one.parent is None else f"below {_id(one.parent)}"
    return f"{'' if one.seen else 'not seen; '}{where}: {_RULES.get(one.rule, clean(one.rule))}"


def _said(one: PlacingClaim, standing: PlacedId | None, names: dict[str, str]) -> str:
    who = clean(f"{one.list} of {origin_name(names, one.origin)}, claim {one.claim[:_SHORT]}")
    by = f"References of {_id(one.by)} on " if one.by else ""
    if standing is not None and one.parent == standing.parent:
        return by + who
    return f"{by}{who}, states {'no parent' if one.parent is None else _id(one.parent)}"


def _id(message_id: str) -> str:
    return f"<{clean(message_id)}>"


def thread_object(one: ThreadDifference) -> Object:
    """A thread for programs."""
    return {
        "root": one.thread.root,
        "first": one.thread.first,
        "second": one.thread.second,
        "on_both": one.both,
        "within": one.within,
        "messages": [
            {
                "id": pair.id,
                "first": _standing_object(pair.first),
                "second": _standing_object(pair.second),
                "only_first": _said_objects(pair.only_first),
                "only_second": _said_objects(pair.only_second),
            }
            for pair in one.pairs
        ],
    }


def _standing_object(one: PlacedId | None) -> Object | None:
    return None if one is None else {"parent": one.parent, "rule": one.rule, "seen": one.seen}


def _said_objects(said: Sequence[PlacingClaim]) -> list[Object]:
    return [
        {
            "claim": one.claim,
            "origin": one.origin,
            "list": one.list,
            "parent": one.parent,
            **({"by": one.by} if one.by else {}),
        }
        for one in said
    ]
