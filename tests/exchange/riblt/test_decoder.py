"""Decoding: the exact difference of two sets, and a defined end whatever else arrives."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.riblt.sets import KEY, OTHER_KEY, decoder_of, elements, empty
from weft.exchange.riblt.codec import symbols_for
from weft.exchange.riblt.decoder import Decoder, DecoderStatus
from weft.exchange.riblt.mapping import MAX_SYMBOLS, keyed_hash, positions
from weft.exchange.riblt.sketch import Sketch, encode_range
from weft.exchange.riblt.symbol import CodedSymbol, coded

SOME = elements(40)
HASH = keyed_hash(KEY)
subsets = st.sets(st.sampled_from(SOME)).map(sorted)
junk = st.builds(CodedSymbol, st.integers(0, 2**192 - 1), st.integers(-3, 3))


def alone(element: bytes, count: int = 1) -> CodedSymbol:
    return CodedSymbol(coded(element, HASH(element)), count)


def explained(decoder: Decoder) -> list[CodedSymbol]:
    """The symbols of what a decoder found."""
    difference = Sketch(KEY, decoder.received)
    difference.add_all(decoder.only_theirs)
    difference.remove_all(decoder.only_ours)
    return difference.symbols()


@given(subsets, subsets)
def test_the_difference_of_any_two_sets_is_found(theirs: list[bytes], ours: list[bytes]) -> None:
    decoder = decoder_of(theirs, ours, 400)
    assert decoder.status is DecoderStatus.DECODED
    assert sorted(decoder.only_theirs) == sorted({*theirs} - {*ours})
    assert sorted(decoder.only_ours) == sorted({*ours} - {*theirs})
    assert decoder.estimate() == len({*ours} ^ {*theirs})


@given(subsets)
def test_equal_sets_show_in_one_symbol(some: list[bytes]) -> None:
    decoder = decoder_of(some, some[::-1], 5)
    assert (decoder.status, decoder.received) == (DecoderStatus.DECODED, 1)


def test_one_difference_shows_in_one_symbol() -> None:
    decoder = decoder_of(SOME, SOME[1:], 5)
    assert (decoder.status, decoder.received, decoder.only_theirs) == (DecoderStatus.DECODED, 1, (SOME[0],))


@pytest.mark.parametrize("step", [1, 7, 64])
def test_symbols_may_come_in_any_portions(step: int) -> None:
    theirs, ours = elements(300), elements(100)[:50] + elements(80, seed=2)
    whole = decoder_of(theirs, ours, 1000)
    decoder, sketches = Decoder(KEY, 1000), (Sketch(KEY, 1000), Sketch(KEY, 1000))
    sketches[0].add_all(theirs)
    sketches[1].add_all(ours)
    while decoder.status is DecoderStatus.MORE:
        at = decoder.received
        decoder.receive(*(sketch.symbols(at, step) for sketch in sketches))
    assert (decoder.status, decoder.received) == (DecoderStatus.DECODED, whole.received)
    assert (decoder.only_theirs, decoder.only_ours) == (whole.only_theirs, whole.only_ours)
    assert len(decoder.only_theirs + decoder.only_ours) == 380 - 2 * 50 + 50


def test_a_subtracted_sketch_decodes_against_nothing() -> None:
    theirs, ours = Sketch(KEY, 200), Sketch(KEY, 200)
    theirs.add_all(SOME)
    ours.add_all(SOME[3:])
    decoder = Decoder(KEY, 200)
    assert decoder.receive(theirs.subtract(ours).symbols(), empty(200)) is DecoderStatus.DECODED
    assert set(decoder.only_theirs) == set(SOME[:3])


@pytest.mark.parametrize(("differences", "runs"), [(10, 60), (100, 20), (1000, 3)])
def test_about_one_and_a_half_symbols_a_difference_are_enough(differences: int, runs: int) -> None:
    allowed = symbols_for(differences)
    needed = []
    for seed in range(runs):
        some = elements(differences, seed)
        decoder = decoder_of(some[::2], some[1::2], allowed)
        assert decoder.status is DecoderStatus.DECODED
        needed.append(decoder.received / differences)
    assert sum(needed) / runs < {10: 2.1, 100: 1.65, 1000: 1.45}[differences]


def test_symbols_beyond_the_kept_prefix_decode_too() -> None:
    some = elements(3500)
    decoder = decoder_of(some[:1000], some[1000:], 5500)
    assert decoder.status is DecoderStatus.DECODED
    assert decoder.received > 4096
    assert set(decoder.only_ours) == set(some[1000:])


def test_who_knows_the_key_can_choose_elements_that_hide_each_other_and_who_does_not_cannot() -> None:
    second = {element: next(islice(positions(HASH(element)), 1, None)) for element in elements(20_000)}
    pair = sorted(second, key=second.__getitem__)[-2:]
    assert decoder_of(pair, [], 100).status is DecoderStatus.CAPPED
    for n in range(20):
        assert decoder_of(pair, [], 60, bytes([n]) * 32).status is DecoderStatus.DECODED


def test_elements_that_sum_to_nothing_do_not_hide() -> None:
    one, two = SOME[:2]
    three = bytes(a ^ b for a, b in zip(one, two, strict=True))
    decoder = decoder_of([one, two, three], [], 60)
    assert decoder.status is DecoderStatus.DECODED
    assert set(decoder.only_theirs) == {one, two, three}


def test_the_element_of_zeros_is_one_like_others() -> None:
    assert decoder_of([bytes(16)], [], 1).only_theirs == (bytes(16),)


def test_symbols_that_never_decode_stop_at_the_cap() -> None:
    decoder = Decoder(KEY, 100)
    assert decoder.receive([CodedSymbol(1, 2)] * 200, empty(200)) is DecoderStatus.CAPPED
    assert (decoder.received, decoder.only_theirs, decoder.only_ours) == (100, (), ())


@pytest.mark.parametrize("seed", range(10))
def test_symbols_under_another_key_do_not_decode(seed: int) -> None:
    some = elements(200, seed)
    decoder = Decoder(KEY, 300)
    status = decoder.receive(encode_range(OTHER_KEY, some, 0, 300), encode_range(KEY, some, 0, 300))
    assert status in (DecoderStatus.BROKEN, DecoderStatus.CAPPED)


def test_what_comes_after_the_end_is_ignored() -> None:
    for decoder in (decoder_of(SOME, SOME, 10), decoder_of(SOME, [], 3)):
        before = decoder.status, decoder.received
        assert decoder.receive(empty(5), empty(5)) is before[0] is not DecoderStatus.MORE
        assert (decoder.status, decoder.received) == before


@given(st.lists(junk, min_size=1, max_size=80))
def test_junk_is_found_to_be_junk(symbols: list[CodedSymbol]) -> None:
    decoder = Decoder(KEY, len(symbols))
    status = decoder.receive(symbols, empty(len(symbols)))
    assert status is not DecoderStatus.MORE
    assert not decoder.only_theirs + decoder.only_ours
    assert decoder.estimate() >= 0


@given(st.integers(0, 2**32), st.integers(1, 60), st.floats(0, 1))
def test_a_peer_who_knows_the_key_gets_no_further_than_his_symbols(seed: int, count: int, spoilt: float) -> None:
    """Symbols of a true set, some replaced by chosen ones: what is found is bounded, and whole if it is decoded."""
    random = Random(seed)
    symbols = encode_range(KEY, SOME[: random.randrange(1, 20)], 0, count)
    for at in range(count):
        if random.random() < spoilt:
            few = random.sample(SOME, random.randrange(4))
            xor = 0
            for element in few:
                xor ^= alone(element).xor
            symbols[at] = CodedSymbol(xor, random.randint(-2, 2))
    decoder = Decoder(KEY, count)
    status = decoder.receive(symbols, empty(count))
    found = decoder.only_theirs + decoder.only_ours
    assert len(found) == len(set(found)) <= decoder.received
    assert status is not DecoderStatus.MORE
    assert (explained(decoder) == symbols[: decoder.received]) == (status is DecoderStatus.DECODED)


def test_an_element_is_not_handed_to_and_fro() -> None:
    """Taking it from one symbol would show it in the next, for ever."""
    inside = list(islice(positions(HASH(SOME[0])), 4))
    symbols = [CodedSymbol(1, 5)] * (inside[3] + 1)
    symbols[inside[1]] = alone(SOME[0])
    for at in inside[2:]:
        symbols[at] = CodedSymbol(0, 2)
    decoder = Decoder(KEY, len(symbols))
    assert decoder.receive(symbols, empty(len(symbols))) is DecoderStatus.BROKEN
    assert decoder.only_theirs == (SOME[0],)


def test_an_element_in_a_symbol_that_cannot_have_it_is_not_believed() -> None:
    wrong = next(at for at in range(1, 9) if at not in islice(positions(HASH(SOME[0])), 9))
    symbols = [CodedSymbol(1, 5)] * wrong + [alone(SOME[0])]
    decoder = Decoder(KEY, 50)
    assert decoder.receive(symbols, empty(len(symbols))) is DecoderStatus.BROKEN
    assert decoder.only_theirs == ()


def test_a_symbol_0_that_empties_before_the_others_is_not_believed() -> None:
    symbols = encode_range(KEY, SOME[:5], 0, 60)
    spoilt = [symbols[0], CodedSymbol(1, 7), *symbols[2:]]
    decoder = Decoder(KEY, 60)
    assert decoder.receive(spoilt, empty(60)) is DecoderStatus.BROKEN
    assert (decoder.received, set(decoder.only_theirs)) == (decoder_of(SOME[:5], [], 60).received, set(SOME[:5]))


@pytest.mark.parametrize("added", [True, False])
def test_a_set_that_changes_while_its_symbols_are_sent_never_decodes(added: bool) -> None:
    for seed in range(20):
        some = elements(100, seed)
        change = next(one for one in some if any(60 <= at < 100 for at in islice(positions(HASH(one)), 25)))
        before = [one for one in some if one != change] if added else some
        after = some if added else [one for one in some if one != change]
        symbols = encode_range(KEY, before, 0, 60) + encode_range(KEY, after, 60, 540)
        decoder = Decoder(KEY, 600)
        assert decoder.receive(symbols, empty(600)) in (DecoderStatus.BROKEN, DecoderStatus.CAPPED)


def test_never_more_work_than_symbols_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every symbol shows an element of its own: the most that a peer can make us find."""
    count, steps = 1000, 0

    def counted(digest: bytes, first: int = 0) -> object:
        nonlocal steps
        for at in positions(digest, first):
            steps += 1
            yield at

    monkeypatch.setattr("weft.exchange.riblt.decoder.positions", counted)
    symbols = [CodedSymbol(1 << 100, 1 << 40)] * count
    for element in elements(3000):
        at = list(islice(positions(HASH(element)), 3))[-1]
        if at < count:
            symbols[at] = alone(element)
    decoder = Decoder(KEY, count)
    decoder.receive(symbols, empty(count))
    assert len(decoder.only_theirs) <= count
    assert steps < 25 * count


def test_the_number_of_symbols_must_be_the_same_on_both_sides() -> None:
    with pytest.raises(ValueError, match="zip"):
        Decoder(KEY, 10).receive(encode_range(KEY, SOME, 0, 3), empty(2))


def test_a_cap_is_within_what_symbols_there_are() -> None:
    for cap in (0, MAX_SYMBOLS + 1):
        with pytest.raises(ValueError, match="a decoder takes 1 to"):
            Decoder(KEY, cap)
