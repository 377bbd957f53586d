"""What a file is, its first bytes say."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.sources.forms import HEAD, Foreign, Form, form_of

HEADER = b"From: ann@example.org\nDate: Tue, 11 Feb 2003 10:00:00 +0000\nSubject: S\n\ntext\n"


def tar_of(name: str = "a.eml") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(HEADER)
        archive.addfile(info, io.BytesIO(HEADER))
    return file.getvalue()


def zip_of() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.eml", HEADER)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", Form.EMPTY),
        (b"From ann@example.org Tue Feb 11 10:00:00 2003\n" + HEADER, Form.MBOX),
        (b"\xef\xbb\xbfFrom ann@example.org Tue Feb 11 10:00:00 2003\n" + HEADER, Form.MBOX),
        (b"\n\nFrom - Tue Feb 11 10:00:00 2003\n" + HEADER, Form.MBOX),
        (b"some words\n\nFrom a@b Tue Feb 11 10:00:00 2003\n" + HEADER, Form.MBOX),
        ((b"From a@b Tue Feb 11 10:00:00 2003\n" + HEADER).replace(b"\n", b"\r"), Form.MBOX),
        (HEADER, Form.MESSAGE),
        (HEADER.replace(b"\n", b"\r\n"), Form.MESSAGE),
        (HEADER.replace(b"\n", b"\r"), Form.MESSAGE),
        (b"\xef\xbb\xbf" + HEADER, Form.MESSAGE),
        (b"Path: news!not-for-mail\nNewsgroups: comp.lang.foo\n\ntext\n", Form.MESSAGE),
        (b"%d      \n" % len(HEADER) + HEADER + b"<?xml version", Form.MESSAGE),
        (b"\1\1\1\1\n" + HEADER + b"\1\1\1\1\n", Form.MMDF),
        (b"BABYL OPTIONS: -*- rmail -*-\nVersion: 5\n\x1f", Form.BABYL),
        (b"=" * 73 + b"\n" + HEADER, Form.LISTSERV),
        (tar_of(), Form.TAR),
        (zip_of(), Form.ZIP),
        (b"just words\n", None),
        (b"Note: one field that no mail has\nis not enough\n", None),
        (b"key: value\nother: value\n", None),
        (b"\x7fELF\x02\x01\0\0", None),
    ],
)
def test_forms_of_mail_are_told_by_their_first_bytes(data: bytes, form: Form | None) -> None:
    assert form_of(data[:HEAD]) is form


@pytest.mark.parametrize(
    ("data", "what", "tool"),
    [
        (b"!BDN\0\0\0\0", ".pst", "readpst"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), ".msg", "msgconvert"),
        (b"\xcf\xad\x12\xfe\xc5\xfd\x74\x6f", ".dbx", "readdbx"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z", "7z x"),
        (b"\x04\x22\x4d\x18\x64\x40", "lz4", "lz4 -d"),
        (b"\x1f\x9d\x90", ".Z", "uncompress"),
        (b"LZIP\1\x0c", "lzip", "lzip -d"),
        (b"#! rnews 1234\nPath: x\n", "rnews", "rnews"),
        (b"Rar!\x1a\x07\1\0", "RAR", "unar"),
        (b"*mbx*\r\n0000", "MBX", "mailutil"),
        (b"\xff\xfe" + "From a".encode("utf-16-le"), "UTF-16", "iconv"),
        (b"\xfe\xff" + "From a".encode("utf-16-be"), "UTF-16", "iconv"),
        ("From: ann@example.org\n".encode("utf-16-le"), "UTF-16LE", "iconv"),
        ("From ann@example.org\n".encode("utf-16-be"), "UTF-16BE", "iconv"),
        (b"\xff\xfe\0\0" + "From".encode("utf-32-le"), "UTF-32", "iconv"),
    ],
)
def test_what_is_not_read_is_named_with_the_tool_that_helps(data: bytes, what: str, tool: str) -> None:
    found = form_of(data)
    assert isinstance(found, Foreign)
    assert what in found.what
    assert tool in str(found)
    assert "\n" not in str(found)
    assert not found.companion


@pytest.mark.parametrize(
    "data",
    [b"SQLite format 3\0", b"// <!-- <mdb:mork:z v=", b"<!DOCTYPE html>\n", b"\n<html><head>", b"\x89PNG\r\n\x1a\n"],
)
def test_what_lies_beside_mail_is_no_mail(data: bytes) -> None:
    found = form_of(data)
    assert isinstance(found, Foreign)
    assert found.companion


def test_one_field_is_enough_where_the_user_says_that_it_is_mail() -> None:
    assert form_of(b"X-Odd: 1\n\nbody\n") is None
    assert form_of(b"X-Odd: 1\n\nbody\n", asked=True) is Form.MESSAGE


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_have_an_answer(data: bytes, asked: bool) -> None:
    form_of(data, asked=asked)
