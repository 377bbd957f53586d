"""Section 5: coded symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from math import floor, sqrt

from tests.independent.messages import need, varint, written

SEGMENTS = (0, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216)
Symbol = tuple[bytes, int]
EMPTY: Symbol = (bytes(24), 0)


def keyed_hash(key: bytes, element: bytes) -> bytes:
    """64 bytes: the checksum, then the seeds."""
    return blake2b(element, digest_size=64, key=key, person=b"weft sketch v1").digest()


def indices(digest: bytes) -> Iterator[int]:
    """The symbols that an element is part of, ascending."""
    yield 0
    for number, (start, end) in enumerate(pairwise(SEGMENTS)):
        state, at = int.from_bytes(digest[8 + 8 * number : 16 + 8 * number], "big"), max(0, start - 1)
        while True:
            state = state * 0xDA942042E4DD58B5 % 2**64
            at += floor((at + 1.5) * (2.0**32 / sqrt(float(state + 1)) - 1.0)) + 1
            if at >= end:
                break
            yield at


def plus(one: Symbol, other: Symbol, sign: int) -> Symbol:
    """One symbol with another, or less it."""
    return bytes(a ^ b for a, b in zip(one[0], other[0], strict=True)), one[1] + sign * other[1]


def symbols_of(key: bytes, elements: Sequence[bytes], first: int, count: int) -> list[Symbol]:
    """Those of a set."""
    found = [EMPTY] * count
    for element in elements:
        digest = keyed_hash(key, element)
        for at in indices(digest):
            if at >= first + count:
                break
            if at >= first:
                found[at - first] = plus(found[at - first], (element + digest[:8], 1), 1)
    return found


def encode(symbols: Sequence[Symbol], first: int, size: int) -> bytes:
    """On the wire."""
    found = b""
    for at, (data, number) in enumerate(symbols, first):
        beyond = number - 2 * size // (at + 2)
        found += data + written(2 * beyond if beyond >= 0 else -2 * beyond - 1)
    return found


def decode(data: bytes, first: int, size: int) -> list[Symbol]:
    """From the wire."""
    found: list[Symbol] = []
    at = 0
    while at < len(data):
        need(at + 24 < len(data))
        zigzag, end = varint(data, at + 24)
        beyond = zigzag // 2 if not zigzag % 2 else -(zigzag + 1) // 2
        found.append((data[at : at + 24], beyond + 2 * size // (first + len(found) + 2)))
        at = end
    return found


def difference(key: bytes, theirs: Sequence[Symbol], ours: Sequence[Symbol]) -> tuple[set[bytes], set[bytes]] | None:
    """What only they have, and what only we have; None if these symbols do not show it."""
    left = [plus(one, other, -1) for one, other in zip(theirs, ours, strict=True)]
    found: dict[int, set[bytes]] = {1: set(), -1: set()}
    looked_at = [*range(len(left))]
    while looked_at:
        data, sign = left[looked_at.pop()]
        element, digest = data[:16], keyed_hash(key, data[:16])
        if abs(sign) != 1 or digest[:8] != data[16:]:
            continue
        found[sign].add(element)
        for at in indices(digest):
            if at >= len(left):
                break
            left[at] = plus(left[at], (data, 1), -sign)
            looked_at.append(at)
    return None if any(symbol != EMPTY for symbol in left) else (found[1], found[-1])
