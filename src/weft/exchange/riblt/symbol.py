"""Coded symbols: sums over parts of a set, which can be subtracted from those of another set.

A symbol is (xor, count).  ``xor`` is the exclusive or of 24 bytes for each element in it: the element, 16 bytes, then
its keyed checksum, 8 bytes, as one big-endian integer, since one wide operation is quicker than two.  ``count`` is the
number of elements.  The difference of two sets' symbols at one index is the symbol of what only one of them has: what
both have cancels, and the sign of the count tells whose the rest is.
"""

from __future__ import annotations

from dataclasses import dataclass

ELEMENT_BYTES = 16
"""An element is the first bytes of a claim id: enough to find the claim by."""
CHECKSUM_BYTES = 8
SYMBOL_BYTES = ELEMENT_BYTES + CHECKSUM_BYTES
CHECKSUM_BITS = 8 * CHECKSUM_BYTES


@dataclass(frozen=True, slots=True)
class CodedSymbol:
    """One coded symbol.  As a peer gives it, all of it can be a lie."""

    xor: int
    """Of the elements and their checksums, below 2 to the power of 192."""
    count: int
    """Elements; in a difference, those of the first set less those of the second."""

    def minus(self, other: CodedSymbol) -> CodedSymbol:
        """The symbol of the difference."""
        return CodedSymbol(self.xor ^ other.xor, self.count - other.count)


def coded(element: bytes, digest: bytes) -> int:
    """The ``xor`` of a symbol that has this element alone; ``digest`` is its keyed hash
    (`weft.exchange.riblt.mapping`)."""
    return int.from_bytes(element + digest[:CHECKSUM_BYTES], "big")
