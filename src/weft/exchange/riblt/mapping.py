"""Which coded symbols an element is part of, and its checksum: both follow from one keyed hash.

Theory of operation
-------------------
Element and symbol i meet with probability 2 / (i + 2), independently for each i: every element is in symbol 0, and in
about 2 ln(n / 2) of the first n; 16 of 4,096.  This is the mapping of Yang, Gilad, Alizadeh, "Practical Rateless Set
Reconciliation" (SIGCOMM 2024, section 4).  Symbols are not asked one by one: from an index i, the distance to the next
one follows from a uniform number u by inverting the distribution, (i + 1.5) * (1 / sqrt(u) - 1).  Only a
multiplication modulo 2^64 and IEEE 754 double division, square root, subtraction and multiplication are used.  These
are correctly rounded everywhere, so all servers get the same indices.

One thing is other than in the paper.  Since symbols are independent, the walk may start afresh at any index; here it
does so, with another word of the hash, at 4,096, 16,384, 65,536 and so on (`_STARTS`).  A scan of a large set for
symbols beyond the kept prefix then takes about two steps an element instead of twenty.

The hash is BLAKE2b with a key (RFC 7693), 64 bytes: 8 of checksum, then a seed for each segment.  It is a MAC by
design, is in the standard library, takes 0.3 us an element when its keyed state is copied, and gives all the words in
one call.  SipHash would do as well, but the standard library has it only under a key of its own for each process.  Who
does not know the key cannot choose elements that meet in many symbols, nor elements whose checksums cancel.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import pairwise
from math import sqrt

from weft.exchange.riblt.symbol import CHECKSUM_BYTES

KEY_BYTES = 32
"""Of the secret of a pair."""
_PERSON = b"weft sketch v1"
_SEED_BYTES = 8

_STARTS = (0, *(4096 << 2 * n for n in range(7)))
MAX_SYMBOLS = _STARTS[-1]
"""Symbols have indices below this; 16,777,216."""
_SEGMENTS = [
    (start, end, slice(CHECKSUM_BYTES + _SEED_BYTES * n, CHECKSUM_BYTES + _SEED_BYTES * (n + 1)))
    for n, (start, end) in enumerate(pairwise(_STARTS))
]
"""Of each segment: its first index, that after its last, and where its seed stands in the hash."""

_MULTIPLIER = 0xDA942042E4DD58B5
_MASK = (1 << 64) - 1
_ROOT = float(1 << 32)
"""The square root of 2^64: the random numbers are integers below that."""


def keyed_hash(key: bytes) -> Callable[[bytes], bytes]:
    """The function from an element to its 64 bytes of hash under ``key``, of `KEY_BYTES`."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key of a sketch has {KEY_BYTES} bytes, not {len(key)}")
    copy = blake2b(key=key, person=_PERSON).copy

    def digest(element: bytes) -> bytes:
        state = copy()
        state.update(element)
        return state.digest()

    return digest


def positions(digest: bytes, first: int = 0) -> Iterator[int]:
    """The indices of the symbols that an element is part of, from ``first`` on, ascending, below `MAX_SYMBOLS`."""
    for start, end, seed in _SEGMENTS[bisect_right(_STARTS, first) - 1 :]:
        state = int.from_bytes(digest[seed], "big")
        at = start - 1
        if not start:
            at = 0
            if not first:
                yield 0
        while True:
            state = state * _MULTIPLIER & _MASK
            # Never below 1: the quotient is at least 1, also when state + 1 is rounded up to 2^64.
            at += int((at + 1.5) * (_ROOT / sqrt(state + 1) - 1.0)) + 1
            if at >= end:
                break
            if at >= first:
                yield at
