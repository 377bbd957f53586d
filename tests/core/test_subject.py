"""Base subjects by RFC 5256 section 2.1, and RFC 2047 words made readable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.header_value import MAX_SUBJECT
from weft.core.subject import base_subject, decode_text

BASES = [
    ("hello", "hello", False),
    ("Re: hello", "hello", True),
    ("RE : hello", "hello", True),
    ("re[2]: hello", "hello", True),
    ("Re [2] : hello", "hello", True),
    ("Fw: hello", "hello", True),
    ("Fwd: hello", "hello", True),
    ("hello (fwd)", "hello", True),
    ("hello (FWD)  (fwd) ", "hello", True),
    ("Re: Fwd: re: hello (fwd)", "hello", True),
    ("[drafts] hello", "hello", False),
    ("[drafts] Re: hello", "hello", True),
    ("Re: [drafts] hello", "hello", True),
    ("[a] [b] Re: [c] hello", "hello", True),
    ("[drafts]", "[drafts]", False),
    ("Re: [drafts]", "[drafts]", True),
    ("[a] [b]", "[b]", False),
    ("[Fwd: hello]", "hello", True),
    ("[fwd: [Fwd: Re: hello]]", "hello", True),
    ("Re: [fwd: [fwd: re: [fwd: babylon]]]", "babylon", True),
    ("[Fwd: hello] you", "you", False),
    ("[foo] Fwd: [bar] Re: fw: b (fWd) (fwd)", "b", True),
    ("b (a)", "b (a)", False),
    ("Ad: Re: Ad: Re: Ad: x", "Ad: Re: Ad: Re: Ad: x", False),
    ("AW: hello", "AW: hello", False),
    ("Regarding: hello", "Regarding: hello", False),
    ("  two   \t words ", "two words", False),
    ("Re:", "", True),
    ("(fwd)", "", True),
    ("", "", False),
    ("[[x] hello", "[[x] hello", False),
    ("Re: Hello", "Hello", True),
]


@pytest.mark.parametrize(("subject", "base", "reply"), BASES)
def test_the_base_subject_is_what_rfc5256_says(subject: str, base: str, reply: bool) -> None:
    assert base_subject(subject) == (base, reply)


TEXTS = [
    (b"plain", "plain"),
    (b"=?utf-8?q?caf=C3=A9?= au =?iso-8859-1?B?bGFpdA==?=", "café au lait"),
    (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
    (b"caf\xc3\xa9", "café"),
    (b"caf\xe9", "café"),
    (b"=?no-such-charset?q?a?=", "a"),
    (b"=?utf-8?q?half", "=?utf-8?q?half"),
]


@pytest.mark.parametrize(("raw", "text"), TEXTS)
def test_encoded_words_are_decoded_and_other_bytes_kept(raw: bytes, text: str) -> None:
    assert decode_text(raw) == text


parts = st.lists(
    st.sampled_from(["Re", "fwd", "fw", ":", "[", "]", "(fwd)", " ", "\t", "x", "[x]", "[fwd:", "é", "\udcff"]),
    max_size=20,
)


@given(st.one_of(st.text(max_size=60), parts.map("".join)))
@settings(max_examples=examples(1000), deadline=None)
def test_the_base_of_a_base_subject_is_itself_and_no_reply(subject: str) -> None:
    base, _ = base_subject(subject)
    assert base_subject(base) == (base, False)


@given(
    st.one_of(
        st.binary(max_size=100),
        st.lists(st.sampled_from([b"=?", b"utf-8", b"?b?", b"?q?", b"?=", b"A", b"=", b" ", b"\xff"])).map(b"".join),
    )
)
@settings(max_examples=examples(1000), deadline=None)
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(decode_text(raw), str)


@pytest.mark.parametrize("piece", ["Re: ", "[fwd: ", "(fwd)", "[", "re[", "fwd ", "Re [a] "])
def test_a_subject_as_long_as_the_cap_allows_is_read_whole(piece: str) -> None:
    subject = (piece * MAX_SUBJECT)[:MAX_SUBJECT] + "x"
    base, _ = base_subject(subject)
    assert base.endswith("x")
