"""MMDF, Babyl and LISTSERV logs: cut at their lines, whatever stands in a message and however the bytes come."""

from __future__ import annotations

import gzip
import io
import mailbox
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import SourceError
from weft.sources import delimited
from weft.sources.compressed import wrap
from weft.sources.delimited import DelimitedFile, pieces
from weft.sources.discover import discover
from weft.sources.forms import Form
from weft.sources.interface import Note

BODIES = ["one\n", "From here on: nothing\n", "=" * 72 + "\nNote: no line\n", "\x1fx\n", "", "a\n\nb\n"]


def message(number: int) -> bytes:
    body = BODIES[number % len(BODIES)]
    return f"From: ann@example.org\nMessage-ID: <m{number}@example.org>\nSubject: S{number}\n\n{body}".encode()


def written(form: Form, messages: Sequence[bytes]) -> bytes:
    """A file of this form with these messages."""
    if form is Form.MMDF:
        return b"".join(b"\1\1\1\1\n" + one + b"\1\1\1\1\n" for one in messages)
    if form is Form.LISTSERV:
        return b"".join(b"=" * 73 + b"\n" + one for one in messages)
    start = b"BABYL OPTIONS: -*- rmail -*-\nVersion: 5\nLabels:\nNote: a Babyl file.\n\x1f"
    return start + b"\n".join(b"\x0c\n1, answered,,\n" + _twice(one) + b"\n\x1f" for one in messages)


def _twice(message: bytes) -> bytes:
    header, _, body = message.partition(b"\n\n")
    return header + b"\n\n*** EOOH ***\nSubject: as shown\n\n" + body


def read(source: DelimitedFile) -> tuple[list[str], list[Note]]:
    notes: list[Note] = []
    return [record[2].decode() for record in source.records(notes.append)], notes


@pytest.mark.parametrize("form", [Form.MMDF, Form.BABYL, Form.LISTSERV])
@pytest.mark.parametrize("packed", [False, True])
def test_every_message_is_found_and_found_again(tmp_path: Path, form: Form, packed: bool) -> None:
    data = written(form, [message(number) for number in range(12)])
    path = tmp_path / "box"
    path.write_bytes(gzip.compress(data) if packed else data)
    notes: list[Note] = []
    (source,) = discover([f"l={path}"], notes.append)
    assert isinstance(source, DelimitedFile)
    records = list(source.records(notes.append))
    assert [record[2] for record in records] == [b"m%d@example.org" % number for number in range(12)]
    assert notes == []
    for number, record in enumerate(records):
        assert source.fetch(record[0], record[1]).rstrip(b"\n") == message(number).rstrip(b"\n")
    with pytest.raises(SourceError, match="the message is gone"):
        source.fetch(len(data) + 9, 5)


@pytest.mark.parametrize("form", [Form.MMDF, Form.BABYL, Form.LISTSERV])
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_lines_may_end_in_other_ways(tmp_path: Path, form: Form, end: bytes) -> None:
    data = written(form, [message(number) for number in range(5)])
    (tmp_path / "box").write_bytes(data.replace(b"\n", end))
    if form is Form.MMDF and end == b"\r":
        return  # its first line tells nothing of how lines end
    (source,) = discover([f"l={tmp_path}/box"], lambda note: pytest.fail(str(note)))
    assert isinstance(source, DelimitedFile)
    assert read(source) == ([f"m{number}@example.org" for number in range(5)], [])


@pytest.mark.parametrize(("form", "reader"), [(Form.MMDF, mailbox.MMDF), (Form.BABYL, mailbox.Babyl)])
def test_the_standard_library_writes_what_is_read(tmp_path: Path, form: Form, reader: type) -> None:
    box = reader(tmp_path / "box")
    for number in range(6):
        box.add(message(number))
    box.flush()
    box.close()
    assert read(DelimitedFile(str(tmp_path / "box"), "l", form))[0] == [f"m{number}@example.org" for number in range(6)]


@given(st.lists(st.integers(0, 50), max_size=12), st.sampled_from([Form.MMDF, Form.BABYL, Form.LISTSERV]), st.data())
def test_pieces_do_not_depend_on_how_the_bytes_come(numbers: list[int], form: Form, data: st.DataObject) -> None:
    raw = written(form, [message(number) for number in numbers])

    class Slow(io.BytesIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            return super().readinto(buffer[: data.draw(st.sampled_from([1, 7, 300, 5000]))])

    with wrap(io.BytesIO(raw), "x") as whole, wrap(Slow(raw), "x") as slow:
        found = list(pieces(whole, form))
        assert found == list(pieces(slow, form))
    for piece in found:
        assert raw[piece.offset : piece.offset + piece.length] == piece.raw


def test_a_message_longer_than_memory_is_kept_in_front_and_its_place_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_READ", 1000)
    monkeypatch.setattr(delimited, "_BLOCK", 4096)
    long = message(0) + b"x" * 79 + b"\n" + (b"y" * 79 + b"\n") * 5000
    data = written(Form.MMDF, [message(1), long, message(2)])
    with wrap(io.BytesIO(data), "x") as stream:
        found = [piece for piece in pieces(stream, Form.MMDF) if piece.raw.strip()]
    assert [data[piece.offset : piece.offset + piece.length].strip(b"\n") for piece in found] == [
        message(1).strip(b"\n"), long.strip(b"\n"), message(2).strip(b"\n")
    ]  # fmt: skip
    assert len(found[1].raw) < 3 * 4096


def test_a_file_that_is_cut_short_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    data = gzip.compress(written(Form.MMDF, [message(number) for number in range(2000)]))
    (tmp_path / "box.gz").write_bytes(data[: len(data) // 2])
    found, notes = read(DelimitedFile(str(tmp_path / "box.gz"), "l", Form.MMDF))
    assert len(found) > 100
    assert [(note.reason, note.skipped) for note in notes] == [("truncated gzip", 1)]
