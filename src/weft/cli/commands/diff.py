"""``weft diff``: two servers, or one index under two policies; which edges differ, and why.

``--json``, for one index, gives one array of objects with the keys ``format`` (1), ``id``, ``first`` and ``second``
(its parent in each view, or null) and ``reason``; for two servers one object (`weft.cli._difference`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft._text import count
from weft.cli._grpc_log import silence
from weft.cli._options import index_options, open_index, origin_names, say
from weft.cli._output import message_options
from weft.cli._tables import print_json, print_lines
from weft.errors import UsageError
from weft.render.sanitize import clean

if TYPE_CHECKING:
    from weft.cli._sides import IndexSide, ServerSide
    from weft.compare import Comparison
    from weft.index.index import Index
    from weft.model import EdgeDifference
    from weft.policy.rules import Policy

_LIMIT = 1000
_BESIDE = ("weft.toml", "config.toml")
"""What the policy of an index is often called that lies beside it."""


@click.command("diff")
@click.argument("sides", nargs=-1, metavar="[A B]")
@click.option("--policy", "files", multiple=True, metavar="FILE", help="Two policies, given one after the other.")
@click.option("--without", metavar="ORIGIN", help="The present policy, and the same without this origin.")
@click.option("--common", is_flag=True, help="The present policy, and the common view.")
@click.option("--both", is_flag=True, help="Of two servers: only threads of which both hold a message count.")
@click.option("--limit", type=click.IntRange(0), default=_LIMIT, show_default=True, help="Threads shown; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@index_options
@message_options
def command(
    sides: tuple[str, ...],
    files: tuple[str, ...],
    without: str | None,
    common: bool,
    both: bool,
    limit: int,
    as_json: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """Which edges differ between two servers, or two views of this index, and why.

    A and B are each a server or an index: HOST:PORT, unix:PATH, FINGERPRINT@HOST:PORT for a server whose certificate is
    its own, or the path of an index, whose policy is --config or one --policy for each.  The common view is compared,
    which ranks all admitted origins alike and mutes nothing.  The exit code is 0 if they are equal, 1 if not.

    Servers in mode threads each keep threads that the other one never asks for; --both compares those that both have.

    Without A and B, two views of this index are compared, and the exit code is 0.  ORIGIN is a fingerprint, the name
    of an origin in the policy, or own.

    \b
    weft diff 127.0.0.1:7430 127.0.0.1:7440
    weft diff --both 127.0.0.1:7430 127.0.0.1:7440
    weft diff a/index.db b/index.db --policy a/weft.toml --policy b/weft.toml
    weft diff --without archive-b
    weft diff --policy now.toml --policy tomorrow.toml
    """
    if sides:
        if len(sides) != 2 or without is not None or common:
            raise UsageError("give two servers or indexes, without --without and --common")
        return _compare(sides, files, both, limit or None, as_json, (index, config, quiet))
    if both:
        raise UsageError("--both is about two servers; give them")
    if (len(files) == 2) + (without is not None) + common != 1 or len(files) not in (0, 2):
        raise UsageError("give two servers, or --policy twice, or --without ORIGIN, or --common")
    with open_index(index, config, reading=True) as opened:
        names, views = _views(opened, files, without)
        found = list(opened.diff(*views))
    if as_json:
        print_json(list(map(_object, found)))
    else:
        print_lines(line for one in found for line in _lines(one, names))
    if not quiet:
        say(f"{count(len(found), 'edge differs', 'edges differ')}" if found else "no edge differs")
    return 0


def _views(index: Index, files: tuple[str, ...], without: str | None) -> tuple[tuple[str, str], tuple[Policy, Policy]]:
    """The names of the two views, and the views."""
    from weft.policy.files import load_policy

    if files:
        first, second = (load_policy(Path(file), index.origin, required=True) for file in files)
        return (files[0], files[1]), (first, second)
    now = index.policy
    if without is not None:
        return ("now", f"without {without}"), (now, now.without(_origin(index, without)))
    return ("now", "common view"), (now, now.common())


def _origin(index: Index, text: str) -> bytes:
    """The key of the origin that a fingerprint or our name for it means."""
    from weft.core.signing import parse_fingerprint

    if text == "own":
        return index.origin
    named = [key for key, row in index.policy.origins.items() if row.name == text]
    if named:
        return named[0]
    try:
        return parse_fingerprint(text)
    except ValueError as error:
        known = sorted(origin_names(index.policy).values())
        raise UsageError(f"{text!r} names no origin ({error}); known here: {', '.join(known)}") from None


def _lines(one: EdgeDifference, names: tuple[str, str]) -> Iterator[str]:
    size = max(map(len, map(clean, names)))
    yield clean(f"<{one.message_id}>")
    for name, parent in zip(names, (one.first, one.second), strict=True):
        yield f"  {clean(name):{size}}  {'no parent' if parent is None else clean(f'<{parent}>')}"
    yield f"  {clean(one.reason)}"


def _object(one: EdgeDifference) -> dict[str, object]:
    return {"format": 1, "id": one.message_id, "first": one.first, "second": one.second, "reason": one.reason}


def _compare(
    texts: Sequence[str],
    files: Sequence[str],
    both: bool,
    limit: int | None,
    as_json: bool,
    options: tuple[str | None, str | None, bool],
) -> int:
    """Compare two servers or indexes; the exit code."""
    silence()
    from weft.cli._difference import thread_lines, thread_object
    from weft.cli._sides import OwnKeyError, known_names, open_side
    from weft.compare import Comparison
    from weft.policy.files import index_path

    index, config, quiet = options
    names = known_names(config, index_path(index))
    policies = _policies(texts, files, config)
    with ExitStack() as stack:
        try:
            first, second = (
                open_side(stack, text, policy, index_path(index), names)
                for text, policy in zip(texts, policies, strict=True)
            )
        except OwnKeyError as error:
            raise error if files else UsageError(_own_policies(texts)) from error
        comparison = Comparison(both)
        if first.summary.common_view != second.summary.common_view:
            comparison.take(first.digests(), second.digests(), limit)
        found = comparison.differences(first, second)
        if as_json:
            whole = _whole((first, second), comparison, list(map(thread_object, found)))
            print_json(whole)
        else:
            shown = {first.origin: first.name, second.origin: second.name} | origin_names(names)
            print_lines(line for one in found for line in thread_lines(one, (first.name, second.name), shown))
    if not quiet:
        say(_verdict(comparison, (first, second)))
    return 1 if comparison.differing else 0


def _policies(texts: Sequence[str], files: Sequence[str], config: str | None) -> list[str | None]:
    """The file with the policy of each of the indexes; servers have their own."""
    if files and len(files) != sum(Path(text).exists() for text in texts):
        raise UsageError("give one --policy for each index, in their order; servers have their own")
    given = iter(files)
    return [next(given) if files and Path(text).exists() else config for text in texts]


def _own_policies(texts: Sequence[str]) -> str:
    """What to do if one policy admits the very origin whose index it is to be the policy of."""
    indexes = [Path(text) for text in texts if Path(text).exists()]
    beside = [[path.with_name(name) for name in _BESIDE if path.with_name(name).exists()] for path in indexes]
    flags = " ".join(f"--policy {found[0] if found else 'FILE'}" for found in beside)
    return f"each index needs its own policy: add {flags}"


def _side(side: ServerSide | IndexSide) -> dict[str, object]:
    view = {"common_view": side.summary.common_view, "threads": side.summary.threads}
    return {"name": side.name, "origin": side.origin, **view}


def _whole(
    sides: tuple[ServerSide | IndexSide, ServerSide | IndexSide],
    comparison: Comparison,
    threads: list[dict[str, object]],
) -> dict[str, object]:
    return {
        "format": 1,
        "equal": not comparison.differing,
        "first": _side(sides[0]),
        "second": _side(sides[1]),
        "differing": comparison.differing,
        "on_both": comparison.on_both,
        "only_on_first": comparison.only_first,
        "only_on_second": comparison.only_second,
        "messages": comparison.messages,
        "edges": comparison.edges,
        "truncated": comparison.differing > comparison.shown,
        "threads": threads,
    }


def _verdict(comparison: Comparison, sides: tuple[ServerSide | IndexSide, ServerSide | IndexSide]) -> str:
    names = [side.name for side in sides]
    lone = f"{comparison.only_first} only on {names[0]}, {comparison.only_second} only on {names[1]}"
    if not comparison.threads:
        return f"the common views are equal: {count(sides[0].summary.threads, 'thread')}"
    if not comparison.differing:
        same = sides[0].summary.threads - comparison.only_first
        return f"{count(same, 'thread')} that both have, all equal; {lone}"
    beyond = len(comparison.found) < comparison.threads
    split = f"of the first {len(comparison.found)}, see --limit, " if beyond else ""
    split += f"{comparison.on_both} that both have, {lone}"
    messages = f"{count(comparison.messages, 'message')} on one side only"
    edges = count(comparison.edges, "edge differs", "edges differ")
    where = ", in those that both have" if comparison.both else ""
    threads = count(comparison.threads, "thread differs", "threads differ")
    return f"{threads}: {split}; {messages}, {edges}{where}"
