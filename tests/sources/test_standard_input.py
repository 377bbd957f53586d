"""Mail on standard input: every form that needs no place, read once and fetched again; others by their names."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace

import pytest

from tests.sources.test_containers import tar_of, zip_of, zstd
from tests.sources.test_delimited import written
from tests.sources.test_what_is_read import MESSAGE
from weft.sources.forms import Form
from weft.sources.interface import NoteLog
from weft.sources.standard_input import StandardInput

OTHER = MESSAGE.replace(b"<a@", b"<b@")
FROM = b"From ann@example.org Tue Feb 11 10:00:00 2003\n"
LARGE = MESSAGE + b"text and more text\n" * 10_000
Pack = Callable[[bytes], bytes]


def given(data: bytes, monkeypatch: pytest.MonkeyPatch, *, keep: bool = True) -> StandardInput:
    """The source where standard input has these bytes."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(data)))
    source = StandardInput("l")
    source.keep = keep
    return source


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
@pytest.mark.parametrize(
    ("data", "form", "ids"),
    [
        (FROM + MESSAGE + b"\n" + FROM + OTHER, "mbox", ["a", "b"]),
        ((FROM + MESSAGE + b"\n" + FROM + OTHER).replace(b"\n", b"\r"), "mbox", ["a", "b"]),
        (FROM + LARGE + b"\n" + FROM + OTHER, "mbox", ["a", "b"]),
        (MESSAGE, "message", ["a"]),
        (b"\xef\xbb\xbf" + MESSAGE, "message", ["a"]),
        (LARGE, "message", ["a"]),
        (written(Form.MMDF, [MESSAGE, OTHER]), "MMDF", ["a", "b"]),
        (written(Form.BABYL, [MESSAGE, OTHER]), "Babyl", ["a", "b"]),
        (written(Form.LISTSERV, [MESSAGE, OTHER]), "LISTSERV log", ["a", "b"]),
    ],
    ids=["mbox", "CR", "large mbox", "message", "BOM", "large message", "MMDF", "Babyl", "LISTSERV"],
)
def test_mail_is_read_and_fetched(
    data: bytes, form: str, ids: list[str], pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, log = given(pack(data), monkeypatch), NoteLog()
    records = list(source.records(log))
    assert [record[2].decode() for record in records] == [f"{one}@example.org" for one in ids]
    assert (log.entries, source.form) == ([], form)
    for record in records:
        assert b"Message-ID: <" + record[2] + b">" in source.fetch(record[0], record[1])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tar_of({"a.eml": MESSAGE}), "a tar, which is not read from here; give it as a file"),
        (gzip.compress(tar_of({"a.eml": MESSAGE})), "a tar, which is not read from here; give it as a file"),
        (zip_of({"a.eml": MESSAGE}), "a zip, which is not read from here; give it as a file"),
        (b"!BDN....", "an Outlook folder file (.pst, .ost), which Weft does not read; convert it: readpst -r"),
        (MESSAGE.decode().encode("utf-16"), "text in UTF-16, which Weft does not read; convert it: iconv"),
        (gzip.compress(MESSAGE * 99)[:40], "truncated gzip"),
        (b"Dear diary,\n", "not an mbox: no line 'From ' with a header field below it"),
    ],
    ids=["tar", "tar.gz", "zip", "pst", "UTF-16", "cut short", "prose"],
)
def test_what_is_not_read_is_named(data: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, log = given(data, monkeypatch), NoteLog()
    list(source.records(log))
    [note] = log.entries
    assert note.path == "standard input"
    assert note.reason.startswith(said)
    assert log.skipped == 1


def test_nothing_is_no_fault_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    source, log = given(b"", monkeypatch), NoteLog()
    assert list(source.records(log)) == []
    assert [str(note) for note in log.entries] == ["standard input: empty file, no messages"]
    assert log.skipped == 0
