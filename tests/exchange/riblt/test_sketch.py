"""Sketches: kept symbols are those of the set as it is now, whatever came and went."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.riblt.sets import KEY, OTHER_KEY, elements
from weft.errors import StoreError
from weft.exchange.riblt.mapping import MAX_SYMBOLS
from weft.exchange.riblt.sketch import KEPT_SYMBOLS, Sketch, encode_range

SOME = elements(60)
LENGTH = 200
WHOLE = encode_range(KEY, SOME[:5], 0, 18_000)


def sketch_of(some: list[bytes], length: int = LENGTH) -> Sketch:
    sketch = Sketch(KEY, length)
    sketch.add_all(some)
    return sketch


@given(st.lists(st.sampled_from(SOME)))
def test_a_kept_sketch_is_that_of_the_set_however_it_came_about(toggled: list[bytes]) -> None:
    sketch, present = Sketch(KEY, LENGTH), set[bytes]()
    for element in toggled:
        (sketch.remove if element in present else sketch.add)(element)
        present ^= {element}
    assert sketch.symbols() == encode_range(KEY, present, 0, LENGTH)
    assert sketch.size == len(present)


@given(st.integers(0, 9000), st.integers(1, 9000))
def test_a_range_is_the_same_in_whatever_pieces_it_is_made(first: int, count: int) -> None:
    assert encode_range(KEY, iter(SOME[:5]), first, count) == WHOLE[first : first + count]


def test_the_kept_prefix_and_the_range_beyond_it_join() -> None:
    whole = encode_range(KEY, SOME, 0, KEPT_SYMBOLS + 50)
    assert sketch_of(SOME, KEPT_SYMBOLS).symbols() + encode_range(KEY, SOME, KEPT_SYMBOLS, 50) == whole


def test_symbols_are_given_in_pieces_as_far_as_there_are_any() -> None:
    sketch = sketch_of(SOME)
    assert sketch.symbols(0, 7) + sketch.symbols(7) == sketch.symbols()
    assert len(sketch) == len(sketch.symbols()) == LENGTH
    assert sketch.symbols(LENGTH - 1, 5) == sketch.symbols()[-1:]


def test_an_element_touches_about_sixteen_of_the_kept_symbols() -> None:
    touched = sum(symbol.count for symbol in sketch_of(elements(500), KEPT_SYMBOLS).symbols()) / 500
    assert 15 < touched < 16.5


def test_another_key_gives_other_symbols() -> None:
    assert encode_range(KEY, SOME, 1, 20) != encode_range(OTHER_KEY, SOME, 1, 20)


def test_a_stored_sketch_is_read_back_and_goes_on() -> None:
    sketch = sketch_of(SOME[:30])
    again = Sketch.load(KEY, sketch.dump())
    assert again.symbols() == sketch.symbols()
    again.add_all(SOME[30:])
    assert again.symbols() == sketch_of(SOME).symbols()


def test_differences_are_stored_too() -> None:
    difference = sketch_of(SOME[:10]).subtract(sketch_of(SOME))
    assert difference.size == -50
    assert Sketch.load(KEY, difference.dump()).symbols() == difference.symbols()


def test_a_stored_sketch_of_another_version_or_key_or_length_is_refused() -> None:
    data = sketch_of(SOME).dump()
    with pytest.raises(StoreError, match="of version 2, not 1; it must be made anew"):
        Sketch.load(KEY, b"\2" + data[1:])
    with pytest.raises(StoreError, match="of another key"):
        Sketch.load(OTHER_KEY, data)
    for damaged in (data + b"\0", data[:-1], data[:9] + b"\0\0\0\0" + data[13:], data[:13]):
        with pytest.raises(StoreError, match="not as many"):
            Sketch.load(KEY, damaged)
    for cut in (b"", data[:12]):
        with pytest.raises(StoreError, match="cut"):
            Sketch.load(KEY, cut)


def test_sketches_merge_and_subtract_like_sets() -> None:
    left, right = sketch_of(SOME[:40]), sketch_of(SOME[40:])
    assert left.merge(right).symbols() == sketch_of(SOME).symbols()
    assert sketch_of(SOME).subtract(right).symbols() == left.symbols()
    assert left.symbols() == sketch_of(SOME[:40]).symbols(), "unchanged"


def test_sketches_of_different_keys_or_lengths_do_not_mix() -> None:
    for other in (Sketch(KEY, LENGTH + 1), Sketch(OTHER_KEY, LENGTH)):
        for combine in (sketch_of(SOME).merge, sketch_of(SOME).subtract):
            with pytest.raises(ValueError, match="different keys or lengths"):
                combine(other)


def test_a_copy_is_a_snapshot() -> None:
    sketch = sketch_of(SOME[:10])
    snapshot = sketch.copy()
    before = snapshot.symbols()
    sketch.add(SOME[10])
    assert snapshot.symbols() == before != sketch.symbols()


def test_what_is_no_element_key_or_range_is_refused() -> None:
    with pytest.raises(ValueError, match="an element has 16 bytes, not 32"):
        Sketch(KEY, 5).add(bytes(32))
    with pytest.raises(ValueError, match="32 bytes, not 16"):
        Sketch(bytes(16))
    for first, count in ((-1, 5), (0, 0), (MAX_SYMBOLS, 1)):
        with pytest.raises(ValueError, match="not among the first 16777216"):
            encode_range(KEY, [], first, count)
    with pytest.raises(ValueError, match="not among the first"):
        Sketch(KEY, MAX_SYMBOLS + 1)
