"""Sets of elements for the tests of sketches, the same in every run."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from weft.exchange.riblt.decoder import Decoder
from weft.exchange.riblt.sketch import encode_range
from weft.exchange.riblt.symbol import CodedSymbol

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


def elements(count: int, seed: int = 1) -> list[bytes]:
    """Different elements."""
    random = Random(f"elements-{seed}")
    return [random.randbytes(16) for _ in range(count)]


def empty(count: int) -> list[CodedSymbol]:
    """Symbols of the empty set."""
    return [CodedSymbol(0, 0)] * count


def decoder_of(theirs: Sequence[bytes], ours: Sequence[bytes], cap: int, key: bytes = KEY) -> Decoder:
    """A decoder that was given up to ``cap`` symbols of both sets."""
    decoder = Decoder(key, cap)
    decoder.receive(encode_range(key, theirs, 0, cap), encode_range(key, ours, 0, cap))
    return decoder
