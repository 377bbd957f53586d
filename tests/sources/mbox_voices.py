"""Separators that were changed at random: what other programs find is found, or it is said where it may be lost.

Each program reads one file with the messages of many changed mboxes, so that a start of it costs little.  The long run,
with a line for each part of it: ``python -m tests.sources.mbox_voices 1000000``, and a number behind it for a seed.
"""

from __future__ import annotations

import mailbox
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable
from contextlib import closing
from email import message_from_bytes
from io import BytesIO
from pathlib import Path
from random import Random
from time import monotonic
from typing import NamedTuple

from tests.sources.dialects import BOM, COMMIT, FORMS, STRICT, message
from weft.sources.interface import Note, make_record
from weft.sources.mbox import read_mbox
from weft.sources.separators import is_mboxrd
from weft.sources.splitter import Splitter

BODY = [b"text", b"", b"From my side", b"Note: one", b"> From the quoted", b">From the escaped", b""]
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
FRONTS = [
    STRICT + b"\nMessage-ID: <front@x>\n\n\n",
    FORMS["mboxrd"] + b"\nMessage-ID: <front@x>\n\n\n",
    b"From " + COMMIT + b" Mon Sep 17 00:00:00 2001\nMessage-ID: <front@x>\n\n\n",
    b"",
]
"""First messages: they say what wrote the file."""
AT_ONCE = 20_000
"""So many mboxes of three messages are read at once, at most."""
STEP = 120_000
"""After so many a long run says how far it is."""
Voice = Callable[[Path], set[bytes]]


class Changed(NamedTuple):
    """An mbox, and where each of its messages begins, with all that stands between it and the one before."""

    data: bytes
    starts: list[int]


def changed_message(random: Random, number: int, parent: int | None, between: bytes, *, mboxrd: bool) -> bytes:
    """A message of an mbox whose separator, or what stands around it, may be changed.

    ``mboxrd``: the file says that it was written so; a line ``From :`` is then a header field by what it says.
    """
    line, behind = random.choice([*FORMS.values(), FORMS["mutt"]]), b""
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
    if mboxrd and line.startswith(b"From :"):
        line = b"From "
    mail = message(number, b"Received: from a", parent, BODY)
    text = mail if random.randrange(8) else mail.rstrip(b"\n")
    return between + line + random.choice([b"\n", b"\n", b"\n", b"\r\n"]) + behind + text


def changed(random: Random, mboxes: int, front: bytes) -> Changed:
    """Mboxes of three messages, one behind the other."""
    pieces, starts, place = [front], [], len(front)
    for first in range(0, 3 * mboxes, 3):
        for number in range(first, first + 3):
            starts.append(place)
            between = b"\n" if number > first else b""
            parent = number - 1 if number > first else None
            pieces.append(changed_message(random, number, parent, between, mboxrd=is_mboxrd(front)))
            place += len(pieces[-1])
    return Changed(b"".join(pieces), starts)


def found_by_mailbox(path: Path) -> set[bytes]:
    """The ids that Python's standard library finds."""
    with closing(mailbox.mbox(path, create=False)) as box:
        return _ids(box.get_bytes(key) for key in box.keys())  # noqa: SIM118 - its items are decoded


def found_by_git(path: Path) -> set[bytes]:
    """The ids that ``git mailsplit`` finds; none where it refuses the file."""
    folder = path.parent / "split"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["git", "mailsplit", "-b", "--keep-cr", f"-o{folder}", path], capture_output=True, check=False)
    return _ids(one.read_bytes() for one in folder.iterdir())


def found_by_mutt(path: Path) -> set[bytes]:
    """The ids that mutt finds; it must know the first line, or it finds none."""
    settings, found = path.parent / "muttrc", path.parent / "found"
    found.unlink(missing_ok=True)
    keys = f"<tag-pattern>.<enter><tag-prefix><pipe-message>cat >{found}<enter><exit>"
    settings.write_text(f"{MUTT_SETTINGS}set folder={path.parent}\npush '{keys}'\n")
    _on_a_terminal(["mutt", "-n", "-F", str(settings), "-R", "-f", str(path)], path.parent)
    return _ids(found.read_bytes().split(BETWEEN_PIPED + b"\n"))


BETWEEN_PIPED = b"==== next message of mutt ===="
MUTT_SETTINGS = f"""
set mbox_type=mbox pipe_decode=no pipe_split=no pipe_sep="{BETWEEN_PIPED.decode()}\\n" sort=mailbox-order wait_key=no
set quit=yes sleep_time=0 read_inc=0 beep=no mark_old=no check_new=no
"""


def _on_a_terminal(command: list[str], home: Path) -> None:
    ours, theirs = pty.openpty()
    until = monotonic() + 120
    environment = {**os.environ, "TERM": "xterm", "HOME": str(home), "LC_ALL": "C"}
    ran = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    try:
        while ran.poll() is None and monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                os.read(ours, 1 << 16)
    except OSError:  # it has closed its side
        ran.wait(10)
    finally:
        ran.kill()
        ran.wait()
        os.close(ours)
    assert ran.returncode == 0


def _ids(mails: Iterable[bytes]) -> set[bytes]:
    found = (message_from_bytes(mail.removeprefix(BOM).partition(b"\n\n")[0])["Message-ID"] for mail in mails)
    return {str(one).strip("<>").encode() for one in found if one}


def check(whole: Changed, path: Path, voice: Voice) -> None:
    """Fails if the other program finds a message that is neither found here, nor named at its place as missing."""
    path.write_bytes(whole.data)
    notes: list[Note] = []
    records = list(read_mbox(Splitter(BytesIO(whole.data)), "l", notes.append, make_record))
    lost = voice(path) - {record[2] for record in records}
    named = {_message_at(whole, note.offset) for note in notes if note.skipped and note.offset is not None}
    silent = {number for one in lost if (number := _number(one)) is not None and number not in named}
    for number in sorted(silent)[:1]:
        end = (*whole.starts, len(whole.data))[number + 1]
        start = whole.starts[max(0, number - 1)]
        near = [str(note) for note in notes if note.offset is not None and start <= note.offset < end]
        raise AssertionError((len(silent), number, whole.data[start:end], near))


def _message_at(whole: Changed, place: int) -> int:
    """The number of the message that begins at a place or before; -1 in front of the first."""
    return bisect_right(whole.starts, place) - 1


def _number(message_id: bytes) -> int | None:
    found = re.fullmatch(rb"m([0-9]+)@x", message_id)
    return int(found[1]) if found else None


def run(tmp_path: Path, count: int, voice: Voice, seed: int, fronts: list[bytes] = FRONTS) -> None:
    """Check so many separators."""
    random, turn = Random(seed), 0
    while count > 0:
        mboxes = min(AT_ONCE, 1 + count // 3 // len(fronts))
        check(changed(random, mboxes, fronts[turn % len(fronts)]), tmp_path / "l.mbox", voice)
        turn, count = turn + 1, count - 3 * mboxes


def run_alone(tmp_path: Path, count: int, seed: int) -> None:
    """Check so many, three in a file, where the first line may be one that was changed."""
    random = Random(seed)
    for _ in range(0, count, 3):
        check(changed(random, 1, b""), tmp_path / "l.mbox", found_by_mailbox)


def long_run(folder: Path, count: int, seed: int, say: Callable[[str], None] = print) -> None:
    """Check so many separators against mailbox and as many against mutt, a part of them against git, in steps.

    Fails as `check` does; a program that is not installed is left out.
    """
    parts: list[tuple[str, int, Callable[[int, int], None]]] = [
        ("mailbox", count, lambda size, number: run(folder, size, found_by_mailbox, number)),
        ("mailbox, three in a file", count // 20, lambda size, number: run_alone(folder, size, number)),
        ("git", count // 50, lambda size, number: run(folder, size, found_by_git, number)),
        ("mutt", count, lambda size, number: run(folder, size, found_by_mutt, number, FRONTS[:2])),
    ]
    for name, total, part in parts:
        program = name.partition(",")[0]
        if program != "mailbox" and not shutil.which(program):
            say(f"{name}: not installed")
            continue
        for done in range(0, total, STEP):
            seed += 1
            part(min(STEP, total - done), seed)
            say(f"{name}: {min(done + STEP, total)} of {total} separators, none lost in silence")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        long_run(Path(temporary), int(sys.argv[1]), int((*sys.argv, "0")[2]), lambda line: print(line, flush=True))
