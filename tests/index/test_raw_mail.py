"""The mail of many threads is found again at about the cost of reading its files once, compressed or not."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.index.factories import mail, open_index, write
from weft import Index
from weft.errors import SourceError, WeftError
from weft.index.raw_mail import FROM_PEER, NO_FILE, MissingMail
from weft.sources import mbox
from weft.sources.compressed import MailStream, open_mail

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd.compress,
}  # fmt: skip
TREES = 40
MAILS = [mail(f"m{number}@x", [f"m{number % TREES}@x"] if number >= TREES else []) for number in range(5 * TREES)]
"""The trees lie across the file: in thread order each is fetched from all over it."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path) as made:
        yield made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened from their front, from now on."""
    names: list[str] = []

    def watched(path: Path, max_ratio: int, *, translate: bool) -> MailStream:
        names.append(path.name)
        return open_mail(path, max_ratio, translate=translate)

    monkeypatch.setattr(mbox, "open_mail", watched)
    return names


def packed(folder: Path, kind: str, name: str = "git") -> Path:
    path = folder / f"{name}.mbox.{kind}"
    path.write_bytes(PACK[kind](b"".join(MAILS)))
    return path


def all_bytes(index: Index) -> tuple[list[bytes], list[MissingMail]]:
    """The mail of all threads, in their order, and what is missing of it."""
    missing: list[MissingMail] = []
    with index.mail(missing.append) as found:
        return [data for data, _ in found.raw(index.all_threads())], missing


@pytest.mark.parametrize("kind", PACK)
def test_a_compressed_file_is_unpacked_once_for_all_threads(
    index: Index, tmp_path: Path, kind: str, opened: list[str]
) -> None:
    index.ingest("git", packed(tmp_path, kind))
    opened.clear()
    found, missing = all_bytes(index)
    assert opened == [f"git.mbox.{kind}"]
    assert missing == []
    assert sorted(found) == sorted(one.partition(b"\n")[2][:-1] for one in MAILS)
    with open_index(tmp_path, name="plain.db") as plain:
        plain.ingest("git", write(tmp_path / "git.mbox", *MAILS))
        assert all_bytes(plain) == (found, []), "the same mail in the same order"


def test_one_thread_unpacks_each_of_its_files_once(index: Index, tmp_path: Path, opened: list[str]) -> None:
    index.ingest("git", packed(tmp_path, "xz"))
    opened.clear()
    missing: list[str] = []
    assert len(list(index.raw(index.thread("m0@x"), missing.append))) == len(MAILS) // TREES
    assert missing == []
    assert opened == ["git.mbox.xz"]


def test_what_was_unpacked_takes_one_descriptor_for_all_files_and_none_afterwards(index: Index, tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / f"{number}.mbox.gz"
        path.write_bytes(gzip.compress(MAILS[number]))
        index.ingest("git", path)
    before = len(os.listdir("/dev/fd"))
    missing: list[MissingMail] = []
    with index.mail(missing.append) as found:
        assert len(list(found.raw(index.all_threads()))) == 12
        assert len(os.listdir("/dev/fd")) == before + 1
    assert len(os.listdir("/dev/fd")) == before
    assert missing == []


def test_a_disk_that_is_full_ends_it_and_is_not_taken_for_mail_that_is_gone(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.ingest("git", packed(tmp_path, "gz"))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(WeftError, match="No space left on device; set TMPDIR") as caught:
        all_bytes(index)
    assert not isinstance(caught.value, SourceError)


def test_what_is_missing_says_whether_there_ever_was_a_file_of_it(index: Index, tmp_path: Path) -> None:
    path = packed(tmp_path, "gz")
    index.ingest("git", path)
    with index.store.transaction():
        index.store.connection.execute("UPDATE claims SET file = NULL WHERE position = 1")
    found, missing = all_bytes(index)
    assert (len(found), [one[1:] for one in missing]) == (len(MAILS) - 1, [(NO_FILE, False)])
    path.unlink()
    found, missing = all_bytes(index)
    assert (found, len(missing)) == ([], len(MAILS))
    assert sum(one.gone for one in missing) == len(MAILS) - 1
    assert FROM_PEER not in {one.reason for one in missing}


def test_a_thread_of_more_messages_than_are_asked_for_at_once_is_whole_and_in_order(
    index: Index, tmp_path: Path
) -> None:
    chain = [mail(f"c{number}@x", [f"c{number - 1}@x"] if number else []) for number in range(450)]
    index.ingest("git", write(tmp_path / "git.mbox", *reversed(chain)))
    assert all_bytes(index)[0] == [one.partition(b"\n")[2][:-1] for one in chain]
