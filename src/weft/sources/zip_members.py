"""The members of a zip, through the standard library's ``zipfile``: which of them are files, and how they are read.

Who can lie: whoever made the zip, about sizes, names and where members lie.  Entries that overlap are a bomb (one
compressed piece under many names) and refuse the whole zip.  Names are labels, and never used as paths.  Only members
that are stored or deflated are read: the other methods have decoders that cannot be stopped.

Small members are read at once, without ``zipfile``, which takes longer to open one than a mail takes to be read; what
is wrong with one, ``zipfile`` says.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from weft.errors import BombError, SourceError
from weft.sources.compressed import reason
from weft.sources.tar import TarMember

_END = b"PK\5\6"
_END_SIZE = 22
_MAX_COMMENT = 1 << 16
_MAX_DIRECTORY = 32 * 1024 * 1024
"""A larger table of members is not read into memory."""
_LOCAL_HEADER = 30
_LOCAL = b"PK\3\4"
_NOT_PLAIN = 0x61
"""Flags of members that are encrypted or patches."""
_STEP = 1 << 16


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip.  `SourceError` if it is damaged, cut short or too large."""
    try:
        size = _directory_size(path)
        if size > _MAX_DIRECTORY:
            raise BombError(f"its table of members has {size} bytes; unpack it and give the folder")
        opened = zipfile.ZipFile(path)
    except OSError as error:
        raise SourceError(reason(error)) from error
    except UnicodeDecodeError as error:
        raise SourceError("a zip with names that are not what it says; unpack it and give the folder") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise SourceError("a damaged zip, or one that was cut short") from error
    try:
        _check_overlap(opened.infolist())
    except BaseException:
        opened.close()
        raise
    return opened


def zip_members(opened: zipfile.ZipFile) -> list[tuple[TarMember, zipfile.ZipInfo]]:
    """All members but directories, in the order of the table."""
    return [
        (TarMember(number, info.filename, info.header_offset, info.file_size, _problem(info)), info)
        for number, info in enumerate(opened.infolist())
        if not info.is_dir()
    ]


class ZipStream:
    """The bytes of one member, with its checksum checked at the end."""

    def __init__(self, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._damaged = SourceError("a damaged member of the zip")
        self._opened = opened
        self._info = info
        self._file: IO[bytes] | None = None

    def first(self) -> tuple[bytes, bool]:
        """The next bytes; whether these are all.  `SourceError` if they are damaged."""
        if self._file is None and (whole := _read_whole(self._opened, self._info)) is not None:
            return whole, True
        data = self._read(_STEP)
        return data, len(data) < _STEP

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        """Fill ``buffer`` from its front; 0 at the end.  `SourceError` if it is damaged."""
        data = self._read(min(len(buffer), _STEP))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, most: int) -> bytes:
        try:
            if self._file is None:
                self._file = self._opened.open(self._info)
            return self._file.read(most)
        except Exception as error:  # zipfile raises what comes
            raise self._damaged from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(Exception):  # it checks the checksum of what was not read
                self._file.close()


def _read_whole(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    """A small member, if it is as the table of members says in all respects; else None."""
    if not 0 < info.file_size < _STEP or info.compress_size > _STEP or opened.fp is None:
        return None
    opened.fp.seek(info.header_offset)
    front = opened.fp.read(_LOCAL_HEADER)
    if len(front) < _LOCAL_HEADER or not front.startswith(_LOCAL) or (front[6] | front[7] << 8) & _NOT_PLAIN:
        return None
    opened.fp.seek((front[26] | front[27] << 8) + (front[28] | front[29] << 8), 1)
    data = opened.fp.read(info.compress_size)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflater.decompress(data, info.file_size + 1)
        except zlib.error:
            return None
        if not inflater.eof:
            return None
    return data if len(data) == info.file_size and zlib.crc32(data) == info.CRC else None


def _problem(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
    if kind and kind != stat.S_IFREG:
        return "a link, which is not followed" if kind == stat.S_IFLNK else "not a file"
    if info.flag_bits & 1:
        return "encrypted; unpack the zip and give the folder"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"compressed by method {info.compress_type} of zip; unpack the zip and give the folder"
    return ""


def _check_overlap(infos: Sequence[zipfile.ZipInfo]) -> None:
    end, last = 0, -1
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end or info.header_offset == last:
            raise BombError("a bomb? members of this zip overlap")
        last, end = info.header_offset, info.header_offset + _LOCAL_HEADER + info.compress_size


def _directory_size(path: Path) -> int:
    """The size of the table of members, as the end of the file states it; 0 if it states none."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_SIZE - _MAX_COMMENT))
        tail = file.read()
    at = tail.rfind(_END)
    return int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
