"""``weft scan``: what would be read of some paths, on which list, and what would not be, and why.

All mail is read, and nothing is kept.  ``--json`` gives one object: ``format`` (1), ``lists``: objects with ``list``,
``form``, ``files``, ``messages``, ``oldest`` and ``newest`` (dates as the mail states them, in UTC; null if none can be
read), and ``refused``: objects with ``path``, ``offset``, ``reason`` and ``skipped`` (how many messages are missing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import click

from weft.cli._output import Progress, message_options, source_options
from weft.cli._tables import print_json, print_table
from weft.core.date import MISSING, format_date
from weft.sources.discover import discover
from weft.sources.folder import Folder
from weft.sources.interface import NoteLog, Record, Source, make_outline
from weft.sources.list_id import ByListId
from weft.sources.parallel_scan import collector_paused, scan


@click.command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="[LIST=]PATH...")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@source_options
@message_options
def command(paths: tuple[str, ...], as_json: bool, by: str | None, max_ratio: int, quiet: bool, verbose: bool) -> int:
    """What would be read: list, form, files, messages, oldest and newest.

    All mail is read, and nothing is kept.  What would not be read is named on stderr with the reason, and exit code 3
    says that there is such.

    \b
    weft scan ~/Mail archives/ lists.tar.gz
    weft scan --by list-id other=~/Maildir
    """
    with Progress(quiet=quiet, verbose=verbose) as progress:
        log = NoteLog(None if as_json else progress.note)
        sources = discover(paths, log, max_ratio=max_ratio, by_list_id=by is not None)
        found = _count(sources, log, progress.show)
    if as_json:
        refused = [
            {"path": note.path, "offset": note.offset, "reason": note.reason, "skipped": note.skipped}
            for note in log.entries
        ]
        print_json({"format": 1, "lists": [one.as_json() for one in found], "refused": refused})
    else:
        rows = [(one.list, one.form, one.files, one.messages, one.oldest[:10], one.newest[:10]) for one in found]
        print_table(("list", "form", "files", "messages", "oldest", "newest"), rows, elastic=0)
    return 3 if log.skipped else 0


@dataclass(slots=True)
class _Found:
    """What there is of one list in one form."""

    list: str
    form: str
    files: int = 0
    messages: int = 0
    first: int | None = None
    last: int | None = None
    sources: set[int] = field(default_factory=set)

    def add(self, index: int, source: Source, records: Sequence[Record]) -> None:
        """Count some messages of a source."""
        if index not in self.sources:
            self.sources.add(index)
            self.files += len(source) if isinstance(source, Folder) else 1
        self.messages += len(records)
        dates = [record[7] for record in records if record[7] != MISSING]
        if dates:
            self.first = min(dates) if self.first is None else min(self.first, *dates)
            self.last = max(dates) if self.last is None else max(self.last, *dates)

    @property
    def oldest(self) -> str:
        """The earliest date that is stated; empty if there is none."""
        return "" if self.first is None else format_date(self.first, 0) or ""

    @property
    def newest(self) -> str:
        """The latest."""
        return "" if self.last is None else format_date(self.last, 0) or ""

    def as_json(self) -> dict[str, str | int | None]:
        """For programs."""
        return {
            "list": self.list, "form": self.form, "files": self.files, "messages": self.messages,
            "oldest": self.oldest or None, "newest": self.newest or None,
        }  # fmt: skip


def _count(sources: Sequence[Source], log: NoteLog, progress: Callable[[str], None]) -> list[_Found]:
    """What all sources hold, by list and form."""
    found: dict[tuple[str, str], _Found] = {}
    messages = 0
    with collector_paused():
        for index, name, batch in scan(sources, log, make_outline):
            source = _inner(sources[index])
            form = source.form
            found.setdefault((name, form), _Found(name, form)).add(index, source, batch)
            messages += len(batch)
            progress(f"{messages} messages, {source.path}")
    return [found[key] for key in sorted(found)]


def _inner(source: Source) -> Source:
    return source.source if isinstance(source, ByListId) else source
