"""An mbox that grows and is rotated, in any way and at any moment, gives the claims of all mail that was ever in it."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.index.factories import counted, open_index
from weft.index.index import Index
from weft.sources.interface import NoteLog

_LOOK, _MAIL, _HALF = "look", "mail", "half"
_ROTATIONS = ("rename", "rename with a date", "copy and truncate", "compress", "rename, then compress")
_TIME = 1_700_000_000


class Spool:
    """A file to which mail is delivered, and that is rotated; its clock goes on by a second a step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "dev.mbox"
        self.sent: set[bytes] = set()
        self.rest = b""
        self._time = _TIME
        self.path.write_bytes(b"")

    def mail(self, *, half: bool = False) -> None:
        """Append what is left of a message, and another one, or half of it."""
        number = len(self.sent)
        name = b"m%d@x" % number
        self.sent.add(name)
        data = b"From a@x Thu Jan  1 00:00:%02d 2020\n" % number
        data += b"Message-ID: <%s>\nFrom: a@x\nSubject: %s\n\ntext\n\n" % (name, name)
        front, self.rest = (
            self.rest + (data[: len(data) // 2] if half else data),
            data[len(data) // 2 :] if half else b"",
        )
        with self.path.open("ab") as file:
            file.write(front)
        self._tick(self.path)

    def rotate(self, way: str) -> None:
        """Rotate it; half a message is delivered before."""
        if self.rest:
            with self.path.open("ab") as file:
                file.write(self.rest)
            self.rest = b""
            self._tick(self.path)
        for number in range(9, 0, -1):
            for end in ("", ".gz"):
                old = self.folder / f"dev.mbox.{number}{end}"
                if old.exists():
                    old.rename(self.folder / f"dev.mbox.{number + 1}{end}")
        first = self.folder / "dev.mbox.1"
        if way == "copy and truncate":
            shutil.copy2(self.path, first)
            os.truncate(self.path, 0)
        else:
            self.path.rename(self.folder / f"dev-{self._time}.mbox" if way == "rename with a date" else first)
            self.path.write_bytes(b"")
        if way in ("compress", "rename, then compress"):
            packed = first.with_name("dev.mbox.1.gz")
            packed.write_bytes(gzip.compress(first.read_bytes()))
            shutil.copystat(first, packed)
            first.unlink()
        self._tick(self.path)

    def _tick(self, path: Path) -> None:
        self._time += 1
        os.utime(path, (self._time, self._time))


def messages(index: Index) -> set[bytes]:
    return {claim.message_id for claim in counted(index).values()}


@settings(max_examples=examples(300))
@given(st.lists(st.sampled_from((_LOOK, _LOOK, _MAIL, _MAIL, _MAIL, _HALF, *_ROTATIONS)), max_size=14))
def test_nothing_that_was_ever_delivered_is_missed(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_index(Path(folder)) as index:
        spool = Spool(Path(folder))
        looked = False
        for step in (_MAIL, _LOOK, *steps, _MAIL, _LOOK):
            if step == _LOOK:
                index.ingest("dev", spool.path)
                looked = True
            elif step in (_MAIL, _HALF):
                spool.mail(half=step == _HALF)
            else:
                spool.rotate(step)
        assert looked
        assert messages(index) == spool.sent
        assert {claim.list for claim in counted(index).values()} == {b"dev"}
        if not any("compress" in step for step in steps):  # what was read of half a message cannot be told there
            assert len(counted(index)) == len(spool.sent), "no claim of half a message stands"
        assert list(index.check()) == []


def test_the_mail_is_still_found_after_a_rotation_and_it_is_said(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.mail()
    log = NoteLog()
    with open_index(tmp_path) as index:
        index.ingest("dev", spool.path, log=log)
        spool.mail()
        spool.rotate("rename")
        spool.mail()
        index.ingest("dev", spool.path, log=log)
        assert [note.reason for note in log.entries] == [
            f"it was rotated to {tmp_path / 'dev.mbox.1'}, which is read to its end"
        ]
        lost: list[str] = []
        for thread in index.all_threads():
            assert list(index.raw(thread, lost.append))
        assert lost == []


def test_other_files_of_the_folder_are_not_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.mail()
    with open_index(tmp_path) as index:
        index.ingest("dev", spool.path)
        (tmp_path / "other").mkdir()
        other = Spool(tmp_path / "other")
        other.mail()
        for name in ("developers.mbox", "users.mbox", ".dev.mbox.1", "dev.mboxes"):
            (tmp_path / name).write_bytes(other.path.read_bytes().replace(b"m0@x", name.encode() + b"@y"))
        spool.rotate("rename")
        spool.mail()
        index.ingest("dev", spool.path)
        assert messages(index) == {b"m0@x", b"m1@x"}


@pytest.mark.parametrize("place", ["first", "last"])
def test_an_edit_that_leaves_size_and_time_is_noticed(tmp_path: Path, place: str) -> None:
    spool = Spool(tmp_path)
    for _ in range(3):
        spool.mail()
    with open_index(tmp_path) as index:
        index.ingest("dev", spool.path)
        status = spool.path.stat()
        data = spool.path.read_bytes()
        old, new = (b"m0@x", b"n0@x") if place == "first" else (b"m1@x", b"n1@x")
        spool.path.write_bytes(data.replace(old, new))
        os.utime(spool.path, ns=(status.st_atime_ns, status.st_mtime_ns))
        index.ingest("dev", spool.path)
        assert new in messages(index)
