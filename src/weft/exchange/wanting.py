"""Wanting claims: of what is offered or was decoded, that which is not here.

Theory of operation
-------------------
A wanted element is **open** from the frame that wants it until its claim has come, or the peer says that it is gone.
Only open ones are taken, so this set decides what a peer can make us look at.  It has at most ``open_wants`` elements;
what goes beyond waits.  What was proved and refused before is not wanted again.

The peer can offer what it does not have, and find no end: it may offer ``offered_ids`` in a session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from weft.errors import RemoteProtocolError
from weft.exchange.events import FindMissing
from weft.exchange.feeds import Feeds
from weft.exchange.line import Line
from weft.exchange.reading import AT_A_TIME
from weft.exchange.refusing import Refused
from weft.v1 import exchange_pb2 as wire


class Wants:
    """What we want."""

    def __init__(self, line: Line, refused: Refused, taken: Callable[[], Feeds]) -> None:
        """``refused``: what is not wanted again; ``taken``: the feeds that come to us."""
        self._line = line
        self._refused = refused
        self._taken = taken
        self.open: dict[bytes, None] = {}
        """Wanted of this peer and not answered yet."""
        self._offered = 0
        self._frames = 0
        self._offers: dict[int, tuple[Sequence[bytes], Sequence[bytes]]] = {}
        """Offers that were looked up, by number: their ids, and those that are missing."""
        self._decoded: deque[bytes] = deque()
        self._unanswered = 0
        """Offers without our Want."""
        self._looking = 0
        """Questions to the store."""

    @property
    def all_sent(self) -> bool:
        """Nothing waits to be wanted."""
        return not self._unanswered and not self._looking and not self._decoded

    @property
    def idle(self) -> bool:
        """Nothing is wanted any more."""
        return self.all_sent and not self.open

    def offered(self, elements: Sequence[bytes], weight: int = 0) -> None:
        """The peer's next frame that offers, answered when the store has been asked.

        ``weight``: how many ids of another kind stand in it.
        """
        self._offered += len(elements) + weight
        if self._offered > self._line.limits.offered_ids:
            raise RemoteProtocolError("offer: too many ids for one session", "offered_ids")
        self._frames += 1
        self._unanswered += 1
        if self._unanswered > self._line.limits.open_offers:
            raise RemoteProtocolError("offer: too many without an answer", "open_offers")
        number = self._frames
        self._looking += 1
        self._look(elements, lambda missing: self._found(number, elements, missing))

    def decoded(self, elements: Sequence[bytes]) -> None:
        """What only the peer has, as its symbols say."""
        if elements:
            self._looking += 1
            self._look(elements, self._found_decoded)

    def _look(self, elements: Sequence[bytes], then: Callable[[Sequence[bytes]], None]) -> None:
        """Ask the store which are missing, piece by piece."""
        missing: list[bytes] = []

        def piece(start: int, found: Sequence[bytes]) -> None:
            missing.extend(found)
            some = elements[start : start + AT_A_TIME]
            if some:
                self._line.ask(FindMissing(some, self._taken()), lambda more: piece(start + AT_A_TIME, more))
            else:
                then(missing)

        piece(0, ())

    def _found(self, number: int, elements: Sequence[bytes], missing: Sequence[bytes]) -> None:
        self._looking -= 1
        self._offers[number] = (elements, missing)
        self.pump()

    def _found_decoded(self, missing: Sequence[bytes]) -> None:
        self._looking -= 1
        self._decoded.extend(element for element in missing if element not in self._refused)
        self.pump()

    def pump(self) -> None:
        """Want as much as may be open."""
        while (oldest := self._oldest) in self._offers and self._room(len(self._offers[oldest][1])):
            self._answer(oldest, *self._offers.pop(oldest))
        while self._decoded:
            count = min(len(self._decoded), self._line.limits.frame_ids)
            if not self._room(count):
                break
            elements = [self._decoded.popleft() for _ in range(count)]
            fresh = [element for element in dict.fromkeys(elements) if element not in self.open]
            if fresh:
                self.open.update(dict.fromkeys(fresh))
                self._line.send(wire.Frame(want=wire.Want(ids=b"".join(fresh))))

    @property
    def _oldest(self) -> int:
        """The number of the oldest offer without our answer; the store may look up others before it."""
        return self._frames - self._unanswered + 1

    def _room(self, count: int) -> bool:
        return len(self.open) + count <= self._line.limits.open_wants

    def _answer(self, number: int, elements: Sequence[bytes], missing: Sequence[bytes]) -> None:
        lacking = set(missing)
        bits = 0
        for at, element in enumerate(elements):
            if element in lacking and element not in self.open and element not in self._refused:
                self.open[element] = None
                bits |= 1 << at
        self._unanswered -= 1
        octets = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
        self._line.send(wire.Frame(want=wire.Want(offer=number, bits=octets)))

    def gone(self, elements: Sequence[bytes]) -> None:
        """The peer cannot send these."""
        for element in elements:
            if element not in self.open:
                raise RemoteProtocolError("gone: an id was not wanted")
            del self.open[element]
        self._line.report.gone += len(elements)
        self.pump()
