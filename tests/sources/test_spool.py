"""The insides of compressed files lie in one temporary file, and what cannot be had is said."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from weft.errors import SourceError, WeftError
from weft.sources.compressed import MailStream, open_mail
from weft.sources.interface import NoteLog
from weft.sources.mbox import MboxFile
from weft.sources.spool import Extent, Unpacked

ONE, TWO = os.urandom(3 << 20), os.urandom(1 << 20)


@pytest.fixture
def room() -> Iterator[Unpacked]:
    made = Unpacked()
    yield made
    made.close()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def put(room: Unpacked, path: Path) -> Extent:
    with open_mail(path) as stream:
        return room.add(stream)


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_any_part_of_any_file_can_be_read_and_no_part_of_another(tmp_path: Path, room: Unpacked) -> None:
    first = put(room, write(tmp_path / "1.gz", gzip.compress(ONE)))
    second = put(room, write(tmp_path / "2.xz", lzma.compress(TWO)))
    assert (first.error, second.error) == ("", "")
    assert room.read(first, 0, len(ONE)) == ONE
    assert room.read(second, 1000, 50) == TWO[1000:1050]
    assert room.read(first, len(ONE) - 5, 10) == ONE[-5:]
    assert room.read(first, len(ONE) + 5, 10) == b""


def test_many_files_take_one_descriptor_and_closing_gives_it_back(tmp_path: Path, room: Unpacked) -> None:
    before = descriptors()
    for number in range(20):
        put(room, write(tmp_path / f"{number}.gz", gzip.compress(b"From x\n")))
    assert descriptors() == before + 1
    room.close()
    assert descriptors() == before


def test_nothing_of_it_has_a_name(tmp_path: Path, room: Unpacked, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    put(room, write(tmp_path / "1.gz", gzip.compress(ONE)))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_full_disk_is_one_line_that_says_what_to_do_and_what_was_written_is_taken_back(
    tmp_path: Path, room: Unpacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = put(room, write(tmp_path / "2.gz", gzip.compress(TWO)))
    limit = len(TWO) + (1 << 20)

    def pwrite(descriptor: int, data: memoryview, offset: int) -> int:
        if offset >= limit:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(descriptor, data, offset)

    really = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(WeftError, match=r"1\.gz: .*No space left on device; set TMPDIR") as caught:
        put(room, write(tmp_path / "1.gz", gzip.compress(ONE)))
    assert not isinstance(caught.value, SourceError), "the mail is not to blame, and the run cannot go on without it"
    assert "\n" not in str(caught.value)
    assert room._file is not None
    assert os.fstat(room._file.fileno()).st_size == len(TWO)
    assert room.read(small, 0, len(TWO)) == TWO


def test_no_folder_for_it_is_one_line(tmp_path: Path, room: Unpacked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(WeftError, match="set TMPDIR"):
        put(room, write(tmp_path / "1.gz", gzip.compress(ONE)))


MAILS = [b"From x\nMessage-ID: <m%d@x>\n\n%b\n\n" % (number, os.urandom(2000).hex().encode()) for number in range(99)]


def test_of_a_damaged_file_the_mail_before_the_damage_is_fetched_and_the_reason_given_for_the_rest(
    tmp_path: Path,
) -> None:
    whole = gzip.compress(b"".join(MAILS))
    path = write(tmp_path / "l.mbox.gz", whole)
    places = [record[:2] for record in MboxFile(str(path), "l").records(NoteLog())]
    write(path, whole[: len(whole) // 2])
    source = MboxFile(str(path), "l")
    assert source.fetch(*places[0]) == MAILS[0].partition(b"\n")[2][:-1]
    with pytest.raises(SourceError, match="truncated gzip"):
        source.fetch(*places[-1])


def test_a_file_is_unpacked_once_for_all_of_its_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "l.mbox.gz", gzip.compress(b"".join(MAILS)))
    source = MboxFile(str(path), "l")
    places = [record[:2] for record in source.records(NoteLog())]
    opened: list[Path] = []

    def watched(one: Path, max_ratio: int, *, translate: bool) -> MailStream:
        opened.append(one)
        return open_mail(one, max_ratio, translate=translate)

    monkeypatch.setattr("weft.sources.mbox.open_mail", watched)
    for place, mail in zip(reversed(places), reversed(MAILS), strict=True):
        assert source.fetch(*place) == mail.partition(b"\n")[2][:-1]
    assert opened == [path]
