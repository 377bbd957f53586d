"""mbox: one split rule for all servers, one reused buffer, any size of file.

Theory of operation
-------------------
A message begins at a line ``From `` that stands at the start of the file or after an empty line, and whose next line
begins with a header field name and a colon.  (The line and the name are looked at for 998 octets each, the line
length of RFC 5322; Content-Length is ignored, because it is wrong more often than a body imitates this.)  Bodies of
mboxrd and mboxo escape such lines with ``>``.  The risk: in a file that escapes nothing, a paragraph that begins with
``From `` and goes on with ``word:`` on its second line is taken for a message; every server takes it for the same one.

The file is read into one `bytearray`, in which separators are searched for with `stringzilla`; a message is scanned
where it lies.  Of a message longer than `_KEEP` only the front is kept, so memory is bounded whatever the file holds.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import IO, Protocol

from weft.core.body import MAX_RAW_BODY
from weft.core.header import MAX_BLOCK
from weft.core.search import find
from weft.errors import SourceError
from weft.sources.base import Make, Note, Notes, Record, T, header_bounds, make_record
from weft.sources.compressed import Stream, is_compressed, open_mail, reason, wrap
from weft.sources.unpacked import Extent, Unpacked

_LINE = 998
_SEPARATOR = re.compile(rb"From [^\n]{0,%d}\n[!-9;-~]{1,%d}[ \t]{0,%d}:" % (_LINE, _LINE, _LINE))
_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:")
_LOOK_AHEAD = 3 * _LINE + 16
_BLOCK = 1 << 20
_KEEP = MAX_BLOCK + MAX_RAW_BODY
_START_OF_FILE = b"\n\n"
_CONTEXT = 3
_LF, _CR = 0x0A, 0x0D


class Readable(Protocol):
    """What the splitter reads from."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill ``buffer`` from its front; the number of octets read, 0 at the end."""


class Splitter:
    """Finds the messages of one mbox.

    After `next` has returned True, ``buffer[begin:end]`` is a message from its first header field on, without the empty
    line that ends it, valid until the next call (of a message that is too long for memory, the front);
    ``offset`` and ``length`` are its place in the file.
    """

    def __init__(self, file: Readable, start: int = 0, stop: int | None = None, before: bytes = _START_OF_FILE) -> None:
        """``start``: where in the file ``file`` stands; messages that begin at ``stop`` or later are not given.

        ``before``: what stands before that place; by default an empty line, which is right at the start of the file and
        of a From_ line.
        """
        self._file = file
        self._stop = stop
        # What stands before the first message is looked at, to say what it is, only at the start of the file.
        self._last_start = stop if start else None
        # The empty line may not be in the file: then there is one rule, not two.
        self.buffer = bytearray(_BLOCK)
        self.buffer[: len(before)] = before
        self._filled = len(before)
        self._base = start - len(before)  # the place in the file of buffer[0], for what lies after _searched
        self._searched = len(before) - 1
        self._limit = 0  # where the search for separators ends for now
        self._kept = 0  # where the current message begins in the buffer; 0 before the first
        self._cut = False  # the middle of the current message was let go
        self._at_end = False
        self._error: SourceError | None = None
        self._next_separator = 0
        self.begin = self.end = self.offset = self.length = 0
        self.first = -1
        """The place of the first From_ line, which may be beyond ``stop``; -1 if there is none."""
        self.junk = False
        """Something other than white space stands before that."""

    @property
    def place(self) -> int:
        """The place in the file up to which it was read."""
        return self._base + self._filled

    def next(self) -> bool:
        """Go to the next message; False after the last.

        If the file could not be read to its end, its `SourceError` comes after the last whole message.
        """
        if not self._kept and not self._enter():
            return False
        if self._kept < 0 or (self._stop is not None and self._next_separator >= self._stop):
            return False
        self.begin, self._cut = self._kept, False
        self.offset = self._base + self.begin
        at = self._seek()
        self.begin = self._kept
        end = self._filled if at < 0 else at
        if self.buffer[end - 1] == _CR:
            end -= at >= 0
        elif at < 0 and self.buffer[end - 2 : end] == b"\n\n":
            end -= 1
        elif at < 0 and self.buffer[end - 3 : end] == b"\n\r\n":
            end -= 2
        self.length = self._base + end - self.offset
        self.end = min(end, self.begin + _KEEP) if self._cut else end
        self._kept = -1 if at < 0 else self._after(at)
        return True

    def _enter(self) -> bool:
        """Find the first message of the file."""
        at = self._seek()
        self.junk |= bool(self.buffer[: at if at >= 0 else self._filled].strip())
        if at < 0:
            return False
        self._kept = self._after(at)
        self.first = self._next_separator
        return True

    def _after(self, at: int) -> int:
        """Where the message begins whose separator follows the line feed at ``at``."""
        self._next_separator = self._base + at + 1
        self._searched = self.buffer.index(b"\n", at + 1)
        return self._searched + 1

    def _seek(self) -> int:
        """The place of the line feed that ends the empty line before the next separator; -1 if there is none."""
        buffer = self.buffer
        while True:
            at, limit = self._searched, self._limit
            while at < limit and (at := find(buffer, b"\nFrom ", at, limit)) >= 0:
                before = buffer[at - 1]
                if (before == _LF or (before == _CR and buffer[at - 2] == _LF)) and _SEPARATOR.match(
                    buffer, at + 1, self._filled
                ):
                    return at
                at += 1
            if self._at_end:
                if self._error:
                    raise self._error
                return -1
            self._searched = max(self._searched, limit - 6)
            if not self._kept and self._last_start is not None and self._base + self._searched >= self._last_start:
                return -1
            self._read()

    def _read(self) -> None:
        if self._filled == len(self.buffer):
            self._make_room()
        with memoryview(self.buffer) as view, view[self._filled :] as free:
            try:
                got = self._file.readinto(free) or 0
            except SourceError as error:
                self._error, got = error, 0
        self._filled += got
        self._at_end = not got
        self._limit = self._filled if self._at_end else self._filled - _LOOK_AHEAD

    def _make_room(self) -> None:
        """Move the current message to the front, or let the buffer grow, or let the message's middle go."""
        buffer, filled = self.buffer, self._filled
        front = max(0, (self._kept or self._searched) - _CONTEXT)
        if front:
            if not self._kept:
                self.junk |= bool(buffer[:front].strip())
            else:
                self._kept -= front
            buffer[: filled - front] = buffer[front:filled]
            gone = front
        elif filled < _KEEP + 2 * _BLOCK:
            buffer.extend(bytes(min(filled, _KEEP + 2 * _BLOCK - filled)))
            return
        else:
            tail = self._searched - _CONTEXT
            gone = tail - (self._kept + _KEEP)
            buffer[tail - gone : filled - gone] = buffer[tail:filled]
            self._cut = True
        self._base += gone
        self._filled -= gone
        self._searched -= gone


def read_mbox(splitter: Splitter, path: str, notes: Notes, make: Make[T], *, again: bool = False) -> Iterator[T]:
    """What is made of each message of one mbox, in file order; what cannot be read is noted.

    ``again``: its messages can be fetched at little cost; those that may be cut here are left out.
    """
    try:
        while splitter.next():
            buffer, begin, end = splitter.buffer, splitter.begin, splitter.end
            header_end, body = header_bounds(buffer, begin, end)
            if header_end - begin > MAX_BLOCK:
                notes(Note(path, splitter.offset, "header block longer than 256 KiB: read only so far"))
            place = (splitter.offset, splitter.length)
            yield make(buffer, begin, header_end, (body, end), place, mbox=True, again=again and end - begin < _BLOCK)
    except SourceError as error:
        notes(Note(path, splitter.place, str(error), 1))
        return
    if splitter.first >= 0 and splitter.junk:
        notes(Note(path, 0, f"the first {splitter.first} octets are not mail", 1))
    elif splitter.junk:
        notes(Note(path, 0, "not an mbox: no line 'From ' with a header field on the next line", 1))
    elif splitter.first < 0:
        notes(Note(path, None, "empty file, no messages"))


class MboxFile:
    """One mbox file, compressed or not."""

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

    def scan(self, notes: Notes, make: Make[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        if self.part is not None and self.part[0]:
            yield from self._scan_rest(notes, make, *self.part)
            return
        try:
            stream = (
                _open_at(Path(self.path), self.start) if self.start else open_mail(Path(self.path), self._max_ratio)
            )
        except SourceError as error:
            notes(Note(self.path, None, str(error), 1))
            return
        with stream:
            start = stream.tell() if isinstance(stream, FileIO) else 0
            stop = None if self.part is None else self.part[1]
            yield from read_mbox(Splitter(stream, start, stop), self.path, notes, make, again=self.is_plain())

    def is_plain(self) -> bool:
        """Whether any part of it can be read at any time: a regular file that is not compressed."""
        if self._plain is None:
            path = Path(self.path)
            with suppress(OSError):
                self._plain = path.is_file() and not is_compressed(path)
        return bool(self._plain)

    def parts(self, octets: int) -> list[MboxFile]:
        """The file as sources of ``octets`` each, the last of up to twice as many; itself if it is compressed."""
        size = self.size
        if size < 2 * octets or self.start or self.part or not self.is_plain():
            return [self]
        starts = range(0, size - octets + 1, octets)
        parts = []
        for start, stop in zip(starts, (*starts[1:], 1 << 62), strict=True):
            one = MboxFile(self.path, self.list, self._max_ratio)
            one.part, one._plain = (start, stop), True
            parts.append(one)
        return parts

    def _scan_rest(self, notes: Notes, make: Make[T], start: int, stop: int) -> Iterator[T]:
        """The part of the file that does not begin at its start: what stands before its first message is another's."""

        def pass_on(note: Note) -> None:
            if note.offset:
                notes(note)

        try:
            with FileIO(self.path) as file:
                file.seek(start - _CONTEXT)
                splitter = Splitter(file, start, stop, file.read(_CONTEXT))
                yield from read_mbox(splitter, self.path, pass_on, make, again=True)
        except OSError as error:
            notes(Note(self.path, None, reason(error), 1))

    def fetch(self, offset: int, length: int) -> bytes:
        """The octets of one message, still mbox-escaped.  A compressed file is unpacked once (`Unpacked`).

        `weft.errors.WeftError`, which is no `SourceError`, if there is no room to unpack it.
        """
        try:
            if self._extent is None and not self.is_plain():
                self._extent = self._unpack()
            octets = self._read_at(offset, length)
        except OSError as error:
            raise SourceError(f"{self.path}: {reason(error)}") from error
        if len(octets) != length and self._extent is not None and self._extent.error:
            raise SourceError(f"{self.path}: at {offset}: {self._extent.error}")
        if len(octets) != length or not _FIELD.match(octets):
            raise SourceError(f"{self.path}: at {offset}: the message is gone; was the file changed?")
        return octets

    def _unpack(self) -> Extent:
        if self.unpacked is None:
            self.unpacked = Unpacked()
        with open_mail(Path(self.path), self._max_ratio) as stream:
            return self.unpacked.add(stream)

    def _read_at(self, offset: int, length: int) -> bytes:
        if self._extent is None:
            return _read_at(self.path, offset, length)
        assert self.unpacked is not None
        return self.unpacked.read(self._extent, offset, length)


class MboxStdin:
    """An mbox on standard input, compressed or not."""

    path = "standard input"
    size = 0
    escaped = True

    def __init__(self, list: str, max_ratio: int = 200) -> None:  # noqa: A002 - the field's name
        self.list = list
        self._max_ratio = max_ratio
        self.keep = False
        """Set before `records`: keep a copy on disk, so that `fetch` works."""
        self._kept: IO[bytes] | None = None

    def records(self, notes: Notes) -> Iterator[Record]:
        """Scan all messages, in order; once."""
        return self.scan(notes, make_record)

    def scan(self, notes: Notes, make: Make[T]) -> Iterator[T]:
        """The same for what ``make`` makes of them."""
        if sys.stdin is None:
            raise SourceError("it is closed")
        with wrap(sys.stdin.buffer, self.path, self._max_ratio) as stream:
            if self.keep:
                self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the source
                yield from read_mbox(Splitter(_Tee(stream, self._kept)), self.path, notes, make)
            else:
                yield from read_mbox(Splitter(stream), self.path, notes, make)

    def fetch(self, offset: int, length: int) -> bytes:
        """The octets of one message, still mbox-escaped."""
        if self._kept is None:
            raise SourceError(f"{self.path}: cannot be read a second time")
        self._kept.seek(offset)
        return self._kept.read(length)


def _open_at(path: Path, message: int) -> FileIO:
    """The file at the From_ line of the message at a place; `SourceError` if it cannot be opened."""
    try:
        file = FileIO(path)
        front = max(0, message - _LINE - 8)
        file.seek(front)
        before = file.read(message - front)
        file.seek(front + before.rfind(b"\n", 0, len(before) - 1) + 1)
    except OSError as error:
        raise SourceError(reason(error)) from error
    return file


class _Tee:
    """Reads from a stream and writes all of it to a file."""

    def __init__(self, stream: Stream, file: IO[bytes]) -> None:
        self._stream = stream
        self._file = file

    def readinto(self, buffer: memoryview, /) -> int:
        got = self._stream.readinto(buffer)
        self._file.write(buffer[:got])
        return got


def _read_at(path: str, offset: int, length: int) -> bytes:
    """A part of a file; `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
