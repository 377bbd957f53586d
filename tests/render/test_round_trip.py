"""Mail that is exported as mboxrd and read again is the same: forest, digests and bytes, whatever is in it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import weft
from tests.examples import examples
from tests.index.factories import open_index
from weft.archive import Archive
from weft.render.json import encode_thread
from weft.render.mbox import FROM_LINE, without_blank_end, write_mboxrd

SEPARATOR = b"From x@y Thu Jan  1 00:00:00 1970"
LINES = st.sampled_from((
    b"From : Ann <ann@x.example>", b"From  : ann@x.example", b"From: ann@x.example", b"From ann", SEPARATOR,
    b">From ann", b">>From ann", b">" + SEPARATOR, b">From : ann@x.example", b"From : " + SEPARATOR[5:], b"from : me",
    b"Subject: s", b"Subject: From me", b" From me", b"References: <a@x> <b@x>", b"In-Reply-To: <b@x>", b"junk",
    b"Date: Mon, 1 Jan 2001 00:00:00 +0000", b"nul\x00: \x00", b"X: \xff\r", b"Message-ID: <c@x>", b"Message-ID:",
))  # fmt: skip
ENDS = st.sampled_from((b"\n", b"\n", b"\n", b"\r\n", b"\r"))
BODY_LINES = LINES | st.sampled_from((b"", b"", b"x", b"\r", b"\x00", b"From", FROM_LINE.rstrip(b"\n")))
FIRST = (b"Subject: first\n", b"From : first@x\n", b"Message-ID: <a@x>\n", b"X:\r\n", b"junk\nSubject: s\n", b"")


def lines(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(st.tuples(content, ENDS).map(b"".join), max_size=6).map(b"".join)


HOSTILE = st.builds(
    lambda first, header, blank, body, last: first + header + blank + body + last,
    st.sampled_from(FIRST),
    lines(LINES),
    st.sampled_from((b"\n", b"\r\n", b"")),
    lines(BODY_LINES),
    st.sampled_from((b"", b"no line end", b"lone CR\r", b"\r", b"\r\r\n", b"\n\n\r\n", b"\x00")),
)  # fmt: skip


def maildir(folder: Path, mails: Iterable[bytes]) -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number, mail in enumerate(mails):
        (folder / "cur" / f"{number:04}:2,S").write_bytes(mail)
    return folder


def exported(archive: Archive) -> bytes:
    file = BytesIO()
    write_mboxrd((one for thread in archive.threads() for one in archive.raw(thread)), file)
    return file.getvalue()


def unescaped(raw: bytes) -> bytes:
    return re.sub(rb"^>(>*From )", rb"\1", raw, flags=re.MULTILINE)


def plain_mail(archive: Archive) -> Iterator[bytes]:
    """The bytes of all messages, without what an mbox needs."""
    for thread in archive.threads():
        for raw, escaped in archive.raw(thread):
            yield unescaped(raw) if escaped else without_blank_end(raw)


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=4))
@example([b"X: \xff\r\r\nFrom : Ann <ann@x.example>\nMessage-ID: <a@x>\n\n"])
def test_what_is_read_again_is_the_same(mails: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = weft.rebuild({"l": maildir(folder / "mail", mails)}, processes=1)
        once = exported(archive)
        (folder / "again.mbox").write_bytes(once)
        again = weft.rebuild({"l": folder / "again.mbox"}, processes=1)
        assert not again.notes or not once
        assert [thread.digest for thread in again.threads()] == [thread.digest for thread in archive.threads()]
        assert again.summary.ids == archive.summary.ids
        if archive.summary.copies == archive.summary.ids:
            assert list(map(encode_thread, again.threads())) == list(map(encode_thread, archive.threads()))
            assert list(plain_mail(again)) == list(plain_mail(archive))
        assert exported(again) == once


@pytest.mark.parametrize(
    "mail",
    [
        b"Subject: s\nFrom : Ann <ann@x.example>\nDate: Mon, 1 Jan 2001 00:00:00 +0000\n\nb\n",
        b"Subject: s\nFrom: a@x\n\nabc\r",
        b"From : a@x\n\n",
        b"Subject: s\n>From : a@x\n\n>From : a@x",
    ],
)
def test_an_mbox_and_an_index_of_it_give_the_same_again(tmp_path: Path, mail: bytes) -> None:
    (tmp_path / "l.mbox").write_bytes(SEPARATOR + b"\n" + mail)
    archive = weft.rebuild({"l": tmp_path / "l.mbox"})
    [thread] = archive.threads()
    (tmp_path / "again.mbox").write_bytes(exported(archive))
    again = weft.rebuild({"l": tmp_path / "again.mbox"})
    assert list(map(encode_thread, again.threads())) == [encode_thread(thread)]
    with open_index(tmp_path) as index:
        index.ingest("l", tmp_path / "l.mbox")
        file = BytesIO()
        write_mboxrd(index.raw(index.thread(thread.root), pytest.fail), file)
    assert file.getvalue() == exported(archive)
