"""Mutations of inputs, the same for the same seed: for a short run without a fuzzer that measures coverage."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

_SPECIAL = b"\0\n\r\t \"'()<>@,;:=?/\\*-+.0129azAZ\x1b\x7f\x80\xc3\xff"


def mutations(seeds: Sequence[bytes], count: int, seed: str) -> Iterator[bytes]:
    """The seeds, and then ``count`` inputs made of them."""
    yield from seeds
    draw = random.Random(seed)
    for _ in range(count):
        raw = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, 4)):
            place, end = sorted(draw.randint(0, len(raw)) for _ in range(2))
            kind = draw.randrange(5)
            if kind == 0:
                raw[place:place] = bytes([draw.choice(_SPECIAL)]) * draw.choice((1, 1, 1, 2, 40))
            elif kind == 1 and place < len(raw):
                raw[place] = draw.randrange(256)
            elif kind == 2:
                del raw[place : min(end, place + 8)]
            elif kind == 3:
                raw[place:place] = raw[place : min(end, place + 64)]
            else:
                raw[place:place] = draw.choice(seeds)[:64]
        yield bytes(raw)
