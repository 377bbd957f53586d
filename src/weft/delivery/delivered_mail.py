"""Messages that were handed over, as sources for an ingest: as files of a Maildir of our own, or only in memory.

A Maildir has a file for each content: its name is the digest of its bytes.  So a message that is handed over again,
because the answer to the first time was lost, is the same file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from weft._files import make_folder, replace_durably, write_draft
from weft.errors import SourceError
from weft.sources.interface import Notes, Record, RecordMaker, T, make_record
from weft.sources.maildir import Maildir
from weft.sources.single_message import scan_single
from weft.sources.source_changes import KnownNames, SourceChanges

_NEW = "new"


def mail_folder(index: Path, list_name: str) -> Path:
    """Where the mail of a list is kept that was handed over: a Maildir beside the index."""
    name = quote(list_name, safe="@+=,~")
    if name.startswith("."):
        name = "%2E" + name[1:]
    return index.with_name(index.name + ".mail") / name


def keep(folder: Path, data: bytes) -> str:
    """Put a message into a Maildir, on disk, unless it is there; the name of its file.  `OSError`."""
    name = f"{sha256(data).hexdigest()[:40]}.weft"
    path = folder / _NEW / name
    if not path.exists():
        for sub in ("cur", _NEW, "tmp"):
            make_folder(folder / sub)
        draft = write_draft(folder / "tmp" / name, data)
        try:
            replace_durably(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    return name


class DeliveredFiles(Maildir):
    """Files of a Maildir that have just come: the others are not looked at."""

    def __init__(self, path: str, list: str, files: Sequence[str]) -> None:  # noqa: A002 - the field's name
        super().__init__(path, list)
        self._files = [os.fsencode(f"{_NEW}/{name}") for name in dict.fromkeys(files)]

    def changes(self, before: bytes, known: KnownNames, notes: Notes) -> SourceChanges | None:  # noqa: ARG002
        """Those that were not read yet.  What else is different is left to an ingest of the whole."""
        there = known.starting(self._files)
        added = [name for name in self._files if name not in there]
        return SourceChanges(added, b"") if added else None


class DeliveredMessages:
    """Messages that are kept nowhere."""

    form = "messages"
    escaped = False
    size = 0

    def __init__(self, list: str, messages: Sequence[bytes]) -> None:  # noqa: A002 - the field's name
        self.path = "delivered mail"
        self.list = list
        self._messages = messages

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        for number, data in enumerate(self._messages):
            record = scan_single(data, self.path, (number, len(data)), notes, make)
            if record is not None:
                yield record

    def fetch(self, offset: int, length: int) -> bytes:  # noqa: ARG002
        """There is nothing to fetch."""
        raise SourceError("the message was not kept")
