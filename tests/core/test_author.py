"""From fields as text: whoever parses the text finds the addresses of the field, whatever their names encode."""

from __future__ import annotations

from email.utils import getaddresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.author import decode_author, parts

READ = [
    (b"Ann <ann@example.org>", "Ann <ann@example.org>"),
    (b"=?utf-8?q?J=C3=A9r=C3=B4me?= <j@example.org>", "Jérôme <j@example.org>"),
    (b"=?iso-8859-1?Q?M=FCller=2C_Jan?= <jan@example.org>", '"Müller, Jan" <jan@example.org>'),
    (b'=?utf-8?q?M=C3=BCller,_"Jan"?= <jan@example.org>', '"Müller, \\"Jan\\"" <jan@example.org>'),
    (b"=?utf-8?q?=22M=C3=BCller=2C_Jan=22?= <jan@example.org>", '"Müller, Jan" <jan@example.org>'),
    (b"=?utf-8?q?Boss_=3Cboss=40example=2Eorg=3E?= <a@example.org>", '"Boss <boss@example.org>" <a@example.org>'),
    (b"=?utf-8?q?Boss_=3Cboss=40example=2Eorg=3E?=", '"Boss <boss@example.org>"'),
    (b'"=?utf-8?q?M=C3=BCller=2C_=22Jan?=" <jan@example.org>', '"Müller, \\"Jan" <jan@example.org>'),
    (b"jan@example.org (=?utf-8?q?M=C3=BCller_=29_x?=)", "jan@example.org (Müller \\) x)"),
    (b"=?utf-8?q?a=2Cb?= <a@example.org>, =?utf-8?q?c?= <c@example.org>", '"a,b" <a@example.org>, c <c@example.org>'),
    (b"<=?utf-8?q?x?=@example.org>", "<=?utf-8?q?x?=@example.org>"),
    (b"J. =?utf-8?q?D=C3=B4e?= <j@example.org>", "J. Dôe <j@example.org>"),
    (b'half " =?utf-8?q?a=2Cb?= <j@example.org', 'half " "a,b" <j@example.org'),
]


@pytest.mark.parametrize(("raw", "text"), READ)
def test_addresses_are_parsed_before_words_are_decoded(raw: bytes, text: str) -> None:
    assert decode_author(raw) == text


names = st.text(st.sampled_from('ab é,;:<>@"()[]\\.你'), min_size=1, max_size=12)


def word(text: str) -> str:
    return "=?utf-8?Q?" + "".join(f"={byte:02X}" for byte in text.encode()) + "?="


@given(
    st.lists(
        st.tuples(names, st.booleans(), st.sampled_from(["{} <{}>", '"{}" <{}>', "{1} ({0})"])), min_size=1, max_size=4
    )
)
@settings(max_examples=examples(500), deadline=None)
def test_no_encoded_name_adds_hides_or_changes_an_address(people: list[tuple[str, bool, str]]) -> None:
    addresses = [f"p{number}@example.org" for number in range(len(people))]
    fields = [form.format(word(name), address) for address, (name, _, form) in zip(addresses, people, strict=True)]
    text = decode_author(", ".join(fields).encode())
    assert [address for _, address in getaddresses([text])] == addresses


@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(st.sampled_from(b'"|\\|(|)|<|>|,|=?utf-8?q?|?=|a| |@|=2C|\xff'.split(b"|")), max_size=20).map(
            b"".join
        ),
    )
)
@settings(max_examples=examples(1000), deadline=None)
def test_no_bytes_raise_and_the_parts_are_the_field(raw: bytes) -> None:
    decode_author(raw).encode()
    assert b"".join(part[0] for part in parts(raw)) == raw


@pytest.mark.parametrize("piece", [b"(", b'"', b"<", b"\\", b'"\\', b"=?a?q?", b"=?a?q?b?=", b"=?", b","])
def test_hostile_values_cost_linear_time(piece: bytes) -> None:
    decode_author(b"=?a?q?b?= " + piece * (100_000 // len(piece)))
