"""Cursors: how far a side has asked a peer for its threads, so that the next session goes on from there.

Theory of operation
-------------------
What was asked holds up to a position of the answerer's log.  A position tells how much there is, also of what the asker
may not read, so it never travels: the answerer makes up 16 random octets for each session (``next``), and remembers
which position they stand for (`Told`); the asker shows them in the next session, and remembers what it has asked
(`Asked`).  Both are of one agreement.

A log that was restored from a backup is another one, on either side.  So the last claims up to a position (``upto``)
are kept as a digest, and if they are others now, all is asked anew.  That position is not the one up to which was
asked: the answerer also remembers what came from the asker beyond it, and does not answer with that again, so each side
has to know whether its log is still whole as far as claims of it were handed over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from weft.core.feed import Feed
from weft.core.id_digest import ID_DIGEST_OCTETS
from weft.exchange.events import Entry, ReadLog
from weft.exchange.line import Line

CURSOR_OCTETS = 16
TAIL_OCTETS = 16
_TAIL = 256
"""Claims that are compared."""
_RANGES = 64
_HEAD = struct.Struct(f"<B{CURSOR_OCTETS}s32sQ{TAIL_OCTETS}sI")
_NUMBER = struct.Struct("<Q")
_COUNTS = struct.Struct("<QII")
_RANGE = struct.Struct("<QQ")
_LENGTH = struct.Struct("<H")
_VERSION = 3


def read_tail(line: Line, position: int, then: Callable[[bytes], None]) -> None:
    """16 octets about the last claims of our log up to a position."""
    first = max(0, position - _TAIL)
    line.ask(ReadLog(first, position - first), lambda entries: then(_digest(entries, position)))


def _digest(entries: Sequence[Entry], position: int) -> bytes:
    digest = sha256(b"weft/v1/tail\0")
    for entry in entries:
        if entry.position <= position:
            digest.update(entry.element)
    return digest.digest()[:TAIL_OCTETS]


@dataclass(frozen=True, slots=True)
class Asked:
    """What we asked a peer, as far as it was answered in full."""

    cursor: bytes
    digest: bytes
    """32 octets: of the agreement, and of all else that decided what was asked (`weft.exchange.asking`)."""
    position: int
    """Of our own log, as far as its trees were looked at."""
    upto: int
    """The same, as far as claims of it may have been handed over."""
    tail: bytes
    """Up to ``upto``."""
    ids: frozenset[bytes]
    """Digests of message ids."""
    unread: frozenset[bytes] = frozenset()
    """Those of which not all claims were read, because they have too many."""
    cut: tuple[bytes, ...] = ()
    """The roots of trees of which not all was asked."""
    refused: tuple[Feed, ...] = ()
    """The feeds of which something was refused, ascending."""

    def dump(self) -> bytes:
        """For storage."""
        head = _HEAD.pack(_VERSION, self.cursor, self.digest, self.position, self.tail, len(self.ids))
        counts = _COUNTS.pack(self.upto, len(self.unread), len(self.cut))
        names = (*self.cut, *(octets for feed in self.refused for octets in feed))
        strings = (_LENGTH.pack(len(name)) + name for name in names)
        return head + counts + b"".join((*sorted(self.ids), *sorted(self.unread), *strings))


@dataclass(frozen=True, slots=True)
class Told:
    """How far a peer has asked us."""

    cursor: bytes
    digest: bytes
    position: int
    """Of our log, when the session began."""
    tail: bytes
    """Up to ``upto``."""
    learned: tuple[range, ...] = ()
    """Positions of claims that came from the peer itself, ascending; beyond ``position`` too."""
    asked: int = 0
    """About how many ids."""

    @property
    def upto(self) -> int:
        """As far as this says something about our log."""
        return max([self.position, *(some.stop - 1 for some in self.learned)])

    def dump(self) -> bytes:
        """For storage."""
        head = _HEAD.pack(_VERSION, self.cursor, self.digest, self.position, self.tail, len(self.learned))
        return head + _NUMBER.pack(self.asked) + b"".join(_RANGE.pack(some.start, some.stop) for some in self.learned)


def longest(ranges: Iterable[range]) -> tuple[range, ...]:
    """Positions in as few ranges as are remembered, ascending: the others are forgotten, which costs telling them."""
    merged: list[range] = []
    for some in sorted(ranges, key=lambda some: some.start):
        if merged and some.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(some.stop, merged[-1].stop))
        elif some:
            merged.append(some)
    kept = sorted(merged, key=len, reverse=True)[:_RANGES]
    return tuple(sorted(kept, key=lambda some: some.start))


def load_asked(octets: bytes) -> Asked | None:
    """What `Asked.dump` gave; None if it cannot be read."""
    first = _HEAD.size + _COUNTS.size
    if len(octets) < first or octets[0] != _VERSION:
        return None
    _, cursor, digest, position, tail, count = _HEAD.unpack_from(octets)
    upto, unread, cut = _COUNTS.unpack_from(octets, _HEAD.size)
    places = [first, first + count * ID_DIGEST_OCTETS, first + (count + unread) * ID_DIGEST_OCTETS]
    names: list[bytes] = []
    start = places[-1]
    while start + _LENGTH.size <= len(octets):
        stop = start + _LENGTH.size + _LENGTH.unpack_from(octets, start)[0]
        names.append(octets[start + _LENGTH.size : stop])
        start = stop
    if start != len(octets) or len(names) < cut or (len(names) - cut) % 2:
        return None
    ids, over = (
        frozenset(octets[at : at + ID_DIGEST_OCTETS] for at in range(begin, end, ID_DIGEST_OCTETS))
        for begin, end in pairwise(places)
    )
    refused = tuple(Feed(*feed) for feed in zip(names[cut::2], names[cut + 1 :: 2], strict=True))
    return Asked(cursor, digest, position, upto, tail, ids, over, tuple(names[:cut]), refused)


def load_told(octets: bytes) -> list[Told]:
    """Those whose `Told.dump` were put one after the other; as many as can be read."""
    found = []
    start = 0
    while start + _HEAD.size <= len(octets) and octets[start] == _VERSION:
        _, cursor, digest, position, tail, count = _HEAD.unpack_from(octets, start)
        start += _HEAD.size
        if start + _NUMBER.size + count * _RANGE.size > len(octets):
            break
        [asked] = _NUMBER.unpack_from(octets, start)
        start += _NUMBER.size
        ranges = [range(*_RANGE.unpack_from(octets, start + at * _RANGE.size)) for at in range(count)]
        found.append(Told(cursor, digest, position, tail, tuple(ranges), asked))
        start += count * _RANGE.size
    return found
