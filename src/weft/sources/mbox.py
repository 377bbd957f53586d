"""mbox files as sources (where a message begins in them: `weft.sources.separators`).

Theory of operation
-------------------
A plain file can be read in parts and from any message on, because what a line is depends on a bounded piece of the
file before it.  Whatever lies between two places that `MboxFile.parts` gives is found by exactly one part: a message
belongs to the part in which its From_ line stands, and so do the lines inside it that may be doubted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path

from weft.core.byte_search import find
from weft.core.header import MAX_BLOCK
from weft.errors import SourceError
from weft.sources.compressed import is_compressed, open_mail, reason
from weft.sources.evidence import Evidence, make_evidence
from weft.sources.interface import Note, Notes, Record, RecordMaker, T, header_bounds, make_record
from weft.sources.separators import AHEAD, BEFORE, MBOXRD, Ground, is_mboxrd, is_patch_series
from weft.sources.splitter import (
    FRONT,
    LENGTH_FIELD,
    REACH,
    Doubt,
    Readable,
    Splitter,
    is_after_lone_cr,
    with_line_feeds,
)
from weft.sources.spool import Extent, Unpacked

_FIELD = re.compile(rb"^[!-9;-~]++[ \t]*+:", re.MULTILINE)
_BLOCK = 1 << 20
_START_OF_FILE = b"\n\n"
_SYSTEM_DATA = re.compile(rb"^Subject:[^\n]*DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA", re.MULTILINE)
_SYSTEM_FIELD = re.compile(rb"^X-IMAP(?:base)?:", re.MULTILINE)
_FROM_LINE = re.compile(rb"(?:\A|(?<=[\r\n\0])|(?<=\xef\xbb\xbf))From ")
_FROM_IN_A_LINE = re.compile(rb"(?:[\r\0]|\xef\xbb\xbf)From ")
"""What begins a line although no line feed ends the one before."""
_FRONT_OF_LINE = 8
"""So many bytes before a place may belong to such a line behind it."""
LEAD = len(MBOXRD)
"""So many bytes before a message say how its lines end, and whether it may be one without a header field."""
_LONGEST_GAP = 16 * 1024
_NAMED = 10
"""So many places of one file are named unasked."""


def read_mbox(splitter: Splitter, path: str, notes: Notes, make: RecordMaker[T], *, again: bool = False) -> Iterator[T]:
    """What is made of each message of one mbox, in file order; what cannot be read is noted.

    ``again``: its messages can be fetched at little cost; those that may be cut here are left out.
    """
    doubts = splitter.tell = _Doubts(path, notes)
    try:
        while splitter.next():
            buffer, begin, end = splitter.buffer, splitter.begin, splitter.end
            header_end, body = header_bounds(buffer, begin, end)
            if splitter.from_system and _is_system_data(bytes(buffer[begin:header_end])):
                notes(Note(path, splitter.offset, "data of the mail system in the form of a message", quiet=True))
                continue
            if header_end - begin > MAX_BLOCK:
                notes(Note(path, splitter.offset, "header block longer than 256 KiB: read only so far"))
            place = (splitter.offset, splitter.length)
            yield make(buffer, begin, header_end, (body, end), place, mbox=True, again=again and end - begin < _BLOCK)
    except SourceError as error:
        notes(Note(path, splitter.place, str(error), 1))
        return
    doubts.sum_up()
    if not splitter.at_front:
        return
    if splitter.first >= 0 and splitter.junk:
        notes(Note(path, 0, f"the first {splitter.first} bytes are not mail", 1))
    elif splitter.junk:
        notes(Note(path, 0, "not an mbox: no line 'From ' with a header field below it", 1))
    elif splitter.first < 0:
        notes(Note(path, None, "empty file, no messages"))


class _Doubts:
    """Notes the doubtful lines of one file; of those that may have cost a message, only some unasked."""

    def __init__(self, path: str, notes: Notes) -> None:
        self._path = path
        self._notes = notes
        self._lost = 0

    def __call__(self, line: Doubt) -> None:
        lost = line.ground is Ground.LOST
        self._lost += lost
        doubt = "taken" if line.ground is Ground.WEAK else "passed"
        quiet = not lost or self._lost > _NAMED
        self._notes(Note(self._path, line.offset, f"a line 'From ...', {line.reason}", int(lost), doubt, quiet))

    def sum_up(self) -> None:
        """Say how many were not named."""
        if self._lost > _NAMED:
            more = self._lost - _NAMED
            self._notes(Note(self._path, None, f"{more} more like these; -v names them"))


def _is_system_data(header: bytes) -> bool:
    """Whether these are the header fields with which UW-IMAP, Alpine and Dovecot keep their own data in an mbox."""
    return _SYSTEM_DATA.search(header) is not None and _SYSTEM_FIELD.search(header) is not None


class MboxFile:
    """One mbox file, compressed or not."""

    form = "mbox"
    escaped = True

    def __init__(self, path: str, list: str, max_ratio: int = 200) -> None:  # noqa: A002 - the field's name
        self.path = path
        self.list = list
        self._max_ratio = max_ratio
        self.unpacked: Unpacked | None = None
        """Where it is unpacked for `fetch`, if it is compressed; sources may share one.  By default its own."""
        self._extent: Extent | None = None
        self._plain: bool | None = None
        self.start = 0
        """Read from here on: the place of a message, for a file that is not compressed."""
        self.part: tuple[int, int] | None = None
        """Only the messages whose From_ lines stand from one place up to another, for a file that is not compressed."""

    @property
    def size(self) -> int:
        """Octets on disk, of a part those of the part; 0 if it has vanished."""
        try:
            size = Path(self.path).stat().st_size
        except OSError:
            return 0
        return min(size, self.part[1]) - self.part[0] if self.part else size

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages, in file order."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: RecordMaker[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        start, stop = self.part or (0, None)
        if self.start or start:
            yield from self._scan_rest(notes, make, start, stop)
            return
        try:
            stream = open_mail(Path(self.path), self._max_ratio, translate=False)
        except SourceError as error:
            notes(Note(self.path, None, str(error), 1))
            return
        with stream:
            yield from read_mbox(Splitter(stream, 0, stop), self.path, notes, make, again=self.is_plain())

    def scan_old(self, size: int) -> Iterator[Evidence]:
        """What its messages from `start` on said when the file was ``size`` bytes long.  `OSError`."""
        with FileIO(self.path) as file:
            splitter = _splitter_at(file, _from_line(file, self.start), None, size)
            yield from read_mbox(splitter, self.path, lambda _: None, make_evidence)

    def is_plain(self) -> bool:
        """Whether any part of it can be read at any time: a regular file that is not compressed."""
        if self._plain is None:
            path = Path(self.path)
            with suppress(OSError):
                self._plain = path.is_file() and not is_compressed(path)
        return bool(self._plain)

    def parts(self, data: int) -> list[MboxFile]:
        """The file as sources of ``data`` each, the last of up to twice as many; itself if it is compressed."""
        size = self.size
        if size < 2 * data or self.start or self.part or not self.is_plain():
            return [self]
        starts = places_to_cut(self.path, range(0, size - data + 1, data))
        parts = []
        for start, stop in zip(starts, (*starts[1:], 1 << 62), strict=True):
            one = MboxFile(self.path, self.list, self._max_ratio)
            one.part, one._plain = (start, stop), True
            parts.append(one)
        return parts

    def _scan_rest(self, notes: Notes, make: RecordMaker[T], start: int, stop: int | None) -> Iterator[T]:
        """What does not begin at the start of the file: what stands before its first message is another's."""

        try:
            with FileIO(self.path) as file:
                start = start or _from_line(file, self.start)
                yield from read_mbox(_splitter_at(file, start, stop), self.path, notes, make, again=True)
        except OSError as error:
            notes(Note(self.path, None, reason(error), 1))

    def fetch(self, offset: int, length: int) -> bytes:
        """The bytes of one message, still mbox-escaped.  A compressed file is unpacked once (`Unpacked`).

        `weft.errors.WeftError`, which is no `SourceError`, if there is no room to unpack it.
        """
        try:
            if self._extent is None and not self.is_plain():
                self._extent = self._unpack()
            lead = min(LEAD, offset)
            data = self._read_at(offset - lead, lead + length)
        except OSError as error:
            raise SourceError(f"{self.path}: {reason(error)}") from error
        before, data = data[:lead], without_lead(data, lead)
        if len(data) != length and self._extent is not None and self._extent.error:
            raise SourceError(f"{self.path}: at {offset}: {self._extent.error}")
        if len(data) != length or not (_FIELD.search(data[:MAX_BLOCK]) or before.endswith(MBOXRD)):
            raise SourceError(f"{self.path}: at {offset}: the message is gone; was the file changed?")
        return data

    def _unpack(self) -> Extent:
        if self.unpacked is None:
            self.unpacked = Unpacked()
        with open_mail(Path(self.path), self._max_ratio, translate=False) as stream:
            return self.unpacked.add(stream)

    def _read_at(self, offset: int, length: int) -> bytes:
        if self._extent is None:
            return _read_at(self.path, offset, length)
        assert self.unpacked is not None
        return self.unpacked.read(self._extent, offset, length)


def without_lead(data: bytes, lead: int) -> bytes:
    """A message without the bytes that were read before it, with LF if its lines end with CR."""
    message = data[lead:]
    return with_line_feeds(message) if is_after_lone_cr(data[:lead]) else message


class _Limited:
    """Reads a file up to a place."""

    def __init__(self, file: FileIO, end: int) -> None:
        self._file = file
        self._end = end

    def readinto(self, buffer: memoryview, /) -> int | None:
        """As `FileIO.readinto`."""
        return self._file.readinto(buffer[: max(0, self._end - self._file.tell())])


def _splitter_at(file: FileIO, start: int, stop: int | None, end: int | None = None) -> Splitter:
    """A splitter that begins at any place of a plain file, and finds there what one that came from its start does."""
    file.seek(0)
    head = file.read(min(FRONT, FRONT if end is None else end))
    front = max(0, start - BEFORE)
    file.seek(front)
    before = (b"" if front else _START_OF_FILE) + file.read(start - front)
    readable: Readable = file if end is None else _Limited(file, end)
    return Splitter(readable, start, stop, before, series=is_patch_series(head), mboxrd=is_mboxrd(head))


def _from_line(file: FileIO, message: int) -> int:
    """The place of the From_ line of the message at a place."""
    front = max(0, message - _LONGEST_GAP)
    file.seek(front)
    places = [found.start() for found in _FROM_LINE.finditer(file.read(message - front))]
    return front + places[-1] if places else message


def places_to_cut(path: str, places: range) -> list[int]:
    """Those places at which a file can be read in parts; the first is always among them.

    No Content-Length of a message that begins before such a place may reach beyond it.  And it may not stand in a From_
    line, or between one and the first header field, with another ``From`` behind it that counts if the first one does
    not.
    """
    free = [places[0]]
    with suppress(OSError), FileIO(path) as file:
        for place in places[1:]:
            file.seek(max(0, place - REACH))
            around = file.read(min(place, REACH) + AHEAD)
            if find(around, LENGTH_FIELD, 0, len(around)) >= 0:
                continue
            file.seek(max(0, place - _FRONT_OF_LINE))
            if not _FROM_IN_A_LINE.search(file.read(min(place, _FRONT_OF_LINE) + AHEAD)):
                free.append(place)
    return free


def resume_at(path: str, size: int, places: list[int]) -> int:
    """Where to read on when the file has grown: the first of the messages at ``places`` that may become another.

    ``places`` are those of the last messages that begin within `REACH` bytes before ``size``, the size as it was read,
    or that of the last message.  It is that one, unless a Content-Length says that the end of a message is not there.
    """
    with suppress(OSError), FileIO(path) as file:
        file.seek(max(0, size - REACH))
        if find(file.read(min(size, REACH)), LENGTH_FIELD, 0, min(size, REACH)) >= 0:
            return places[0]
    return places[-1]


def _read_at(path: str, offset: int, length: int) -> bytes:
    """A part of a file; `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
