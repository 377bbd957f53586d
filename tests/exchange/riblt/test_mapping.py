"""The mapping: ascending, alike on every server, and as dense as the paper has it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, takewhile

import pytest

from tests.exchange.riblt.sets import KEY, OTHER_KEY, elements
from weft.exchange.riblt.mapping import MAX_SYMBOLS, keyed_hash, positions

HASHED = list(map(keyed_hash(KEY), elements(4000)))


def test_positions_ascend_from_symbol_0_to_the_last() -> None:
    for digest in HASHED[:200]:
        found = list(positions(digest))
        assert found[0] == 0
        assert all(before < after for before, after in pairwise(found))
        assert found[-1] < MAX_SYMBOLS


@pytest.mark.parametrize("first", [1, 100, 4095, 4096, 4097, 20_000, MAX_SYMBOLS - 1, MAX_SYMBOLS])
def test_positions_from_an_index_on_are_the_rest_of_all(first: int) -> None:
    for digest in HASHED[:200]:
        assert list(positions(digest, first)) == [at for at in positions(digest) if at >= first]


@pytest.mark.parametrize(
    ("first", "end"), [(1, 8), (8, 100), (100, 1000), (1000, 4096), (4096, 8192), (16_000, 17_000), (65_536, 200_000)]
)
def test_symbol_i_has_two_of_i_plus_two_elements(first: int, end: int) -> None:
    found = sum(1 for digest in HASHED for _ in takewhile(lambda at: at < end, positions(digest, first)))
    expected = len(HASHED) * sum(2 / (at + 2) for at in range(first, end))
    assert abs(found - expected) < 5 * expected**0.5 + 0.02 * expected


def test_neighbouring_symbols_share_elements_only_by_chance() -> None:
    """The restart of the walk at 4,096 is not seen in what two symbols share."""
    for left, right in ((40, 41), (4095, 4096)):
        shared = sum({left, right} <= set(takewhile(lambda at: at <= 4096, positions(digest))) for digest in HASHED)
        expected = len(HASHED) * 4 / (left + 2) / (right + 2)
        assert shared < expected + 5 * expected**0.5 + 1


def test_the_first_symbols_of_a_later_walk_have_as_many_elements_as_others() -> None:
    digest = keyed_hash(KEY)
    first = Counter(next(positions(digest(element), 4096)) for element in elements(20_000))
    assert all(2 <= first[at] <= 25 for at in range(4096, 4104)), "about ten each"


def test_extreme_seeds_stay_in_order() -> None:
    for digest in (bytes(64), b"\xff" * 64):
        found = list(positions(digest))
        assert found == sorted(set(found))


def test_the_hash_depends_on_the_key() -> None:
    assert keyed_hash(KEY)(bytes(16)) != keyed_hash(OTHER_KEY)(bytes(16))
    assert keyed_hash(KEY)(bytes(16)) == keyed_hash(KEY)(bytes(16))
