"""Separators that were changed at random: what other programs find is found, or it is said where it may be lost.

The long run: ``WEFT_MUTATIONS=1000000 pytest -m slow tests/sources/test_mbox_voices.py``.
"""

from __future__ import annotations

import mailbox
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from email import message_from_bytes
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from tests.sources.dialects import BOM, DIALECTS, FORMS, message
from weft.sources.interface import Note, make_record
from weft.sources.mbox import read_mbox
from weft.sources.splitter import Splitter

BODY = [b"text", b"", b"From my side", b"Note: one", b"> From the quoted", b">From the escaped", b""]
MAILS = [message(number, b"Received: from a", number - 1 if number else None, BODY) for number in range(3)]
BETWEEN = [b"", b" \n", b"\t\n", b"\r\n", b"\n\n", b"\0", BOM, b"text", b"--b--\n", b"\x0c\n"]
BEHIND = [
    b"\n",
    b"\n\n",
    b" \n",
    BOM,
    b">From a Tue Feb 11 10:00:00 2003\n",
    b"junk\n",
    b"X-IMAP: 1 2\n",
    b"\r\n",
    b"From \n",
]
Voice = Callable[[Path], set[bytes]]


def mutated(random: Random) -> bytes:
    """An mbox of which some separators, or what stands around them, were changed."""
    whole = b""
    for number, mail in enumerate(MAILS):
        line = random.choice([*FORMS.values(), FORMS["mutt"]])
        between, behind = (b"\n" if number else b""), b""
        for _ in range(random.choice([0, 1, 1, 2])):
            match random.randrange(5):
                case 0:
                    between = random.choice(BETWEEN)
                case 1:
                    behind = random.choice(BEHIND)
                case 2:
                    at = random.randrange(5, len(line) + 1)
                    line = line[:at] + bytes([random.randrange(256)]) + line[at + random.randrange(2) :]
                case 3:
                    at = random.randrange(5, len(line) + 1)
                    line = line[:at] + line[at + random.randrange(1, 12) :]
                case _:
                    line = line[: random.randrange(5, len(line) + 1)]
        text = mail if random.randrange(8) else mail.rstrip(b"\n")
        whole += between + line + random.choice([b"\n", b"\n", b"\n", b"\r\n"]) + behind + text
    return whole


def found_by_mailbox(path: Path) -> set[bytes]:
    """The ids that Python's standard library finds."""
    with closing(mailbox.mbox(path, create=False)) as box:
        return _ids([box.get_bytes(key) for key in box.keys()])  # noqa: SIM118 - its items are decoded


def found_by_git(path: Path) -> set[bytes]:
    """The ids that ``git mailsplit`` finds; none where it refuses the file."""
    folder = path.parent / "split"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["git", "mailsplit", "-b", "--keep-cr", f"-o{folder}", path], capture_output=True, check=False)
    return _ids(one.read_bytes() for one in folder.iterdir())


def _ids(mails: Iterable[bytes]) -> set[bytes]:
    found = (message_from_bytes(mail.removeprefix(BOM))["Message-ID"] for mail in mails)
    return {str(one).strip("<>").encode() for one in found if one}


def check(data: bytes, path: Path, voice: Voice) -> None:
    """Fails if the other program finds a message that is neither found here nor missed with a place."""
    path.write_bytes(data)
    notes: list[Note] = []
    records = list(read_mbox(Splitter(BytesIO(data)), "l", notes.append, make_record))
    lost = voice(path) - {record[2] for record in records}
    assert not lost or any(note.skipped and note.offset is not None for note in notes), (lost, data)


def run(tmp_path: Path, count: int, voice: Voice, seed: int) -> None:
    random = Random(seed)
    for _ in range(count):
        check(mutated(random), tmp_path / "l.mbox", voice)


def test_no_mail_that_mailbox_finds_is_lost_in_silence(tmp_path: Path) -> None:
    run(tmp_path, 500, found_by_mailbox, seed=1)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_no_mail_that_git_finds_is_lost_in_silence(tmp_path: Path) -> None:
    run(tmp_path, 20, found_by_git, seed=2)


@pytest.mark.slow
def test_no_mail_is_lost_in_silence_in_a_long_run(tmp_path: Path) -> None:
    count = int(os.environ.get("WEFT_MUTATIONS", "100000"))
    run(tmp_path, count, found_by_mailbox, seed=count)
    if shutil.which("git"):
        run(tmp_path, count // 50, found_by_git, seed=count + 1)


def test_the_messages_that_are_changed_are_found_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "l.mbox"
    path.write_bytes(DIALECTS["mutt"](MAILS))
    for voice in (found_by_mailbox, found_by_git) if shutil.which("git") else (found_by_mailbox,):
        assert voice(path) == {b"m0@x", b"m1@x", b"m2@x"}
