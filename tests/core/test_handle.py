"""Handles of messages."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.core.handle import LEAST, LETTERS, HandleSet, handle_letters, handle_number, number_range, parse_handle

IDS = st.binary(min_size=1, max_size=8)


def test_it_is_the_message_id_hash_of_mailman_3() -> None:
    assert handle_letters(b"87myycy5eh.fsf@uwakimon.sk.tsukuba.ac.jp").upper() == "JJIGKPKB6CVDX6B2CUG4IHAJRIQIOUTP"


@given(IDS)
def test_the_number_is_in_the_range_of_the_letters_and_of_all_that_begin_so(data: bytes) -> None:
    letters = handle_letters(data)
    assert letters == b32encode(sha1(data).digest()).decode().lower()
    for size in range(1, LETTERS + 1):
        first, last = number_range(letters[:size])
        assert -(1 << 47) <= first <= handle_number(data) <= last < 1 << 47


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("~k3f7q", "k3f7q"),
        ("K3F7Q", "k3f7q"),
        ("~" + "a" * 32, "a" * 32),
        ("~" + "a" * 33, None),
        ("~k3f7", None),
        ("~k3f71", None),
        ("a@b.example", None),
        ("~~k3f7q", None),
        ("~k3f7q\n", None),
        ("", None),
    ],
)
def test_what_a_handle_looks_like(text: str, letters: str | None) -> None:
    assert parse_handle(text) == letters


@given(st.sets(IDS, min_size=1), st.data())
def test_a_handle_is_the_shortest_that_tells_an_id_from_the_others(ids: set[bytes], data: st.DataObject) -> None:
    every = HandleSet(sorted(ids))
    place = data.draw(st.integers(0, len(ids) - 1))
    one, handle = sorted(ids)[place], every.handle(place)
    assert every.ids(handle[1:]) == [one]
    assert len(handle) == 1 + LEAST or len(every.ids(handle[1:-1])) > 1


def alike(count: int) -> list[bytes]:
    """Ids with handles that begin alike, as somebody can make them."""
    found: dict[str, list[bytes]] = {}
    for number in range(200_000):
        same = found.setdefault(handle_letters(b"%d@x.example" % number)[:LEAST], [])
        same.append(b"%d@x.example" % number)
        if len(same) == count:
            return same
    raise AssertionError


def test_ids_that_begin_alike_are_told_apart_by_more_letters() -> None:
    one, other = alike(2)
    every = HandleSet([one, other, b"a@x"])
    assert every.handle(0) != every.handle(1)
    assert every.ids(handle_letters(one)[:LEAST]) == sorted([one, other])


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=200))
def test_letters_of_many_are_those_of_their_hashes(numbers: set[int]) -> None:
    ids = [b"%d@x.example" % number for number in sorted(numbers)]
    every = HandleSet(ids)
    for place, one in enumerate(ids):
        letters = every.handle(place)[1:]
        assert handle_letters(one).startswith(letters)
        assert every.ids(letters) == [one]


def test_ids_whose_numbers_are_equal_are_told_apart_by_later_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.core.handle.handle_number", lambda _: 0)
    ids = [b"a@x", b"b@x", *alike(2)]
    every = HandleSet(ids)
    assert [every.ids(every.handle(place)[1:]) for place in range(4)] == [[one] for one in ids]
