"""Archives that would get the list of another archive that was ingested before: they are not merged unasked.

`weft.sources.discover` sees only what one run is given.  A file that is not known yet, and got its list by its place,
is compared with those of that list that the index remembers and that are still there: a file that was moved is no other
archive.  Claims that were filed wrong can only be withdrawn, so such a file is refused until the operator says what it
is.  Of an archive whose members name their lists nothing is known before it is read, so it is not looked at.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from weft.sources.interface import Note, Notes, Source
from weft.sources.list_names import may_be_one_archive
from weft.sources.lists import SeveralLists
from weft.store.interface import IngestedFile


def without_conflicts(
    sources: Sequence[Source], known: Iterable[IngestedFile], asked: Collection[str], notes: Notes
) -> list[Source]:
    """The sources but for those that are refused, which are noted; ``asked`` are the lists that the operator named."""
    paths: dict[str, set[str]] = {}
    for file in known:
        paths.setdefault(file.list, set()).add(file.path)
    taken = []
    for source in sources:
        before = paths.get(source.list, set())
        other = None
        if not (isinstance(source, SeveralLists) or source.list in asked):
            other = _other(os.path.abspath(source.path), before)  # noqa: PTH100 - links stay as the user gave them
        if other is None:
            taken.append(source)
        else:
            notes(Note(source.path, None, _conflict(source, other), 1))
    return taken


def _other(path: str, before: set[str]) -> str | None:
    """The first of the paths before that is of another archive and still there; None for a path among them."""
    if path in before:
        return None
    others = (other for other in sorted(before) if not may_be_one_archive(path, other) and Path(other).exists())
    return next(others, None)


def _conflict(source: Source, other: str) -> str:
    return (
        f"would be the list {source.list}, as {other} is, which was ingested before; not read: "
        f"give LIST={source.path} for a list of its own, or {source.list}={source.path} if both are one list"
    )
