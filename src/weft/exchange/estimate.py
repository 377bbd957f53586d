"""How many differences there are, from the counts of the first symbols.

Theory of operation
-------------------
Symbol i of a difference of d elements counts each of them, as 1 or -1, with probability p = 2 / (i + 2).  Symbol 0 has
them all: its count is the surplus s of one side.  The count of symbol i then is s * p on average, with variance
d * p * (1 - p), so each symbol gives a square whose average is d.  The mean over m symbols has a relative standard
error of the square root of 2 / m: a quarter for 32.  That is near enough to choose a number of symbols, or listing.
"""

from __future__ import annotations

from collections.abc import Sequence

ESTIMATE_SYMBOLS = 32
"""More are not looked at: the first decode what is few anyway."""


def estimate(counts: Sequence[int]) -> int:
    """About how many differences there are, from the counts of the first symbols of a difference, at least |surplus|.

    0 without symbols.  The peer can make it anything.
    """
    if not counts:
        return 0
    surplus = counts[0]
    squares = [
        # (count - s p)^2 / (p (1 - p)), in integers as far as they go.
        (count * (at + 2) - 2 * surplus) ** 2 / (2 * at)
        for at, count in enumerate(counts[1:ESTIMATE_SYMBOLS], 1)
    ]
    return max(abs(surplus), round(sum(squares) / len(squares)) if squares else 0)


def symbols_for(differences: int) -> int:
    """By how many symbols so many differences are decoded nearly always (1.4 each, more if few): to plan with."""
    return differences * 3 // 2 + 40
