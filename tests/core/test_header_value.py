"""What a claim keeps of Subject and From: no half words, no half characters, no lost address, and its charset."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.author import decode_author
from weft.core.header import scan
from weft.core.header_value import MAX_AUTHOR, MAX_ENCODED_AUTHOR, MAX_ENCODED_SUBJECT, MAX_SUBJECT, cut
from weft.core.subject import decode_text


def kept(name: bytes, value: bytes, rest: bytes = b"") -> bytes:
    block = b"\n%s: %s\n%s" % (name, value, rest)
    fields = scan(block, 1, len(block))
    return fields.subject if name == b"Subject" else fields.author


def q_words(text: str, size: int = 8) -> bytes:
    pieces = (text[place : place + size].encode() for place in range(0, len(text), size))
    return b" ".join(b"=?utf-8?Q?%s?=" % b"".join(b"=%02X" % byte for byte in piece) for piece in pieces)


def test_a_long_encoded_name_keeps_all_its_letters_and_its_address() -> None:
    name = "Департамент информационных технологий и связи области"
    assert decode_author(kept(b"From", q_words(name) + b" <dit@example.org>")) == f"{name} <dit@example.org>"


@pytest.mark.parametrize(
    "name",
    [
        b"n" * 5000,
        q_words("я" * 2000),
        b'"%s"' % (b"n, " * 3000),
        "ё".encode() * 3000,
        b"=?utf-8?B?%s?=" % (b"0Y8w" * 2000),
    ],
)
def test_a_name_that_is_too_long_is_cut_and_its_address_stays(name: bytes) -> None:
    value = kept(b"From", name + b" <ann@example.org>")
    assert len(value) <= (MAX_ENCODED_AUTHOR if b"=?" in value else MAX_AUTHOR)
    text = decode_author(value)
    assert text.endswith(" <ann@example.org>")
    assert "\ufffd" not in text
    assert "=?" not in text


def test_of_many_authors_as_many_are_kept_as_fit() -> None:
    people = [b"Ann%03d <ann%03d@example.org>" % (number, number) for number in range(100)]
    value = kept(b"From", b", ".join(people))
    assert b", ".join(people[: value.count(b",") + 1]) == value
    assert MAX_AUTHOR - 40 < len(value) <= MAX_AUTHOR


def test_an_address_that_is_too_long_itself_is_cut_like_anything_else() -> None:
    assert len(kept(b"From", b"Ann <%s>" % (b"a" * 5000))) == MAX_AUTHOR
    assert len(kept(b"From", b"(" * 5000)) == MAX_AUTHOR
    assert len(kept(b"From", b"," * 5000)) <= MAX_AUTHOR


texts = st.text(st.sampled_from("aé你😀 "), min_size=1, max_size=120)


@given(texts, st.integers(1, 400), st.sampled_from(["raw", "q", "b"]))
@settings(max_examples=examples(300), deadline=None)
def test_what_is_cut_decodes_to_the_beginning_of_the_text(text: str, most: int, form: str) -> None:
    raw = text.encode()
    value = {"raw": raw, "q": q_words(text), "b": b"=?utf-8?B?%s?=" % b64encode(raw)}[form]
    shown = decode_text(cut(value, most))
    assert len(cut(value, most)) <= most
    assert text.startswith(shown)
    assert cut(cut(value, most), most) == cut(value, most)


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [("koi8-r", "koi8_r", "Привет, мир"), ("gb2312", "gb18030", "朱镕基 讲话"), ("Shift_JIS", "cp932", "表 ①"),
     ('"windows-1251"', "cp1251", "Привет (мир)"), ("big5", "cp950", "會議 功")],
)  # fmt: skip
def test_raw_bytes_are_read_in_the_charset_that_the_mail_states(charset: str, codec: str, text: str) -> None:
    rest = f"Content-Type: text/plain; format=flowed;\n\tcharset={charset}; x=y\n".encode()
    value = kept(b"Subject", b"Re: a " + text.encode(codec) + b" z", rest)
    assert value.isascii()
    assert decode_text(value) == f"Re: a {text} z"
    name = text.replace(",", "").replace("(", "").replace(")", "")
    sender = kept(b"From", name.encode(codec) + b" <ann@example.org>", rest)
    assert decode_author(sender) == f"{name} <ann@example.org>"
    assert (
        decode_author(kept(b"From", b'"%s" <ann@example.org>' % name.encode(codec), rest))
        == f'"{name}" <ann@example.org>'
    )


@pytest.mark.parametrize(
    ("rest", "text"),
    [(b"", "café"), (b"Content-Type: text/plain\n", "café"), (b"Content-Type: text/plain; charset=us-ascii\n", "café"),
     (b"Content-Type: text/plain; charset=utf-8\n", "café"), (b"X-Content-Type: a; charset=koi8-r\n", "café"),
     (b"Content-Type: text/plain; charset=no-such\n", "café")],
)  # fmt: skip
def test_without_a_charset_raw_bytes_are_windows_1252(rest: bytes, text: str) -> None:
    assert decode_text(kept(b"Subject", b"caf\xe9", rest)) == text


def test_utf_8_and_ascii_are_kept_whatever_the_mail_states() -> None:
    rest = b"Content-Type: text/plain; charset=koi8-r\n"
    for value in ("café".encode(), b"plain", b"=?koi8-r?q?=f0?=", b"=?utf-8?q?a?= \xe9"):
        assert kept(b"Subject", value, rest) == value


def test_hostile_values_are_kept_within_their_limits() -> None:
    rest = b"Content-Type: text/plain; charset=koi8-r\n"
    for piece in (b"=?", b"=?a?q?", b"\xff", b"\xff ", b"a\xff ", b'"', b"(", b"<", b"=?utf-8?b?gg==?= ", b"\x80"):
        value = piece * (200_000 // len(piece))
        assert len(kept(b"Subject", value, rest)) <= (
            MAX_ENCODED_SUBJECT if b"=?" in value or b"\xff" in value or b"\x80" in value else MAX_SUBJECT
        )
        assert len(kept(b"From", value, rest)) <= MAX_ENCODED_AUTHOR
