"""Charsets by the labels that mail gives them, and what is none."""

from __future__ import annotations

import encodings.aliases

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webencodings.labels import LABELS

from tests.examples import examples
from weft.core.charset import _ONLY_IN_MAIL, decode_charset

KNOWN = [
    ("gb2312", b"\xe9F \xa2\xe3", "镕 €"),  # GBK and GB 18030
    ("GB_2312-80", b"\xe9F", "镕"),
    ("ks_c_5601-1987", b"\x8cc\xb0\xa1", "똠가"),  # Windows-949
    ("cp949", b"\x8cc", "똠"),
    ("shift_jis", b"\x87@\x87\x8a\xed\x40\x81\x60", "①㈱纊～"),  # noqa: RUF001  # Windows-31J
    ("euc-jp", b"\xad\xa1\xb2\xf1\x8e\xb1\x8f\xb0\xa1a", "①会ｱ丂a"),
    ("iso-2022-jp", b"\x1b$B-!2q5D\x1b(Bx", "①会議x"),
    ("iso-2022-jp", b"\x1b(I123\x1b(B \xb1\xb2", "ｱｲｳ ｱｲ"),
    ("iso-2022-jp", b"\x0e123\x0fx", "ｱｲｳx"),
    ("iso-2022-jp", b"\x1b(J\\~\x1b(B\\~", "¥‾\\~"),
    ("ISO-2022-JP-MS", b"\x1b$B2q5D\x1b(B", "会議"),
    ("cp50221", b"\x1b$@2q\x1b(B", "会"),
    ("iso-2022-jp-2", b"\x1b$A;aRi\x1b(B", "会议"),
    ("iso-2022-kr", b"\x1b$)C\x0e0!\x0f", "가"),
    ("hz-gb-2312", b"~{;aRi~}", "会议"),
    ("big5", b"\xb7|\xc4\xb3\xa3\xe1", "會議€"),
    ("big5-hkscs", b"\x87\x40", "䏰"),
    ("iso-8859-1", b"it\x92s \x93so\x94", "it’s “so”"),  # noqa: RUF001
    ("latin1", b"\x80\x81", "€\x81"),
    ("iso-8859-15", b"\xa4", "€"),
    ("Latin-9", b"\xa4", "€"),
    ("gb18030-2000", b"\xe9F", "镕"),
    ("euc-cn", b"\xe9F", "镕"),
    ("x-mac-ce", b"\x8e", "é"),
    ("hp-roman8", b"\xc5", "é"),
    ("koi8r", b"\xf0", "П"),
    ("johab", b"\x88a", "가"),
    ("ISO8859_2", b"\xb1", "ą"),
    ("cp-1251", b"\xcf", "П"),
    ("win1251", b"\xcf", "П"),
    ("koi8-r", b"\xf0", "П"),
    ("cp850", b"\x82", "é"),
    ("windows-874", b"\xc0", "ภ"),
    ("tis-620", b"\xc0", "ภ"),
    ("iso-8859-8-i", b"\xf9", "ש"),
    ("macintosh", b"\x8e", "é"),
    ("utf-8", b"\xef\xbb\xbf\xc3\xa9\xff", "é\ufffd"),
    ("utf8*en", b"\xc3\xa9", "é"),
    ('"utf-8"', b"\xc3\xa9", "é"),
    ("utf-7", b"Hi +AOQ-+2AA-", "Hi ä\ufffd"),
    ("unicode-1-1-utf-7", b"+AOQ-", "ä"),
    ("utf-16", b"\xff\xfea\0", "a"),
]


@pytest.mark.parametrize(("label", "raw", "text"), KNOWN)
def test_labels_mean_what_they_mean_in_use(label: str, raw: bytes, text: str) -> None:
    assert decode_charset(raw, label) == text


CODECS = sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "idna", "punycode", "unicode_escape"})
NO_CHARSETS = {"rot13", "rot_13", "hex", "hex_codec", "base64", "base64_codec", "bz2", "zlib", "zip", "uu", "quopri",
               "punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs"}  # fmt: skip


@pytest.mark.parametrize("label", sorted(NO_CHARSETS | {"", "x-user-defined", "replacement", "*", "no-such", "x" * 99}))
def test_what_is_no_charset_is_unknown(label: str) -> None:
    assert decode_charset(b"abc", label) is None


def test_no_codec_of_python_is_reached_that_is_not_in_one_of_the_two_tables() -> None:
    known = {label for label in CODECS if decode_charset(b"abc", label) is not None}
    plain = {label.replace("_", "").replace("-", "") for label in (*LABELS, *_ONLY_IN_MAIL)}
    plain |= {f"{kind}{page}" for kind in ("windows", "cp", "win", "ms") for page in range(1250, 1259)}
    assert {label for label in known if label.replace("_", "").replace("-", "") not in plain} == set()


@pytest.mark.parametrize("label", sorted({*LABELS, *_ONLY_IN_MAIL}))
@given(raw=st.binary(max_size=40))
@settings(max_examples=examples(5), deadline=None)
def test_no_bytes_raise_in_any_charset_and_what_comes_out_is_text(label: str, raw: bytes) -> None:
    text = decode_charset(raw, label)
    assert text is None or text.encode().decode() == text


escapes = [b"\x1b(B", b"\x1b(J", b"\x1b(I", b"\x1b$B", b"\x1b$@", b"\x1b$A", b"\x1b$(C", b"\x1b$(D", b"\x1b$(O",
           b"\x1b",           b"\x0e", b"\x0f", b"\x24\x22", b"\x7e\x7e", b"a", b"\xb1", b"\xff"]  # fmt: skip


@given(st.lists(st.sampled_from(escapes), max_size=30).map(b"".join))
@settings(max_examples=examples(300), deadline=None)
def test_no_escapes_raise(raw: bytes) -> None:
    text = decode_charset(raw, "iso-2022-jp")
    assert text is not None
    assert text.encode().decode() == text


japanese = st.characters(codec="euc_jp", categories=["Lo"]) | st.sampled_from("abc 、。ー（）")  # noqa: RUF001


@given(st.text(japanese, max_size=20))
@settings(max_examples=examples(200), deadline=None)
def test_what_python_writes_in_the_narrow_charsets_of_japan_is_read(text: str) -> None:
    for codec, label in (("iso2022_jp", "iso-2022-jp"), ("euc_jp", "euc-jp"), ("iso2022_jp_1", "iso-2022-jp-1")):
        raw = text.encode(codec, "ignore")
        assert decode_charset(raw, label) == raw.decode(codec)
