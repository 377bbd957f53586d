"""Estimates: right on average, near enough for a plan, and harmless when they are lied to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.riblt.sets import KEY, elements
from weft.exchange.riblt.codec import estimate, symbols_for
from weft.exchange.riblt.decoder import Decoder, DecoderStatus
from weft.exchange.riblt.sketch import encode_range


@pytest.mark.parametrize("share", [2, 10])
@pytest.mark.parametrize("symbols", [16, 32])
def test_the_estimate_is_right_on_average(symbols: int, share: int) -> None:
    ratios = []
    for seed in range(60):
        some = elements(400, seed)
        ours = encode_range(KEY, some[: 400 // share], 0, symbols)
        theirs = encode_range(KEY, some[400 // share :], 0, symbols)
        ratios.append(estimate([a.count - b.count for a, b in zip(theirs, ours, strict=True)]) / 400)
    assert 0.85 < sum(ratios) / len(ratios) < 1.2
    assert sum(0.35 < ratio < 2.2 for ratio in ratios) >= 54


def test_a_one_sided_difference_is_known_at_least() -> None:
    assert estimate([]) == 0
    assert estimate([-7]) == 7
    assert estimate([0]) == 0
    assert estimate([300, 200, 150, 120]) == 300


@given(st.lists(st.integers(-(2**72), 2**72)))
def test_no_counts_make_it_fail(counts: list[int]) -> None:
    assert estimate(counts) >= abs(counts[0] if counts else 0)


def test_a_decoder_estimates_until_it_knows() -> None:
    some = elements(500)
    decoder = Decoder(KEY, 1000)
    assert decoder.estimate() == 1
    symbols = encode_range(KEY, some[:250], 0, 1000), encode_range(KEY, some[250:], 0, 1000)
    decoder.receive(symbols[0][:32], symbols[1][:32])
    assert 250 < decoder.estimate() < 1000
    assert decoder.receive(symbols[0][32:], symbols[1][32:]) is DecoderStatus.DECODED
    assert decoder.estimate() == 500


def test_more_differences_need_more_symbols() -> None:
    planned = [symbols_for(differences) for differences in range(200)]
    assert planned == sorted(planned)
    assert planned[0] > 0
