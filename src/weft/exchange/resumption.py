"""What is kept of a peer between sessions, as one string of bytes: up to three things that are kept apart in it.

All of it can be lost at any time, and costs one exchange from the start.  What cannot be read is as good as lost.

What is kept of a peer between sessions: the key of the pair, and sketches of our own sets under it.

Theory of operation
-------------------
The sketches say nothing about the peer; they are of the claims that *we* hold in the agreed feeds, as far as a position
of our log, and the next session folds in what came since.  So all of it can be lost at any time and costs one listing.
It counts only if both sides have kept it for the same agreement and key, which `KeptSketches.mark` tells without
telling them.

A log that was restored from a backup is another one.  The element at the position is kept as well, and if it is not
there any more, nothing kept is used.  Where that is not enough the sketch does not decode, and is made anew.

Cursors: how far a side has asked a peer for its threads, so that the next session goes on from there.

Theory of operation
-------------------
What was asked holds up to a position of the answerer's log.  A position tells how much there is, also of what the asker
may not read, so it never travels: the answerer makes up 16 random bytes for each session (``next``), and remembers
which position they stand for (`ResponderCursor`); the asker shows them in the next session, and remembers what it has
asked (`RequesterCursor`).  Both are of one agreement.

A log that was restored from a backup is another one, on either side.  So the last claims up to a position (``upto``)
are kept as a digest, and if they are others now, all is asked anew.  That position is not the one up to which was
asked: the answerer also remembers what came from the asker beyond it, and does not answer with that again, so each side
has to know whether its log is still whole as far as claims of it were handed over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from itertools import pairwise

from weft.core.feed import Feed
from weft.core.id_digest import ID_DIGEST_BYTES
from weft.errors import StoreError
from weft.exchange.agreement import Scope
from weft.exchange.events import KeepState, LogEntry, LogPage, ReadLog
from weft.exchange.outbox import Outbox
from weft.exchange.riblt.mapping import KEY_BYTES
from weft.exchange.riblt.sketch import Sketch
from weft.exchange.riblt.symbol import ELEMENT_BYTES

_HEAD = struct.Struct("<BI")


class StateSection(IntEnum):
    """What is kept."""

    SKETCHES = 1
    ASKED = 2
    TOLD = 3


class ResumptionState:
    """What is kept, and how it changes in a session."""

    def __init__(self, outbox: Outbox, data: bytes) -> None:
        self._outbox = outbox
        self._sections = _split(data)

    def get(self, section: StateSection) -> bytes:
        """What is kept; empty if nothing is."""
        return self._sections.get(section, b"")

    def set(self, section: StateSection, data: bytes, then: Callable[[], None] = lambda: None) -> None:
        """Keep something else (empty: nothing), and go on when that is done."""
        self._sections[section] = data
        kept = (
            part
            for name, some in sorted(self._sections.items())
            if some
            for part in (_HEAD.pack(name, len(some)), some)
        )
        self._outbox.ask(KeepState(b"".join(kept)), lambda _: then())


def _split(data: bytes) -> dict[StateSection, bytes]:
    sections: dict[StateSection, bytes] = {}
    start = 0
    while start + _HEAD.size <= len(data):
        name, length = _HEAD.unpack_from(data, start)
        start += _HEAD.size
        if name not in set(StateSection) or start + length > len(data):
            break
        sections[StateSection(name)] = data[start : start + length]
        start += length
    return sections


MARK_BYTES = 16
SKETCH_KEY_DOMAIN = b"weft/v1/kept-sketch\0"
_SKETCHES_VERSION = 1
_DIGEST_BYTES = 32
_HEADER = struct.Struct(f"<B{_DIGEST_BYTES}s{KEY_BYTES}sQ{ELEMENT_BYTES}s")
_SCOPE = struct.Struct("<BI")


@dataclass(frozen=True, slots=True)
class KeptSketches:
    """Key, agreement, and how far the sketches go."""

    digest: bytes
    """32 bytes: of the agreement."""
    key: bytes
    position: int = 0
    element: bytes = bytes(ELEMENT_BYTES)
    """The one at the position; zeros at 0."""
    sketches: Mapping[Scope, bytes] | None = None
    """As `Sketch.dump` gives them."""

    @property
    def mark(self) -> bytes:
        """16 bytes that are equal on both sides for an equal key and agreement, and tell neither."""
        return sha256(SKETCH_KEY_DOMAIN + self.digest + self.key).digest()[:MARK_BYTES]

    def sketch(self, scope: Scope) -> Sketch:
        """The sketch of a scope; `StoreError` if it is not there, or damaged."""
        try:
            return Sketch.load(self.key, (self.sketches or {})[scope])
        except KeyError:
            raise _unreadable_sketches() from None

    def dump(self) -> bytes:
        """For storage."""
        parts = [_HEADER.pack(_SKETCHES_VERSION, self.digest, self.key, self.position, self.element)]
        for scope, data in (self.sketches or {}).items():
            parts += _SCOPE.pack(scope, len(data)), data
        return b"".join(parts)


def load_sketches(data: bytes) -> KeptSketches:
    """What `KeptSketches.dump` gave; `StoreError` if it is of another version, or cut."""
    if len(data) < _HEADER.size or data[0] != _SKETCHES_VERSION:
        raise _unreadable_sketches()
    _, digest, key, position, element = _HEADER.unpack_from(data)
    sketches = {}
    start = _HEADER.size
    while start < len(data):
        if start + _SCOPE.size > len(data):
            raise _unreadable_sketches()
        scope, length = _SCOPE.unpack_from(data, start)
        start += _SCOPE.size
        if scope not in set(Scope) or start + length > len(data):
            raise _unreadable_sketches()
        sketches[Scope(scope)] = data[start : start + length]
        start += length
    return KeptSketches(digest, key, position, element, sketches)


def _unreadable_sketches() -> StoreError:
    return StoreError("what was kept of a peer cannot be read; the next exchange with it starts over")


CURSOR_BYTES = 16
TAIL_BYTES = 16
_TAIL = 256
"""Claims that are compared."""
_RANGES = 64
_CURSOR_HEAD = struct.Struct(f"<B{CURSOR_BYTES}s32sQ{TAIL_BYTES}sI")
_NUMBER = struct.Struct("<Q")
_COUNTS = struct.Struct("<QII")
_RANGE = struct.Struct("<QQ")
_LENGTH = struct.Struct("<H")
_CURSOR_VERSION = 3


def read_tail(outbox: Outbox, position: int, then: Callable[[bytes], None]) -> None:
    """16 bytes about the last claims of our log up to a position."""
    first = max(0, position - _TAIL)
    outbox.ask(ReadLog(first, position - first), lambda page: then(_digest(page, position)))


def _digest(page: LogPage[LogEntry], position: int) -> bytes:
    digest = sha256(b"weft/v1/tail\0")
    for entry in page.entries:
        if entry.position <= position:
            digest.update(entry.element)
    return digest.digest()[:TAIL_BYTES]


@dataclass(frozen=True, slots=True)
class RequesterCursor:
    """What we asked a peer, as far as it was answered in full."""

    cursor: bytes
    digest: bytes
    """32 bytes: of the agreement, and of all else that decided what was asked (`weft.exchange.thread_requester`)."""
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
        head = _CURSOR_HEAD.pack(_CURSOR_VERSION, self.cursor, self.digest, self.position, self.tail, len(self.ids))
        counts = _COUNTS.pack(self.upto, len(self.unread), len(self.cut))
        names = (*self.cut, *(data for feed in self.refused for data in feed))
        strings = (_LENGTH.pack(len(name)) + name for name in names)
        return head + counts + b"".join((*sorted(self.ids), *sorted(self.unread), *strings))


@dataclass(frozen=True, slots=True)
class ResponderCursor:
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
        head = _CURSOR_HEAD.pack(_CURSOR_VERSION, self.cursor, self.digest, self.position, self.tail, len(self.learned))
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


def load_requester_cursor(data: bytes) -> RequesterCursor | None:
    """What `RequesterCursor.dump` gave; None if it cannot be read."""
    first = _CURSOR_HEAD.size + _COUNTS.size
    if len(data) < first or data[0] != _CURSOR_VERSION:
        return None
    _, cursor, digest, position, tail, count = _CURSOR_HEAD.unpack_from(data)
    upto, unread, cut = _COUNTS.unpack_from(data, _CURSOR_HEAD.size)
    places = [first, first + count * ID_DIGEST_BYTES, first + (count + unread) * ID_DIGEST_BYTES]
    names: list[bytes] = []
    start = places[-1]
    while start + _LENGTH.size <= len(data):
        stop = start + _LENGTH.size + _LENGTH.unpack_from(data, start)[0]
        names.append(data[start + _LENGTH.size : stop])
        start = stop
    if start != len(data) or len(names) < cut or (len(names) - cut) % 2:
        return None
    ids, over = (
        frozenset(data[at : at + ID_DIGEST_BYTES] for at in range(begin, end, ID_DIGEST_BYTES))
        for begin, end in pairwise(places)
    )
    refused = tuple(Feed(*feed) for feed in zip(names[cut::2], names[cut + 1 :: 2], strict=True))
    return RequesterCursor(cursor, digest, position, upto, tail, ids, over, tuple(names[:cut]), refused)


def load_responder_cursor(data: bytes) -> list[ResponderCursor]:
    """Those whose `ResponderCursor.dump` were put one after the other; as many as can be read."""
    found = []
    start = 0
    while start + _CURSOR_HEAD.size <= len(data) and data[start] == _CURSOR_VERSION:
        _, cursor, digest, position, tail, count = _CURSOR_HEAD.unpack_from(data, start)
        start += _CURSOR_HEAD.size
        if start + _NUMBER.size + count * _RANGE.size > len(data):
            break
        [asked] = _NUMBER.unpack_from(data, start)
        start += _NUMBER.size
        ranges = [range(*_RANGE.unpack_from(data, start + at * _RANGE.size)) for at in range(count)]
        found.append(ResponderCursor(cursor, digest, position, tail, tuple(ranges), asked))
        start += count * _RANGE.size
    return found
