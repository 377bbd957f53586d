"""MMDF, Babyl and LISTSERV logs: files of messages with lines between them that no message holds.

Theory of operation
-------------------
* **MMDF**: a line of four ^A stands before and after each message (mmdf(5) of mutt).
* **Babyl** (Emacs Rmail): ^_ and a form feed before each message, then a line of labels, the header as it came, the
  line ``*** EOOH ***``, the header as it was shown, and the body.  Where the header before that line is empty, the
  one behind it is the header (Emacs, Babyl format version 5).
* **LISTSERV log**: a line of 73 ``=`` before each message, followed by a header field.

A file is read once from its front, and cut at these lines; a record's place is that of its piece in the file as it is
unpacked.  The standard library's ``mailbox`` is not used: it opens files for writing, holds whole messages of any size,
and cannot read a compressed file or a pipe.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from weft.errors import SourceError
from weft.sources.compressed import MailStream, is_translated, open_mail, reason
from weft.sources.forms import Form
from weft.sources.interface import Note, Notes, Record, RecordMaker, T, make_record
from weft.sources.single_message import MAX_READ, message_of, scan_single
from weft.sources.spool import Extent, Unpacked

_BLOCK = 1 << 20
_AHEAD = 256
"""So much of what follows a line between messages is looked at."""
_LINES = {
    Form.MMDF: re.compile(rb"\n\x01{4}\r?(?=\n)"),
    Form.BABYL: re.compile(rb"\n\x1f\x0c?\r?(?=\n)"),
    Form.LISTSERV: re.compile(rb"\n={73}[ \t]*\r?(?=\n[!-9;-~]{1,76}[ \t]*:)"),
}
_EOOH = re.compile(rb"^\*\*\* EOOH \*\*\*\r?\n", re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_LABELS = re.compile(rb"\s*[01],[^\n]*(?:\n|\Z)")

DELIMITED = frozenset(_LINES)


class Piece(NamedTuple):
    """What stands between two lines: its place, and its front of at most `MAX_READ` bytes."""

    offset: int
    length: int
    raw: bytes


def pieces(stream: MailStream, form: Form) -> Iterator[Piece]:
    """The pieces of a file of one of these forms that are not empty.

    If the file cannot be read to its end, its `SourceError` comes after the last of them.
    """
    line, buffer, base, gone = _LINES[form], bytearray(b"\n"), -1, 0
    start, searched = 1, 0  # the line feed in front is not in the file
    block, error, at_end = memoryview(bytearray(_BLOCK)), None, False
    while True:
        limit = len(buffer) if at_end else len(buffer) - _AHEAD
        found = line.search(buffer, searched) if searched < limit else None
        if found is not None and found.start() < limit:
            if found.start() > start:
                yield Piece(base + start, found.start() - start + gone, bytes(buffer[start : found.start()]))
            base += gone
            start = searched = found.end()
            gone = 0
            continue
        if at_end:
            break
        searched = max(searched, limit, 0)
        front = start - 1
        del buffer[:front]
        base, searched, start = base + front, max(0, searched - front), 1
        if searched > MAX_READ + _BLOCK:
            gone += searched - MAX_READ - _AHEAD
            del buffer[MAX_READ : searched - _AHEAD]
            searched = MAX_READ + _AHEAD
        try:
            got = stream.readinto(block)
        except SourceError as ended:
            got, error = 0, ended
        at_end = not got
        buffer += block[:got] if got else b"\n"
    if len(buffer) - 1 > start:
        yield Piece(base + start, len(buffer) - 1 - start + gone, bytes(buffer[start:-1]))
    if error is not None:
        raise error


def message_in(raw: bytes, form: Form) -> bytes:
    """The message of a piece; empty if there is none in it, as before the first line."""
    if form is not Form.BABYL:
        return raw.lstrip(b"\r\n")
    labels = _LABELS.match(raw)
    if labels is None:
        return b""
    mark = _EOOH.search(raw, labels.end())
    if mark is None:
        return raw[labels.end() :]
    header, shown = raw[labels.end() : mark.start()].strip(b"\r\n"), raw[mark.end() :]
    if not header:
        return shown
    end = _HEADER_END.search(shown)
    return header + b"\n\n" + (shown[end.end() :] if end else b"")


def scan_delimited(stream: MailStream, form: Form, path: str, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
    """What is made of each message of a file, in file order; what cannot be read is noted."""
    first, place = True, 0
    try:
        for piece in pieces(stream, form):
            place = piece.offset + piece.length
            raw = message_in(piece.raw, form)
            preamble, first = first and form is Form.BABYL, False
            if not raw.strip() or preamble:
                continue
            record = scan_single(raw, f"{path}: at {piece.offset}", (piece.offset, piece.length), notes, make)
            if record is not None:
                yield record
    except SourceError as error:
        notes(Note(path, place, str(error), 1))


class DelimitedFile:
    """One such file, compressed or not."""

    escaped = False

    def __init__(self, path: str, list: str, form: Form, max_ratio: int = 200) -> None:  # noqa: A002
        self.path = path
        self.list = list
        self.form = form.value
        self._form = form
        self._max_ratio = max_ratio
        self.unpacked: Unpacked | None = None
        """Where it is unpacked for `fetch`, if it is compressed; sources may share one.  By default its own."""
        self._extent: Extent | None = None

    @property
    def size(self) -> int:
        """Bytes on disk; 0 if it has vanished."""
        try:
            return Path(self.path).stat().st_size
        except OSError:
            return 0

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages, in file order."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        with open_mail(Path(self.path), self._max_ratio) as stream:
            yield from scan_delimited(stream, self._form, self.path, notes, make)

    def fetch(self, offset: int, length: int) -> bytes:
        """The message at a place.  `SourceError` if it is gone, `weft.errors.WeftError` if it cannot be unpacked."""
        try:
            raw = self._read(offset, length)
        except OSError as error:
            raise SourceError(f"{self.path}: {reason(error)}") from error
        found = message_of(message_in(raw, self._form))
        if len(raw) != length or not found:
            raise SourceError(f"{self.path}: at {offset}: the message is gone; was the file changed?")
        return found

    def _read(self, offset: int, length: int) -> bytes:
        path = Path(self.path)
        if self._extent is None and not is_translated(path):
            with path.open("rb", buffering=0) as file:
                return os.pread(file.fileno(), length, offset)
        if self._extent is None:
            self.unpacked = self.unpacked or Unpacked()
            with open_mail(path, self._max_ratio) as stream:
                self._extent = self.unpacked.add(stream)
        assert self.unpacked is not None
        return self.unpacked.read(self._extent, offset, length)
