"""The members of an archive at any time: where each lies, and messages of them again."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path

from weft.core.body import unescape_from
from weft.errors import SourceError
from weft.sources.compressed import is_translated, open_mail, wrap
from weft.sources.decompressors import SNIFF, format_of
from weft.sources.delimited import DELIMITED, message_in
from weft.sources.forms import HEAD, Form, form_of
from weft.sources.interface import header_bounds
from weft.sources.member_scan import INNER_BITS
from weft.sources.member_streams import Budget, PeekedStream, RawStream
from weft.sources.single_message import message_of
from weft.sources.splitter import is_after_lone_cr, with_line_feeds
from weft.sources.spool import Extent, Unpacked
from weft.sources.tar import TarReader
from weft.sources.zip_members import ZipStream, open_zip

_LEAD = 4
"""So many bytes before a message say how its lines end."""


class MembersAtPlaces:
    """The members of an archive at any time, for `ArchiveFile.fetch`."""

    def __init__(self, path: str, form: Form, max_ratio: int, unpacked: Unpacked) -> None:
        self._path = Path(path)
        self._max_ratio = max_ratio
        self._unpacked = unpacked
        self._extents: dict[int, Extent] = {}
        self._budget = Budget(self._path.stat().st_size, max_ratio)
        self._whole: Extent | None = None
        self._offsets, self._sizes = array("q"), array("q")
        self._zip = open_zip(self._path) if form is Form.ZIP else None
        if self._zip is None:
            self._list_tar()

    def message(self, number: int, place: int, length: int) -> bytes:
        """A message of one member."""
        read = self._reader(number)
        head = read(0, HEAD)
        if place == 0:
            raw = read(0, 1 << INNER_BITS)
            if self._size(number) != length:
                raise SourceError("the archive was changed since it was read")
            return message_of(raw)
        raw = read(place, length)
        form = form_of(head)
        if len(raw) != length:
            raise SourceError("the archive was changed since it was read")
        if form in DELIMITED:
            assert isinstance(form, Form)
            return message_of(message_in(raw, form))
        if is_after_lone_cr(read(max(0, place - _LEAD), min(place, _LEAD))):
            raw = with_line_feeds(raw)
        buffer = b"\n" + raw
        _, body = header_bounds(buffer, 1, len(buffer))
        return buffer[1:body] + unescape_from(buffer[body:])

    def _list_tar(self) -> None:
        if is_translated(self._path):
            with open_mail(self._path, self._max_ratio) as stream:
                self._whole = self._unpacked.add(stream)
        try:
            for member in TarReader(_Places(self._tar_bytes)).members():
                while len(self._offsets) < member.number:
                    self._offsets.append(0)
                    self._sizes.append(0)
                self._offsets.append(member.offset)
                self._sizes.append(member.size)
        except SourceError:
            return  # it was said when the archive was read; the members before that are there

    def _tar_bytes(self, offset: int, length: int) -> bytes:
        if self._whole is not None:
            return self._unpacked.read(self._whole, offset, length)
        with self._path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, offset)

    def _size(self, number: int) -> int:
        return self._sizes[number] if self._zip is None else self._zip.infolist()[number].file_size

    def _reader(self, number: int) -> Callable[[int, int], bytes]:
        """What reads (place, length) of a member, unpacked."""
        count = len(self._sizes) if self._zip is None else len(self._zip.infolist())
        if not 0 <= number < count:
            raise SourceError(f"there is no member number {number}")
        if number in self._extents:
            return partial(self._unpacked.read, self._extents[number])
        if self._zip is not None:
            with ZipStream(self._zip, self._zip.infolist()[number]) as stream:
                return self._unpack(number, stream.readinto)
        offset, size = self._offsets[number], self._sizes[number]

        def read(place: int, length: int) -> bytes:
            return self._tar_bytes(offset + place, max(0, min(length, size - place)))

        head = read(0, HEAD)
        if format_of(head[:SNIFF]) is None and (b"\n" in head or b"\r" not in head):
            return read
        return self._unpack(number, _Places(read).readinto)

    def _unpack(self, number: int, readinto: Callable[[memoryview], int]) -> Callable[[int, int], bytes]:
        counted = PeekedStream(readinto, str(self._path), self._budget)
        with wrap(RawStream(counted.readinto), str(self._path), self._max_ratio) as stream:
            bounded = PeekedStream(stream.readinto, str(self._path), self._budget)
            self._extents[number] = self._unpacked.add(bounded)
        return partial(self._unpacked.read, self._extents[number])


class _Places:
    """A `weft.sources.tar.ReadableArchive` of something that can be read at any place."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self._at = 0

    def readinto(self, buffer: memoryview, /) -> int:
        data = self._read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def skip(self, count: int, /) -> int:
        self._at += count
        return count
