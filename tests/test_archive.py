"""An archive is a function of the set of messages that was read."""

from __future__ import annotations

import gzip
import os
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

import weft
from tests.generate import generate
from weft.errors import SourceError
from weft.render.json import LINES, encode_thread
from weft.sources.mbox import MboxFile

MAIL = "From x Thu Jan  1 00:00:00 1970\nMessage-ID: <a@x>\nSubject: s\nFrom: me\n\n{}\n\n"


def test_every_content_is_exported_once_the_shown_one_first_whatever_the_arguments_order_and_processes(
    tmp_path: Path,
) -> None:
    for name, body in (("1.mbox", "one"), ("2.mbox", "two"), ("3.mbox", "one\n\n")):
        (tmp_path / name).write_text(MAIL.format(body))
    paths = [tmp_path / f"{number}.mbox" for number in (1, 2, 3)]
    for files in permutations(paths):
        for processes in (1, 2):
            archive = weft.rebuild({"l": list(files)}, processes=processes)
            thread = archive.thread("a@x")
            exported = [data.partition(b"\n\n")[2] for data, _ in archive.raw(thread)]
            assert exported == [b"one\n", b"two\n"]
            assert thread.messages[0].variants == 2


def test_the_summary_says_one_message_and_two_messages(tmp_path: Path) -> None:
    (tmp_path / "l.mbox").write_text(MAIL.format("one"))
    assert str(weft.rebuild({"l": tmp_path / "l.mbox"}).summary) == (
        "1 message read: 1 copy of 1 id on 1 list (l 1); 0 ghosts, 0 skipped"
    )


def test_an_id_that_is_too_long_is_found_as_it_is_and_as_it_is_shown(tmp_path: Path) -> None:
    long = "x" * 300 + "@y"
    (tmp_path / "l.mbox").write_text(MAIL.replace("a@x", long).format("one"))
    archive = weft.rebuild({"l": tmp_path / "l.mbox"})
    assert archive.thread(long).root == archive.thread(archive.thread(long).root).root


# Bodies that are read only if two of them have to be compared

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""Whoever runs the tests may have threads; they hold no lock that a fork of ours needs."""
LONG = "some words of a body\n" * 50
BODIES = ("one", "one\n\n", "two", ">From me", ">>From me", "", "one\r\n")


def an_archive(random: Random, data: Path) -> None:
    """An mbox of few ids, with copies that differ in a subject or a body."""
    mails = []
    for _ in range(40):
        name = random.choice(["", *(f"Message-ID: <{number}@x>\n" for number in range(8))])
        subject = random.choice(["a", "Re: a", "[l] a", "b"])
        body = random.choice(["", LONG]) + random.choice(BODIES)
        mails.append(f"From x Thu Jan  1 00:00:00 1970\n{name}Subject: {subject}\n\n{body}\n\n")
    ends = random.choice(["\n", "\r\n"])
    data.write_bytes("".join(mails).replace("\r\n", "\n").replace("\n", ends).encode())


def test_copies_and_variants_are_the_same_whether_bodies_are_read_at_once_or_when_they_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.archive.is_alone", lambda: True)
    variants = set()
    for seed in range(30):
        paths = [tmp_path / f"{number}.mbox" for number in range(3)]
        packed = [path.with_suffix(".mbox.gz") for path in paths]
        for path, gz in zip(paths, packed, strict=True):
            an_archive(Random(seed + 100 * int(path.stem)), path)
            gz.write_bytes(gzip.compress(path.read_bytes(), 1))
        later, at_once, mixed = (
            weft.rebuild({"l": files[:2], "m": files[2:]}) for files in (paths, packed, [packed[0], *paths[1:]])
        )
        assert list(later.threads()) == list(at_once.threads()) == list(mixed.threads())
        assert later.summary == at_once.summary == mixed.summary
        assert weft.rebuild({"l": [*paths[:2], packed[0]], "m": [packed[2], paths[2]]}).summary.copies == (
            later.summary.copies
        )
        variants |= {message.variants for thread in later.threads() for message in thread.messages}
    assert {1, 3} <= variants


def test_the_body_of_an_only_copy_is_not_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.archive.is_alone", lambda: True)
    fetched = []
    fetch = MboxFile.fetch

    def noted(source: MboxFile, offset: int, length: int) -> bytes:
        fetched.append(offset)
        return fetch(source, offset, length)

    monkeypatch.setattr(MboxFile, "fetch", noted)
    (tmp_path / "l.mbox").write_text(MAIL.format(LONG) + MAIL.replace("a@x", "b@x").format(LONG))
    (tmp_path / "m.mbox").write_text(MAIL.format(LONG + "Sent to m"))
    archive = weft.rebuild({"l": tmp_path / "l.mbox", "m": tmp_path / "m.mbox"})
    assert [len(message.copies) for thread in archive.threads() for message in thread.messages] == [2, 1]
    assert not fetched, "equal subjects say enough"
    (tmp_path / "n.mbox").write_text(MAIL.replace(": s", ": t").format(LONG))
    archive = weft.rebuild({name: tmp_path / f"{name}.mbox" for name in "lmn"})
    assert archive.thread("a@x").messages[0].variants == 1
    assert len(fetched) == 3


def test_a_body_that_is_gone_when_it_is_needed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.archive.is_alone", lambda: True)
    (tmp_path / "l.mbox").write_text(MAIL.format(LONG))
    (tmp_path / "m.mbox").write_text(MAIL.replace(": s", ": t").format(LONG))
    archive = weft.rebuild({"l": tmp_path / "l.mbox", "m": tmp_path / "m.mbox"})
    (tmp_path / "l.mbox").write_text("")
    for processes in (1, 2):
        with pytest.raises(SourceError, match="is gone; was the file changed"):
            list(archive.json_blocks(LINES, processes=processes))


def test_a_flood_of_copies_of_one_id_is_told_apart_by_what_they_say(tmp_path: Path) -> None:
    texts = [MAIL.format(LONG + str(number % 50)) for number in range(200)]
    (tmp_path / "l.mbox").write_text("".join(texts))
    assert weft.rebuild({"l": tmp_path / "l.mbox"}).summary.copies == 50


# Threads made in several processes


def test_blocks_are_the_threads_whatever_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft.archive._BLOCK", 3)
    monkeypatch.setattr("weft.archive.is_alone", lambda: True)
    with (tmp_path / "l.mbox").open("wb") as file:
        for _, mail in generate(300):
            file.write(b"From x Thu Jan  1 00:00:00 1970\n" + mail + b"\n")
    archive = weft.rebuild({"l": tmp_path / "l.mbox"})
    for hidden in (True, False):
        lines = "".join(encode_thread(thread) + "\n" for thread in archive.threads(hidden=hidden)).encode()
        for processes in (1, 2, 3):
            blocks = archive.json_blocks(LINES, hidden=hidden, processes=processes)
            assert b"".join(block + b"\n" for block in blocks) == lines


def test_mail_out_of_many_compressed_files_takes_one_descriptor(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.mbox.gz" for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(gzip.compress(MAIL.replace("<a@x>", f"<{number}@x>").format("one").encode()))
    archive = weft.rebuild({"l": paths})
    before = len(os.listdir("/dev/fd"))
    assert sum(len(list(archive.raw(thread))) for thread in archive.threads()) == 20
    assert len(os.listdir("/dev/fd")) == before + 1
