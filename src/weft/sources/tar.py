"""The members of a tar, in one pass and in bounded memory (POSIX ustar and pax, GNU; v7).

The standard library's ``tarfile`` takes 100 µs for a member, four times what a message of mail may cost, and reads
extended headers of any stated size into memory.  This reads what mail needs: names, sizes, and the bytes of files.
Names are labels, and never used as paths.  Links, devices and sparse files are members with a ``problem``.

Who can lie: whoever made the tar, about every field.  Sizes are never allocated on its word; a header whose checksum is
wrong ends the reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from weft.errors import BombError, SourceError
from weft.sources.forms import is_tar_header

BLOCK = 512
MAX_MEMBERS = 1 << 22
"""More members than this are not listed: their table is held in memory."""
_READ = 1 << 18
_MAX_NAME = 1 << 16
_MAX_PAX = 1 << 20
_ZEROS = bytes(BLOCK)
_FILES = (b"0", b"\0", b"7")
_DIRECTORIES = b"5", b"D", b"V", b"g"
_PROBLEMS = {
    b"1": "a link, which is not followed",
    b"2": "a link, which is not followed",
    b"3": "a device, not a file",
    b"4": "a device, not a file",
    b"6": "a pipe, not a file",
    b"S": "a sparse file, which is not read; unpack the archive and give the folder",
    b"M": "part of a file that began on another volume",
}


class ReadableArchive(Protocol):
    """What a tar is read from."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill ``buffer`` from its front; the number of bytes, 0 at the end.  `SourceError` where it cannot go on."""

    def skip(self, count: int, /) -> int:
        """Pass over up to so many bytes without reading them; how many it passed (0: read them)."""


class TarMember(NamedTuple):
    """One member: ``offset`` is the place of its bytes in the tar, ``number`` counts from 0."""

    number: int
    name: str
    offset: int
    size: int
    problem: str
    """Why it cannot be read, if it cannot; else empty."""


class TarReader:
    """Goes over a tar once.  The bytes of the current member are read with `read_all` or `readinto`."""

    def __init__(self, stream: ReadableArchive) -> None:
        self._stream = stream
        self._buffer = bytearray(_READ)
        self._view = memoryview(self._buffer)
        self._at = self._end = 0
        self._base = 0  # the place in the tar of the buffer's front
        self._left = 0  # bytes of the current member that were not read
        self._padding = 0

    @property
    def place(self) -> int:
        """How far the tar was read."""
        return self._base + self._at

    def members(self) -> Iterator[TarMember]:
        """All members but directories, in order.  `SourceError` where the tar is cut short or damaged."""
        number, name, size, sparse = 0, "", None, False
        while (header := self._header()) is not None:
            kind = header[156:157]
            self._left = _number(header[124:136])
            self._padding = -self._left % BLOCK
            if kind in (b"L", b"x", b"K"):
                extended = self._extended(_MAX_NAME if kind == b"L" else _MAX_PAX)
                if kind == b"L":
                    name = _text(extended.split(b"\0", 1)[0])
                elif kind == b"x":
                    name, size, sparse = _pax(extended, name, size)
                continue
            if size is not None and kind in _FILES:
                self._left, self._padding = size, -size % BLOCK
            if kind == b"S":
                self._skip_sparse_map(header)
            if kind not in _DIRECTORIES:
                problem = "" if kind in _FILES else _PROBLEMS.get(kind, "a member of an unknown type")
                problem = _PROBLEMS[b"S"] if sparse else problem
                name = name or _name(header)
                if not (name.endswith("/") and not self._left):
                    yield TarMember(number, name, self.place, self._left, problem)
                number += 1
                if number > MAX_MEMBERS:
                    raise BombError(f"has more than {MAX_MEMBERS} members; unpack it and give the folder")
            self._finish()
            name, size, sparse = "", None, False

    def read_all(self) -> bytes:
        """The rest of the current member.  `SourceError` if it is cut short."""
        pieces = []
        while self._left:
            piece = self._some(self._left)
            if not piece:
                raise SourceError("truncated tar")
            pieces.append(bytes(piece))
        return b"".join(pieces)

    def whole(self) -> bytes | None:
        """All bytes of the current member, if they were read already and none was taken; they can be read again."""
        end = self._at + self._left
        return bytes(self._view[self._at : end]) if end <= self._end else None

    def first(self) -> tuple[bytes, bool]:
        """The next bytes of the current member as far as they were read already; whether these are all."""
        data = bytes(self._some(self._left)) if self._at < self._end else b""
        return data, not self._left

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill ``buffer`` with bytes of the current member; 0 at its end.  `SourceError` if it is cut short."""
        if not self._left or not len(buffer):
            return 0
        piece = self._some(min(self._left, len(buffer)))
        if not piece:
            raise SourceError("truncated tar")
        buffer[: len(piece)] = piece
        return len(piece)

    def _some(self, most: int) -> memoryview:
        """Up to so many bytes of the current member; none at the end of the tar."""
        if self._at == self._end:
            self._fill(0)
        taken = min(most, self._end - self._at)
        piece = self._view[self._at : self._at + taken]
        self._at += taken
        self._left -= taken
        return piece

    def _header(self) -> bytes | None:
        """The next block that is not of zeros, which must be a header; None at the end."""
        while True:
            block = self._block()
            if block is None:
                return None
            if block != _ZEROS:
                break
        if not is_tar_header(block):
            raise SourceError("damaged tar: a header with a wrong checksum")
        return block

    def _block(self) -> bytes | None:
        while self._end - self._at < BLOCK:
            kept = self._end - self._at
            if not self._fill(kept):
                if any(self._view[self._at : self._end]):
                    raise SourceError("truncated tar")
                return None
        self._at += BLOCK
        return bytes(self._view[self._at - BLOCK : self._at])

    def _fill(self, kept: int) -> int:
        """Read more behind the last ``kept`` bytes; how many."""
        if kept:
            self._buffer[:kept] = self._buffer[self._at : self._end]
        self._base += self._at
        self._at, self._end = 0, kept
        got = self._stream.readinto(self._view[kept:])
        self._end += got
        return got

    def _finish(self) -> None:
        """Go behind the current member."""
        gone = self._left + self._padding
        self._left = self._padding = 0
        while gone:
            here = min(gone, self._end - self._at)
            self._at += here
            gone -= here
            if not gone:
                break
            passed = self._stream.skip(gone)
            self._base += passed
            gone -= passed
            if gone and not self._fill(0):
                raise SourceError("truncated tar")

    def _extended(self, most: int) -> bytes:
        """The bytes of an extended header; empty if it is longer than ``most``."""
        data = self.read_all() if self._left <= most else b""
        self._finish()
        return data

    def _skip_sparse_map(self, header: bytes) -> None:
        more = header[482:483] not in (b"\0", b"0", b"")
        while more:
            block = self._block()
            if block is None:
                raise SourceError("truncated tar")
            more = block[504:505] not in (b"\0", b"0")


def _number(field: bytes) -> int:
    """A size: octal digits, or base 256 where the first bit is set (GNU)."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40 or value >= 1 << 62:
            raise SourceError("damaged tar: a member of a size that no file has")
        return value
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise SourceError("damaged tar: a size that is not a number") from None


def _name(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _pax(data: bytes, name: str, size: int | None) -> tuple[str, int | None, bool]:
    """What a pax header says of the next member: its name, its size, and whether it is sparse."""
    at, sparse = 0, False
    while (blank := data.find(b" ", at, at + 12)) > 0 and data[at:blank].isdigit():
        length = int(data[at:blank])
        if length <= blank - at:
            break
        key, _, value = data[blank + 1 : at + length - 1].partition(b"=")
        at += length
        if key == b"path":
            name = _text(value[:_MAX_NAME])
        elif key == b"size" and value.isdigit() and len(value) < 19:
            size = int(value)
        sparse = sparse or key.startswith(b"GNU.sparse.")
    return name, size, sparse
