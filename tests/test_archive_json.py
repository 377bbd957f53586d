"""JSON that is made of an archive's columns is that which is made of its threads."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import weft
from weft.render.json import ITEMS, LINES, encode_thread

DATES = (
    "Thu, 6 Feb 2003 11:00:00 +0100", "Thu, 6 Feb 2003 10:00:00 +0000", "Thu, 6 Feb 2003 10:00:00 -0000",
    "Fri, 7 Feb 2003 11:00:00 -0730", "Thu, 1 Jan 1970 00:00:00 +0000", "Fri, 2 Jan 1970 23:00:00 +1400",
    "Sun, 4 Jan 1970 00:00:00 +0000", "Wed, 31 Dec 1969 23:00:00 +0000", "Fri, 1 Jan 2038 00:00:00 +0000",
    "yesterday", "", None,
)  # fmt: skip
SUBJECTS = ("a", "Re: a", "[l] Re: a", "", 'a "quoted" \\ one', "=?utf-8?q?=C3=A4?=", "gr\xfc\xdfe", "\x07 \x7f", None)
AUTHORS = ("Ann <ann@x.example>", "=?iso-8859-1?q?J=F6rg?= <j@x.example>", "J\xf6rg <j@x.example>", "", None)
IDS = ("a@x", "b@x", "c@x", "d@x", "e@x", "\xe4@x", 'q"@x', "\\@x", "f@x", "g@x")
OTHERS = ("To: b@x\n", "X-Original-Message-ID: <h@x>\n", "Content-Type: text/plain; charset=iso-8859-1\n", "", "", "")


MARKS = (
    "contested", "ghost", "rivals", "cut", "joined", "stated_date", "rival_replies", "aliases", "guessed", "ahead",
)  # fmt: skip


def a_mail(random: Random) -> bytes:
    """One of few ids, with whatever may be said of a message."""
    choose = random.choice
    fields = [f"Message-ID: <{choose(IDS)}>\n"]
    for name, values in (("Date", DATES), ("Subject", SUBJECTS), ("From", AUTHORS)):
        # The first are what nearly all mail has.
        value = values[0] if random.random() < 0.6 else choose(values)
        fields += [f"{name}: {value}\n"] if value is not None else []
    if random.random() < 0.6:
        fields.append(f"In-Reply-To: <{choose(IDS)}>\n")
    if random.random() < 0.5:
        fields.append("References: " + " ".join(f"<{choose(IDS)}>" for _ in range(random.randint(1, 4))) + "\n")
    fields.append(choose(OTHERS))
    year = choose(("1970", "2003", "2003", "2004"))
    return f"From x Thu Jan  1 00:00:00 {year}\n{''.join(fields)}\n{choose(('one', 'two'))}\n\n".encode("latin-1")


def test_the_columns_and_the_threads_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.archive._BLOCK", 2)
    seen: set[str] = set()
    for seed in range(150):
        random = Random(seed)
        paths = {name: tmp_path / f"{name}.mbox" for name in ("l", "m", "a \xe9 list")}
        for path in paths.values():
            path.write_bytes(b"".join(a_mail(random) for _ in range(random.randint(1, 9))))
        archive = weft.rebuild(
            dict(paths), join_subjects=seed % 3 == 1, prune_ghosts=seed % 5 == 1, join_aliases=seed % 7 != 1
        )
        for hidden in (True, False):
            threads = [encode_thread(thread).encode() for thread in archive.threads(hidden=hidden)]
            blocks = archive.json_blocks(LINES, hidden=hidden, processes=1)
            assert b"".join(block + b"\n" for block in blocks) == b"".join(thread + b"\n" for thread in threads)
        seen |= {name for thread in archive.threads() for name in remarks(thread)}
    assert seen == {*MARKS, "several copies", "several variants", "before 1970", "no date"}


def remarks(thread: weft.Thread) -> set[str]:
    """What there is to say of some messages of a thread."""
    found = {name for message in thread.messages for name in MARKS if getattr(message, name)}
    for message in thread.messages:
        found |= {"several copies"} if len(message.copies) > 1 else set()
        found |= {"several variants"} if message.variants > 1 else set()
        found |= {"before 1970"} if message.date is not None and message.date < "1970" else set()
        found |= {"no date"} if message.date is None and not message.ghost else set()
    return found


def test_an_array_has_other_separators_than_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "l.mbox").write_bytes(b"".join(a_mail(Random(seed)) for seed in range(9)))
    archive = weft.rebuild({"l": tmp_path / "l.mbox"})
    threads = [encode_thread(thread) for thread in archive.threads()]
    assert b"".join(archive.json_blocks(ITEMS)).decode() == ITEMS.join(threads)


def test_texts_that_are_let_go_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.archive_json._MEMO", 1)
    monkeypatch.setattr("weft.archive._MEMO", 1)
    (tmp_path / "l.mbox").write_bytes(b"".join(a_mail(Random(seed)) for seed in range(40)))
    archive = weft.rebuild({"l": tmp_path / "l.mbox"})
    threads = [encode_thread(thread) for thread in archive.threads()]
    assert b"".join(archive.json_blocks(LINES)).decode() == "\n".join(threads)
