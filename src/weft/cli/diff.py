"""``weft diff``: one index under two policies; which edges differ, and why.

``--json`` gives one array of objects with the keys ``format`` (1), ``id``, ``first`` and ``second`` (its parent in
each view, or null) and ``reason``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft.cli.indexed import count, index_options, open_index, origin_names, say
from weft.cli.output import message_options
from weft.cli.table import print_lines
from weft.errors import UsageError
from weft.export.clean import clean

if TYPE_CHECKING:
    from weft.core.policy import Policy
    from weft.index.index import Index
    from weft.index.model import EdgeDifference


@click.command("diff")
@click.option("--policy", "files", multiple=True, metavar="FILE", help="Two policies, given one after the other.")
@click.option("--without", metavar="ORIGIN", help="The present policy, and the same without this origin.")
@click.option("--common", is_flag=True, help="The present policy, and the common view.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@index_options
@message_options
def command(
    files: tuple[str, ...],
    without: str | None,
    common: bool,
    as_json: bool,
    index: str | None,
    config: str | None,
    quiet: bool,
) -> int:
    """Which edges differ between two views of this index, and why.

    ORIGIN is a fingerprint, the name of an origin in the policy, or own.  The common view ranks all admitted origins
    alike and mutes nothing.

    \b
    weft diff --without archive-b
    weft diff --policy now.toml --policy tomorrow.toml
    """
    if (len(files) == 2) + (without is not None) + common != 1 or len(files) not in (0, 2):
        raise UsageError("give --policy twice, or --without ORIGIN, or --common")
    with open_index(index, config) as opened:
        names, views = _views(opened, files, without)
        found = list(opened.diff(*views))
    if as_json:
        print_lines(iter([json.dumps(list(map(_object, found)))]))
    else:
        print_lines(line for one in found for line in _lines(one, names))
    if not quiet:
        say(f"{count(len(found), 'edge differs', 'edges differ')}" if found else "no edge differs")
    return 0


def _views(index: Index, files: tuple[str, ...], without: str | None) -> tuple[tuple[str, str], tuple[Policy, Policy]]:
    """The names of the two views, and the views."""
    from weft.index.config import load_policy

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
