"""An explanation as a person reads it: the edge and its rule first, then everybody's word, then what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from weft._text import count
from weft.policy.names import origin_name
from weft.render.coverage import asked_words, feed_words, gaps
from weft.render.labels import NO_SUBJECT
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.model import ClaimStatement, Explanation

MAX_SHOWN = 20
"""So many witnesses, rivals, children and look-alikes are shown; ``--json`` has all."""
MAX_SILENCED = 3
"""So many witnesses, if they do not matter because the id has headers of its own."""
_SHORT = 16
"""So much of a batch root, and of the digest of a body, is shown."""

_RULES = {
    "own headers": "its own headers say so, in every copy of the best tier",
    "contested": "the copies of the best tier disagree, and nobody takes a vote",
    "witnesses": "{unseen}; the nearest References that name it agree",
    "witnesses disagree": "{unseen}, and the nearest References that name it disagree",
    "nobody says": "{unseen}, and nobody says below what it stands",
    "cycle cut": "its edge closed a cycle, and of all edges in it had the weakest ground",
    "muted": "the edge that its headers state is muted here",
}
_HEADERS = {
    "none": "states no parent",
    "in-reply-to": "by In-Reply-To",
    "references": "by References",
    "in-reply-to and references": "by In-Reply-To and References",
}


def explanation_lines(found: Explanation, names: dict[str, str]) -> Iterator[str]:
    """The lines; ``names`` are those that people have for origins."""
    yield _id(found.message_id) + _mark(found)
    yield f"  parent    {_id(found.parent)}"
    yield f"  because   {reason(found)}"
    yield f"  thread    {_id(found.root)}" + (" (itself)" if found.root == found.message_id else "")
    yield f"  replies   {len(found.children)}"
    yield from _coverage(found, names)
    yield from _ids("ids that count as this one, by the policy", found.aliases)
    yield from _ids("messages that state it as another id of theirs", found.alias_of)
    yield from _ids("the edge that was cut led to" if found.rule == "cycle cut" else "rival parents", found.rivals)
    if found.statements:
        yield ""
        yield count(len(found.statements), "copy", "copies")
    for statement in found.statements:
        yield from _statement(statement, names)
    yield from _witnesses(found, names)
    yield from _ids("replies", found.children)
    yield from _ids("ids that look like this one", found.lookalikes)


def reason(found: Explanation) -> str:
    """Why an id stands where it does."""
    return _RULES.get(found.rule, clean(found.rule)).replace("{unseen}", _unseen(found))


def stated_by(one: ClaimStatement) -> str:
    """Which header states the parent that a claim has."""
    return _HEADERS.get(one.rule, f"by {clean(one.rule)}")


def _mark(found: Explanation) -> str:
    if not found.ghost:
        return ""
    return "  [what is here of it does not count]" if found.statements else "  [not seen here]"


def _unseen(found: Explanation) -> str:
    """Why an id has no headers of its own: nobody here has seen it, or all copies that are here do not count."""
    reasons = dict.fromkeys(one.hidden for one in found.statements if one.hidden)
    if not reasons:
        return "nobody here has seen it"
    copies = "the copy of it that is here does" if len(found.statements) == 1 else "the copies of it that are here do"
    return clean(f"{copies} not count ({', '.join(reasons)})")


def _coverage(found: Explanation, names: dict[str, str]) -> Iterator[str]:
    """Of its thread; the first line begins with the word itself."""
    head = "coverage"
    for line in _covered(found, names):
        yield f"  {head:<8}  {line}"
        head = ""


def _covered(found: Explanation, names: dict[str, str]) -> Iterator[str]:
    coverage = found.coverage
    held = feed_words(coverage.carried, names, coverage.origins_named)
    yield f"held whole: {held}" if coverage.carried else "no feed is held whole"
    for phrase in asked_words(coverage, names):
        yield f"asked: {phrase}"
    yield from gaps(coverage, names)
    if found.message_id in coverage.nobody_holds:
        yield "nobody holds it" if coverage.asked else "it is on none of our own lists"


def _statement(one: ClaimStatement, names: dict[str, str]) -> Iterator[str]:
    tier = "not admitted" if one.tier is None else f"tier {one.tier}"
    hidden = f"  [does not count: {clean(one.hidden)}]" if one.hidden else ""
    yield clean(f"  {one.list}, says {origin_name(names, one.origin)} ({tier})") + hidden
    by = stated_by(one)
    yield f"    parent   {by}" if one.parent is None else f"    parent   {_id(one.parent)} {by}"
    for name, counts in one.weak:
        why = "a mail here has" if counts else "no mail here has, so it does not count"
        yield f"    weak     {_id(name)}, which {why}"
    for name in one.aliases:
        yield f"    alias    {_id(name)}, another id that it states; it joins nothing by itself"
    yield f"    subject  {clean(one.subject) or NO_SUBJECT}"
    yield f"    from     {clean(one.author)}"
    yield f"    date     {clean(one.date) or 'no date'}"
    if one.archived_at:
        yield f"    archive  {clean(one.archived_at)}"
    if one.body:
        yield f"    body     {one.body[:_SHORT]}"
    yield f"    claim    {one.claim}"
    yield f"    batch    {one.batch[:_SHORT]}, position {one.position}"


def _witnesses(found: Explanation, names: dict[str, str]) -> Iterator[str]:
    witnesses = found.witnesses
    if witnesses:
        yield ""
        silenced = "" if found.ghost else ", which its own headers silence"
        yield f"{count(len(witnesses), 'witness', 'witnesses')}: References of others that name it{silenced}"
    shown = MAX_SHOWN if found.ghost else MAX_SILENCED
    for one in witnesses[:shown]:
        verdict = ("counts    " if one.counts else "too weak  ") if found.ghost else ""
        above = f"{_id(one.parent)} stands before it" if one.parent is not None else "it stands first"
        yield f"  {verdict}{above}, gap {one.gap}"
        who = clean(f"{one.list}, says {origin_name(names, one.origin)} (tier {one.tier})")
        yield f"  {' ' * len(verdict)}in {_id(one.message_id)} on {who}"
    yield from _more(len(witnesses) - shown)


def _ids(title: str, ids: Sequence[str | None]) -> Iterator[str]:
    if ids:
        yield ""
        yield f"{title}:"
    for one in ids[:MAX_SHOWN]:
        yield f"  {_id(one)}"
    yield from _more(len(ids) - MAX_SHOWN)


def _more(number: int) -> Iterator[str]:
    if number > 0:
        yield f"  and {number} more"


def _id(message_id: str | None) -> str:
    return "no parent" if message_id is None else f"<{clean(message_id)}>"
