"""Encoded words as RFC 2047 has them, and as mailers write them."""

from __future__ import annotations

import itertools
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.encoded_word import decode_words
from weft.core.subject import decode_text

READ = [
    (b"=?iso-2022-jp?b?GyRCMnE=?= =?iso-2022-jp?b?NUQbKEI=?=", "会議"),
    (b"=?iso-2022-jp?b?GyRCMnEbKEI=?= =?iso-2022-jp?q?5D?=", "会5D"),
    (b"=?utf-8?q?caf=C3=A9?= au =?iso-8859-1?B?bGFpdA==?=", "café au lait"),
    (b"=?utf-8?q?a?= \t =?utf-8?q?b?=", "ab"),
    (b"=?utf-8?q?a?= =?iso-8859-1?q?b?=", "ab"),
    (b"x =?utf-8?q?a?= x =?utf-8?q?b?= x", "x a x b x"),
    (b"Re:=?utf-8?q?a?=x", "Re:ax"),
    (b'"=?utf-8?q?caf=c3=a9?="', '"café"'),
    (b"(=?utf-8?q?caf=c3=a9?=)", "(café)"),
    (b"=?utf-8?Q?Who=3F_You?_=C3=A9?=", "Who? You? é"),
    (b"=?utf-8?Q?What?=20now=3F?=", "What? now?"),
    (b"=?utf-8?Q?caf=c3=a9?=de la rue", "caféde la rue"),
    (b"=?utf-8?Q?are you there? [ask]?=", "are you there? [ask]"),
    (b"=?utf-8?Q?=?=", "="),
    (b"=?utf-8?Q?100=_=zz=4?=", "100= =zz=4"),
    (b"=?utf-8?Q?caf\xc3\xa9?=", "café"),
    (b"=?utf-8?B?YWJjZ?= =?utf-8?Q?caf=c3=a9?=", "=?utf-8?B?YWJjZ?= café"),
    (b"=?utf-8?B?Y*J?= =?utf-8?Q?caf=c3=a9?= =?utf-8?B?Y?=", "=?utf-8?B?Y*J?= café =?utf-8?B?Y?="),
    (b"=?utf-8?B?Y2Fmw6k?=", "café"),
    (b"=?utf-8?B?Y2Fm w6k=?=", "café"),
    (b"=?utf-8?B?Y2Fmw6k===?=", "café"),
    (b"=?utf-8?B?Y2Fm?= =?utf-8?B?w6k=?=", "café"),
    (b"=?utf-8?B?Y2Fmww==qQ==?=", "café"),
    (b"=?utf-8?B??=", ""),
    (b"=?utf-8?Q??=", ""),
    (b"=?utf-8?Q??= =?utf-8?Q?a?=", "a"),
    (b"a =?utf-8?Q??= b", "a  b"),
    (b"=?utf-8?q?=c3?= =?utf-8?b?qQ==?=", "é"),
    (b"=?utf-8?b?44E=?= =?UTF-8*ja?q?=82?=", "あ"),
    (b"=?gb2312?B?1uzpRg==?= =?gb2312?B?u/k=?=", "朱镕基"),
    (b"=?shift_jis?B?j4M=?= =?shift_jis?B?gQ==?= =?shift_jis?B?Wg==?=", "純〇"),
    (b"=?iso-2022-jp?B?GyRCMnE=?= =?iso-2022-jp?B?GyRCNUQbKEI=?=", "会議"),
    (b"=?no-such-charset?q?caf=c3=a9?=", "café"),
    (b"=?no-such-charset?q?caf=e9?=", "café"),
    (b"=?rot13?q?nop?=", "nop"),
    (b"=?us-ascii?q?caf=c3=a9?=", "café"),
    (b"=?utf-8?q?half", "=?utf-8?q?half"),
    (b"=?utf-8?q?half =?utf-8?q?whole?=", "=?utf-8?q?half whole"),
    (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
    (b"=??q?a?=", "=??q?a?="),
    (b"caf\xc3\xa9 =?utf-8?q?a?=", "café a"),
    (b"caf\xe9 \x93so\x94", "café “so”"),
    (b"\x1b$B2q5D\x1b(B", "会議"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "text"), READ)
def test_words_are_decoded_one_by_one(raw: bytes, text: str) -> None:
    assert decode_text(raw) == text


CHARSETS = ["utf-8", "koi8-r", "gb18030", "shift_jis", "iso-2022-jp", "euc-kr", "big5", "utf-7", "windows-1252"]


@given(
    st.text(st.characters(exclude_categories=["C"]), max_size=30),
    st.sampled_from(CHARSETS),
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=3),
)
@settings(max_examples=examples(300), deadline=None)
def test_text_that_is_split_between_words_loses_nothing(text: str, charset: str, cuts: list[tuple[int, bool]]) -> None:
    raw = text.encode(charset, "ignore")
    places = [0, *sorted(min(place, len(raw)) for place, _ in cuts), len(raw)]
    pieces = [raw[start:end] for start, end in itertools.pairwise(places)]
    forms = [base64 for _, base64 in cuts] + [True]
    value = " ".join(_word(charset, *one) for one in zip(pieces, forms, strict=True))
    whole = decode_words(_word(charset, raw, True).encode())
    assert decode_words(value.encode()).count("\ufffd") <= whole.count("\ufffd")
    if charset in {"utf-8", "koi8-r", "gb18030"}:
        assert decode_words(value.encode()) == whole == raw.decode(charset)


def _word(charset: str, raw: bytes, base64: bool) -> str:
    encoded = b64encode(raw).decode() if base64 else "".join(f"={byte:02X}" for byte in raw)
    return f"=?{charset}?{'B' if base64 else 'Q'}?{encoded}?="


parts = st.lists(
    st.sampled_from([b"=?", b"utf-8", b"?b?", b"?q?", b"?=", b"A", b"=", b"=3D", b"?", b" ", b"\xff", b"\x1b$B", b'"']),
    max_size=30,
).map(b"".join)


@given(st.one_of(st.binary(max_size=100), parts))
@settings(max_examples=examples(1000), deadline=None)
def test_no_bytes_raise(raw: bytes) -> None:
    decode_text(raw).encode()


@pytest.mark.parametrize(
    "piece", [b"=?", b"=?a?q?", b"=?a?q?x?=41 ", b"=?a?b?", b"?=", b"=?a?q??= ", b"=?utf-8?b?gg==?= ", b"=", b"?"]
)
def test_hostile_values_cost_linear_time(piece: bytes) -> None:
    assert decode_words(piece * (100_000 // len(piece))) is not None
