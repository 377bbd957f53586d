"""Rateless sketches: the coded symbols of a set, and those kept up to date while the set changes.

Theory of operation
-------------------
Two servers that hold nearly the same set learn the difference at a cost of the difference alone, after Yang, Gilad,
Alizadeh, "Practical Rateless Set Reconciliation" (SIGCOMM 2024).  Each set has an endless list of coded symbols
(`weft.exchange.riblt.symbol`); an element is part of a few of them (`weft.exchange.riblt.mapping`).  One side sends its
symbols, in order; the other subtracts its own and peels (`weft.exchange.riblt.decoder`) until nothing is left, after
1.4 symbols a difference if these are many.  How many differences there are need not be known before.

The first symbols serve nearly all syncs, so a `Sketch` keeps them: an element that comes or goes touches about 16 of
4,096.  Symbols beyond take one scan of the set (`encode_range`).

Key, mapping and checksum belong to a pair of servers.  With a key that is known, two ground ids can share their first
thousands of symbols, which then cannot tell them apart.  The symbols are of a *set*: to add what is in it, or remove
what is not, is the caller's error and cannot be seen here, but the sketch will not decode.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from weft.errors import StoreError
from weft.exchange.riblt.mapping import MAX_SYMBOLS, keyed_hash, positions
from weft.exchange.riblt.symbol import ELEMENT_BYTES, SYMBOL_BYTES, CodedSymbol, coded

KEPT_SYMBOLS = 4096
"""The prefix that is kept for a peer; enough for about 2,900 differences."""
_VERSION = 1
_HEADER = struct.Struct("<B8sI")
"""Of a stored sketch: version, what tells the key, number of symbols."""


class Sketch:
    """The first ``length`` coded symbols of a set under a key; of the empty set at first."""

    __slots__ = ("_counts", "_digest", "_xors")

    def __init__(self, key: bytes, length: int = KEPT_SYMBOLS) -> None:
        _check_range(0, length)
        self._digest = keyed_hash(key)
        self._xors = [0] * length
        self._counts = [0] * length

    def __len__(self) -> int:
        return len(self._xors)

    @property
    def size(self) -> int:
        """The number of elements of the set."""
        return self._counts[0]

    def add(self, element: bytes) -> None:
        """An element of 16 bytes comes into the set."""
        self.add_all((element,))

    def remove(self, element: bytes) -> None:
        """An element goes."""
        self.remove_all((element,))

    def add_all(self, elements: Iterable[bytes]) -> None:
        """Elements come into the set; they must differ from each other and from those in it."""
        _fold(self._digest, elements, 1, self._xors, self._counts, 0)

    def remove_all(self, elements: Iterable[bytes]) -> None:
        """Elements go, all of which must be in the set."""
        _fold(self._digest, elements, -1, self._xors, self._counts, 0)

    def symbols(self, first: int = 0, count: int | None = None) -> list[CodedSymbol]:
        """``count`` symbols from ``first`` on, as many as there are."""
        end = None if count is None else first + count
        return list(map(CodedSymbol, self._xors[first:end], self._counts[first:end]))

    def copy(self) -> Sketch:
        """A snapshot, to serve a session while the set goes on changing."""
        return self._with(self._xors.copy(), self._counts.copy())

    def merge(self, other: Sketch) -> Sketch:
        """The sketch of the union of two sets that have no element in common."""
        return self._combined(other, 1)

    def subtract(self, other: Sketch) -> Sketch:
        """The sketch of the difference: what only the other has counts negative."""
        return self._combined(other, -1)

    def dump(self) -> bytes:
        """For storage: a header, the xors with 24 bytes each, the counts with 8."""
        header = _HEADER.pack(_VERSION, _key_mark(self._digest), len(self))
        xors = b"".join([xor.to_bytes(SYMBOL_BYTES, "big") for xor in self._xors])
        return header + xors + struct.pack(f"<{len(self)}q", *self._counts)

    @classmethod
    def load(cls, key: bytes, data: bytes) -> Sketch:
        """The sketch that `dump` gave; `StoreError` if it is of another version or key, or cut."""
        if len(data) < _HEADER.size:
            raise _unreadable("it is cut")
        version, mark, length = _HEADER.unpack_from(data)
        if version != _VERSION:
            raise _unreadable(f"it is of version {version}, not {_VERSION}")
        counts = _HEADER.size + length * SYMBOL_BYTES
        if not 0 < length <= MAX_SYMBOLS or len(data) != counts + 8 * length:
            raise _unreadable("its bytes are not as many as its symbols need")
        sketch = cls(key, length)
        if mark != _key_mark(sketch._digest):
            raise _unreadable("it is of another key")
        starts = range(_HEADER.size, counts, SYMBOL_BYTES)
        sketch._xors = [int.from_bytes(data[start : start + SYMBOL_BYTES], "big") for start in starts]
        sketch._counts = list(struct.unpack_from(f"<{length}q", data, counts))
        return sketch

    def _combined(self, other: Sketch, sign: int) -> Sketch:
        if len(self) != len(other) or _key_mark(self._digest) != _key_mark(other._digest):
            raise ValueError("the sketches are of different keys or lengths")
        pairs = zip(self._xors, other._xors, strict=True)
        counts = zip(self._counts, other._counts, strict=True)
        return self._with([ours ^ theirs for ours, theirs in pairs], [ours + sign * theirs for ours, theirs in counts])

    def _with(self, xors: list[int], counts: list[int]) -> Sketch:
        made = Sketch.__new__(Sketch)
        made._digest, made._xors, made._counts = self._digest, xors, counts
        return made


def encode_range(key: bytes, elements: Iterable[bytes], first: int, count: int) -> list[CodedSymbol]:
    """The coded symbols ``first`` to ``first + count - 1`` of a set, in one scan of it."""
    _check_range(first, count)
    xors, counts = [0] * count, [0] * count
    _fold(keyed_hash(key), elements, 1, xors, counts, first)
    return list(map(CodedSymbol, xors, counts))


def _fold(
    digest: Callable[[bytes], bytes],
    elements: Iterable[bytes],
    sign: int,
    xors: list[int],
    counts: list[int],
    first: int,
) -> None:
    """Add elements to, or with ``sign`` -1 remove them from, the symbols that begin at ``first``."""
    end = first + len(xors)
    for element in elements:
        if len(element) != ELEMENT_BYTES:
            raise ValueError(f"an element has {ELEMENT_BYTES} bytes, not {len(element)}")
        hashed = digest(element)
        xor = coded(element, hashed)
        for at in positions(hashed, first):
            if at >= end:
                break
            xors[at - first] ^= xor
            counts[at - first] += sign


def _check_range(first: int, count: int) -> None:
    if first < 0 or count < 1 or first + count > MAX_SYMBOLS:
        raise ValueError(f"symbols {first} to {first + count - 1} are not among the first {MAX_SYMBOLS}")


def _key_mark(digest: Callable[[bytes], bytes]) -> bytes:
    """Eight bytes that tell keys apart and say nothing about them; no element has the length that is hashed."""
    return digest(b"key")[:8]


def _unreadable(reason: str) -> StoreError:
    return StoreError(f"the kept sketch cannot be read: {reason}; it must be made anew")
