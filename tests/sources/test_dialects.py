"""The same messages are found in an mbox of every dialect, wherever it is cut; or it is said where one may be lost."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sources.dialects import DIALECTS, message, messages
from weft.sources.evidence import Evidence, make_evidence
from weft.sources.interface import Note, NoteLog, make_record
from weft.sources.mbox import MboxFile
from weft.sources.splitter import COVERED

BODY = 10
"""Where the digest of the body stands in `Evidence`."""
LOSSY = {"mboxo", "mboxcl2", "mboxcl2, CRLF", "NULs", "a line of white space"} | {
    name for name in DIALECTS if "no empty line" in name or "none before" in name
}
"""Bodies may differ: by an escape that is not undone, or by white space at their end."""


def scan(data: bytes, folder: str, parts: Sequence[int] = ()) -> tuple[list[Evidence], list[Note]]:
    """What an mbox says, read in parts that begin at 0 and at some more places; and all notes."""
    path = Path(folder) / "l.mbox"
    path.write_bytes(data)
    found: list[Evidence] = []
    notes: list[Note] = []
    for part in zip([0, *parts], [*parts, 1 << 62], strict=True):
        one = MboxFile(str(path), "l")
        one.part = part if parts else None
        found += one.scan(notes.append, make_evidence)
    return found, notes


def without_bodies(found: Sequence[Evidence]) -> list[tuple[object, ...]]:
    """What messages say but for their places and their bodies."""
    return [(*one[2:BODY], *one[BODY + 1 :]) for one in found]


def places(notes: Sequence[Note]) -> list[tuple[int, str, int]]:
    """The lines that are named; how many are named unasked depends on the parts."""
    return [(note.offset, note.reason, note.skipped) for note in notes if note.offset is not None]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=examples(12))
@given(mails=messages())
def test_every_dialect_gives_the_same_messages_or_says_where_one_may_be_lost(dialect: str, mails: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plain, notes = scan(DIALECTS["mboxrd"](mails), folder)
        assert [one[2] for one in plain] == [b"m%d@x" % number for number in range(len(mails))]
        assert notes == []
        found, notes = scan(DIALECTS[dialect](mails), folder)
    if not any(note.skipped and note.offset is not None for note in notes):
        assert without_bodies(found) == without_bodies(plain)
        if dialect not in LOSSY:
            assert [one[BODY] for one in found] == [one[BODY] for one in plain]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ordinary_mail_is_found_whole_in_every_dialect_without_a_complaint(dialect: str) -> None:
    body = [b"text", b"", b"From my side", b"it is well", b""]
    mails = [message(number, b"Received: x", number - 1 if number else None, body) for number in range(5)]
    with tempfile.TemporaryDirectory() as folder:
        plain, _ = scan(DIALECTS["mboxrd"](mails), folder)
        found, notes = scan(DIALECTS[dialect](mails), folder)
    assert without_bodies(found) == without_bodies(plain)
    assert [one[BODY] for one in found[:-1]] == [one[BODY] for one in plain[:-1]]
    assert [note for note in notes if not note.quiet] == []


@settings(max_examples=examples(25))
@given(dialect=st.sampled_from(sorted(DIALECTS)), mails=messages(3), other=st.sampled_from(sorted(DIALECTS)))
def test_wherever_a_file_is_cut_its_parts_have_the_same_messages_and_the_same_doubts(
    dialect: str, mails: list[bytes], other: str
) -> None:
    data = DIALECTS[dialect](mails) + DIALECTS[other](mails)
    with tempfile.TemporaryDirectory() as folder:
        whole, notes = scan(data, folder)
        if b"\nContent-Length:" not in data:  # there it is not cut at all
            for middle in range(3, len(data), 11):
                found, doubts = scan(data, folder, [middle])
                assert (found, places(doubts)) == (whole, places(notes))


@settings(max_examples=examples(25))
@given(dialect=st.sampled_from(["mboxcl2", "mboxcl", "CR", "mutt"]), mails=messages(3), cut=st.integers(1, 3000))
def test_a_file_is_cut_only_where_its_parts_have_the_same_messages(dialect: str, mails: list[bytes], cut: int) -> None:
    data = DIALECTS[dialect](mails * 4) + b"x" * COVERED + b"y" * 40_000 + b"\n\n" + DIALECTS[dialect](mails * 4)
    with tempfile.TemporaryDirectory() as folder:
        whole, notes = scan(data, folder)
        found: list[Evidence] = []
        doubts: list[Note] = []
        for part in MboxFile(str(Path(folder) / "l.mbox"), "l").parts(cut + 1000):
            found += part.scan(doubts.append, make_evidence)
    assert found == whole
    assert places(doubts) == places(notes)


INNER = b"From bob@example.org Tue Feb 11 10:00:00 2003\nMessage-ID: <inner@x>\nFrom: bob@example.org\n\ntext\n"


@pytest.mark.parametrize("size", [100, COVERED - 1000, COVERED + 1000])
def test_a_message_in_a_message_is_none_where_content_length_says_so(tmp_path: Path, size: int) -> None:
    body = b"see:\n\n" + INNER + b"-\n" * (size // 2)
    mails = [message(0, b"Foo: bar", None, [body]), message(1, b"Foo: bar", None, [b"text"])]
    found, notes = scan(DIALECTS["mboxcl2"](mails), str(tmp_path))
    inner = [b"inner@x"] if size > COVERED else []
    assert [one[2] for one in found] == [b"m0@x", *inner, b"m1@x"]
    assert [(note.doubt, note.skipped) for note in notes] == ([] if inner else [("passed", 0)])


@pytest.mark.parametrize("wrong", [-1, 1, 5, 10**6])
def test_a_content_length_that_is_wrong_hides_nothing(tmp_path: Path, wrong: int) -> None:
    mails = [message(number, b"Foo: bar", None, [b"text"]) for number in range(4)]
    data = DIALECTS["mboxcl2"](mails)
    data = data.replace(b"Content-Length: 5", b"Content-Length: %d" % max(0, 5 + wrong))
    assert [one[2] for one in scan(data, str(tmp_path))[0]] == [b"m0@x", b"m1@x", b"m2@x", b"m3@x"]


def test_a_sender_s_content_length_hides_no_mail_of_others(tmp_path: Path) -> None:
    """He may know how long the next message is; that one has no such field."""
    one, two, three = (DIALECTS["mutt"]([message(number, b"Foo: bar", None, [b"text"])]) for number in range(3))
    head, _, body = one.partition(b"\n\n")
    lie = head + b"\nContent-Length: %d\n\n" % (len(body) + len(two) - 1) + body
    found, _ = scan(lie + two + three, str(tmp_path))
    assert [record[2] for record in found] == [b"m0@x", b"m1@x", b"m2@x"]


@pytest.mark.parametrize("hidden", [1, 2])
def test_a_content_length_that_hides_whole_mails_of_others_is_named(tmp_path: Path, hidden: int) -> None:
    """They have right fields of their own, so that it ends exactly at a separator, or at the end of the file."""
    one, *others = (DIALECTS["mboxcl2"]([message(number, b"Foo: bar", None, [b"text"])]) for number in range(3))
    lie = one.replace(b"Content-Length: 5", b"Content-Length: %d" % (5 + sum(map(len, others[:hidden]))))
    found, notes = scan(lie + b"".join(others), str(tmp_path))
    assert [record[2] for record in found] == [b"m0@x", *[b"m2@x"][hidden - 1 :]]
    places = [len(lie), len(lie + others[0])][:hidden]
    assert [(note.offset, note.skipped) for note in notes] == [(place, 1) for place in places]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_fetched_is_what_was_read(tmp_path: Path, dialect: str) -> None:
    mails = [message(number, b"Subject: s", None, [b"text", b"From here", b""]) for number in range(3)]
    path = tmp_path / "l.mbox"
    path.write_bytes(DIALECTS[dialect](mails))
    source = MboxFile(str(path), "l")
    for record in source.scan(NoteLog(), make_record):
        fetched = source.fetch(*record[:2]).replace(b"\r\n", b"\n")
        assert fetched.startswith(b"Subject: s\nFrom: Ann <ann@example.org>\nMessage-ID: <%s>\n" % record[2])
        assert b"\n\ntext\n" in fetched
        assert len(source.fetch(*record[:2])) == record[1]
