"""The check of mbox files: however the same bytes are read, they hold the same messages."""

from __future__ import annotations

import io
import tempfile

from weft.render.mbox import write_mboxrd
from weft.sources.interface import Note, NoteLog, Record, make_record
from weft.sources.mbox import MboxFile, places_to_cut, read_mbox
from weft.sources.splitter import Splitter

_END = 1 << 62
_PIECE = 7


class _Trickle(io.BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        return super().readinto(buffer[:_PIECE])


def check_mbox(raw: bytes) -> None:
    """Whole, in small pieces, in two parts or one by one, messages are the same; as mboxrd they stay what they are."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        _check_file(raw, file.name)


def _check_file(raw: bytes, path: str) -> None:
    file, notes = MboxFile(path, "l"), NoteLog()
    records = list(file.records(notes))
    _check_places(records, len(raw))
    messages = [file.fetch(*record[:2]) for record in records]
    if not file.is_plain():
        return
    assert messages == list(read_mbox(Splitter(io.BytesIO(raw)), path, lambda _: None, _bytes))
    assert (records, notes.entries) == _read_slowly(raw, path)
    for place in {1, len(raw) // 3, len(raw) // 2, records[-1][0] if records else 2} - {0}:
        for cut in places_to_cut(path, range(0, place + 1, place))[1:]:
            assert _in_two_parts(path, cut) == records, cut
    _check_mboxrd(messages)


def _check_places(records: list[Record], size: int) -> None:
    """Messages stand one behind the other, within the file."""
    end = 0
    for offset, length, *_ in records:
        assert offset >= end
        end = offset + length
    assert end <= size


def _bytes(
    buffer: bytes | bytearray,
    start: int,
    header_end: int,
    body: tuple[int, int],
    place: tuple[int, int],
    *,
    mbox: bool,
    again: bool = False,
) -> bytes:
    """A `weft.sources.interface.RecordMaker` of whole messages."""
    return bytes(buffer[start : body[1]])


def _read_slowly(raw: bytes, path: str) -> tuple[list[Record], list[Note]]:
    notes = NoteLog()
    return list(read_mbox(Splitter(_Trickle(raw)), path, notes, make_record)), notes.entries


def _in_two_parts(path: str, cut: int) -> list[Record]:
    found: list[Record] = []
    for part in ((0, cut), (cut, _END)):
        file = MboxFile(path, "l")
        file.part = part
        found += file.records(lambda _: None)
    return found


def _check_mboxrd(messages: list[bytes]) -> None:
    """What is exported and read again is exported as the same bytes, with as many messages."""
    exported = _mboxrd(messages)
    again = list(read_mbox(Splitter(io.BytesIO(exported)), "", lambda _: None, _bytes))
    assert len(again) == len(messages)
    assert _mboxrd(again) == exported


def _mboxrd(messages: list[bytes]) -> bytes:
    file = io.BytesIO()
    write_mboxrd([(message, True) for message in messages], file)
    return file.getvalue()
