"""Coded symbols as bytes: small, read back as they were, and refused in one line if they are something else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.exchange.riblt.sets import KEY, elements
from weft.errors import SymbolsError
from weft.exchange.riblt.codec import MIN_BYTES, decode_symbols, encode_symbols
from weft.exchange.riblt.mapping import MAX_SYMBOLS
from weft.exchange.riblt.sketch import encode_range
from weft.exchange.riblt.symbol import CodedSymbol

symbols = st.builds(CodedSymbol, st.integers(0, 2**192 - 1), st.integers(-(2**60), 2**60))


@given(st.lists(symbols), st.integers(0, MAX_SYMBOLS - 100), st.integers(0, 2**61))
def test_what_is_encoded_is_decoded(run: list[CodedSymbol], first: int, size: int) -> None:
    assert decode_symbols(encode_symbols(run, first, size), first, size) == run


@given(st.binary(max_size=200), st.integers(-1, 2**64), st.integers(-1, 2**64))
@example(bytes(24), 0, 0)
@example(bytes(24) + b"\xff" * 10, 0, 0)
@example(bytes(25), MAX_SYMBOLS, 0)
@example(bytes(25), 0, 2**62)
def test_anything_else_is_refused_or_gives_symbols(data: bytes, first: int, size: int) -> None:
    found = []
    with suppress(SymbolsError):
        found = decode_symbols(data, first, size)
    assert len(found) * MIN_BYTES <= len(data)
    assert all(symbol.xor < 2**192 and abs(symbol.count) < 2**71 for symbol in found)


@pytest.mark.parametrize(
    ("data", "first", "size"),
    [
        (bytes(24), 0, 0),
        (bytes(30), 0, 0),
        (bytes(24) + b"\x80" * 10 + b"\0", 0, 0),
        (bytes(25), -1, 0),
        (bytes(25), MAX_SYMBOLS, 0),
        (bytes(25), 0, -1),
        (bytes(25), 0, 2**62),
    ],
)
def test_what_is_cut_or_too_large_is_refused(data: bytes, first: int, size: int) -> None:
    with pytest.raises(SymbolsError, match=r"\Acoded symbols refused: [^\n]+\Z"):
        decode_symbols(data, first, size)


def test_a_symbol_costs_25_to_26_bytes() -> None:
    some = elements(20_000)
    first = encode_symbols(encode_range(KEY, some, 0, 300), 0, len(some))
    assert len(first) <= 26 * 300
    assert len(encode_symbols(encode_range(KEY, some, 3000, 300), 3000, len(some))) <= 25.1 * 300


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_symbol_0_costs_25_bytes_whatever_the_size(size: int) -> None:
    assert len(encode_symbols([CodedSymbol(1, size)], 0, size)) == MIN_BYTES == 25
