"""Peeling: from the coded symbols of two sets to what only one of them has.

Theory of operation
-------------------
Symbol i of the difference is theirs less ours.  One that holds a single element shows it: its count is 1 or -1, and its
checksum is that of its xor.  The element is removed from every symbol that it is part of, also from those that arrive
later, which may leave others with a single element.  Every element is part of symbol 0, so the difference is known when
symbol 0 is empty, and two equal sets show that in one symbol.

Nothing that a peer sends makes this raise, return what does not fit its symbols, or take long.  If the symbols are of
two fixed sets, these rules hold, but for a chance of about 2^-64 a test, and the first broken one ends it, `BROKEN`:

- an element is part of the symbol that showed it, and of none that is empty;
- when symbol 0 is empty, all others are.

So each element that is found empties a symbol that stays empty: there are at most as many as symbols, none is found
twice, each costs a hash and about 2 ln(symbols) steps, and no crafted pair of symbols can hand an element to and fro.
A set that changes while its symbols are sent ends so too, or at the cap: some symbols have the element, others lack it.

A peer who knows the key can still show elements that nobody has, or claim that we lack what we have.  What is found is
no more than a hint at what to offer and to want; before `DECODED`, and after any other end, it is not even that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from weft.exchange.riblt.codec import ESTIMATE_SYMBOLS, estimate
from weft.exchange.riblt.mapping import MAX_SYMBOLS, keyed_hash, positions
from weft.exchange.riblt.symbol import CHECKSUM_BITS, ELEMENT_BYTES, CodedSymbol, coded


class DecoderStatus(Enum):
    """How far a decoder is; all but `MORE` are final."""

    MORE = "more symbols are needed"
    DECODED = "the difference is known"
    BROKEN = "these are not the symbols of two fixed sets"
    CAPPED = "not decoded by as many symbols as were allowed"


@dataclass(frozen=True, slots=True)
class _Found:
    """An element, and the symbols still to arrive from which it must be removed."""

    xor: int
    sign: int
    later: Iterator[int]


class Decoder:
    """Takes the symbols of both sides in order from 0, and finds what only one side has; gives up after ``cap``."""

    def __init__(self, key: bytes, cap: int) -> None:
        if not 0 < cap <= MAX_SYMBOLS:
            raise ValueError(f"a decoder takes 1 to {MAX_SYMBOLS} symbols, not {cap}")
        self._digest = keyed_hash(key)
        self._cap = cap
        self._status = DecoderStatus.MORE
        self._xors: list[int] = []
        self._counts: list[int] = []
        self._nonempty = 0
        self._ripe: list[int] = []
        """Symbols whose count has become 1 or -1 and that were not yet looked at."""
        self._waiting: dict[int, list[_Found]] = {}
        """Elements by the next symbol from which they must be removed when it arrives."""
        self._first_counts: list[int] = []
        self._only_theirs: list[bytes] = []
        self._only_ours: list[bytes] = []

    @property
    def status(self) -> DecoderStatus:
        """How far it is."""
        return self._status

    @property
    def received(self) -> int:
        """The symbols that were taken; also the index of the one that comes next."""
        return len(self._xors)

    @property
    def only_theirs(self) -> tuple[bytes, ...]:
        """What only they have, as found so far; all of it when `DECODED`.  Their word."""
        return tuple(self._only_theirs)

    @property
    def only_ours(self) -> tuple[bytes, ...]:
        """What only we have, as found so far; all of it when `DECODED`.  Their word too."""
        return tuple(self._only_ours)

    def estimate(self) -> int:
        """About how many differences there are; exact when `DECODED`."""
        found = len(self._only_theirs) + len(self._only_ours)
        return found if self._status is DecoderStatus.DECODED else max(found + 1, estimate(self._first_counts))

    def receive(self, theirs: Iterable[CodedSymbol], ours: Iterable[CodedSymbol]) -> DecoderStatus:
        """Take the symbols that come next, as many of theirs as of ours (else `ValueError`), and peel after each.

        What comes after the end is not read.
        """
        if self._status is not DecoderStatus.MORE:
            return self._status
        for their, our in zip(theirs, ours, strict=True):
            self._place(their.minus(our))
            if self._peel():
                self._judge()
            else:
                self._status = DecoderStatus.BROKEN
            if self._status is not DecoderStatus.MORE:
                self._waiting.clear()
                break
        return self._status

    def _place(self, symbol: CodedSymbol) -> None:
        """Append a symbol, without what was already found."""
        xor, count = symbol.xor, symbol.count
        at = len(self._xors)
        if at < ESTIMATE_SYMBOLS:
            self._first_counts.append(count)
        for found in self._waiting.pop(at, ()):
            xor ^= found.xor
            count -= found.sign
            self._wait(found)
        self._xors.append(xor)
        self._counts.append(count)
        self._nonempty += xor != 0 or count != 0
        if count == 1 or count == -1:
            self._ripe.append(at)

    def _peel(self) -> bool:
        """Find elements until no symbol shows one; whether all was as it must be."""
        while self._ripe:
            at = self._ripe.pop()
            sign, xor = self._counts[at], self._xors[at]
            if sign != 1 and sign != -1:
                continue
            element = (xor >> CHECKSUM_BITS).to_bytes(ELEMENT_BYTES, "big")
            digest = self._digest(element)
            if coded(element, digest) != xor:
                continue
            if not self._remove(at, _Found(xor, sign, positions(digest))):
                return False
            (self._only_theirs if sign > 0 else self._only_ours).append(element)
        return True

    def _remove(self, shown_by: int, found: _Found) -> bool:
        """Remove an element from all symbols that are here, unless one of them cannot hold it."""
        xors, counts = self._xors, self._counts
        held = self._wait(found)
        if shown_by not in held or not all(xors[at] or counts[at] for at in held):
            return False
        for at in held:
            xors[at] ^= found.xor
            counts[at] = count = counts[at] - found.sign
            if count == 1 or count == -1:
                self._ripe.append(at)
            elif not count and not xors[at]:
                self._nonempty -= 1
        return True

    def _wait(self, found: _Found) -> list[int]:
        """Go on to the next symbol that is not here yet, and wait for it; the symbols passed on the way."""
        passed = []
        received = len(self._xors)
        for at in found.later:
            if at >= received:
                self._waiting.setdefault(at, []).append(found)
                break
            passed.append(at)
        return passed

    def _judge(self) -> None:
        if not self._nonempty:
            self._status = DecoderStatus.DECODED
        elif not self._xors[0] and not self._counts[0]:
            self._status = DecoderStatus.BROKEN
        elif len(self._xors) >= self._cap:
            self._status = DecoderStatus.CAPPED
