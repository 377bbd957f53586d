"""Offering ids: what goes out in frames that offer, and which of it the peer then wants.

Theory of operation
-------------------
Nothing is sent that was not wanted, and nothing is wanted that was not offered or decoded.  Frames that offer (Offer,
Listing, Answer, News) are numbered from 1 in the order in which they are sent, and the peer answers each by one `Want`,
in order, which says by one bit an id which claims it lacks.  At most ``open_offers`` are without an answer, so only
their ids are remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Scope
from weft.exchange.line import Line
from weft.v1 import exchange_pb2 as wire


class Offers:
    """What we offer."""

    def __init__(self, line: Line, give: Callable[[list[bytes]], None]) -> None:
        """``give`` gets what is wanted."""
        self._line = line
        self._give = give
        self._queue: deque[bytes] = deque()
        self._frames: deque[tuple[list[bytes], wire.Frame]] = deque()
        """Frames that are ready but for their turn, with the elements in them."""
        self._open: deque[list[bytes]] = deque()
        self._answered = 0

    @property
    def all_sent(self) -> bool:
        """Nothing waits for its turn."""
        return not self._queue and not self._frames

    @property
    def answering(self) -> bool:
        """An answer waits for its turn."""
        return any(frame.HasField("answer") for _, frame in self._frames)

    @property
    def idle(self) -> bool:
        """All was sent and answered."""
        return self.all_sent and not self._open

    def add(self, elements: Iterable[bytes]) -> None:
        """Offer these, when it is their turn."""
        self._queue.extend(elements)
        self.pump()

    def add_listing(self, scope: Scope, elements: list[bytes], last: bool) -> None:
        """Send a piece of a listing, of at most ``frame_ids`` elements, when it is its turn."""
        self._add(elements, wire.Frame(listing=wire.Listing(scope=scope.value, ids=b"".join(elements), last=last)))

    def add_answer(self, elements: list[bytes], done: int, after: bytes) -> None:
        """Answer what the peer asked."""
        self._add(elements, wire.Frame(answer=wire.Answer(ids=b"".join(elements), done=done, after=after)))

    def add_news(self, digests: Sequence[bytes], *, last: bool, anew: bool = False) -> None:
        """Tell what claims that came later are about; nothing can be wanted of it."""
        self._add([], wire.Frame(news=wire.News(ids=b"".join(digests), last=last, anew=anew)))

    def _add(self, elements: list[bytes], frame: wire.Frame) -> None:
        self._frames.append((elements, frame))
        self.pump()

    def pump(self) -> None:
        """Send as much as may be open."""
        while len(self._open) < self._line.limits.open_offers and not self.all_sent:
            if self._frames:
                elements, frame = self._frames.popleft()
            else:
                count = min(len(self._queue), self._line.limits.frame_ids)
                elements = [self._queue.popleft() for _ in range(count)]
                frame = wire.Frame(offer=wire.Offer(ids=b"".join(elements)))
            self._line.send(frame)
            self._open.append(elements)

    def wanted(self, number: int, bits: bytes) -> None:
        """The peer's answer to the oldest open offer."""
        if not self._open or number != self._answered + 1:
            raise RemoteProtocolError(f"want: offer {number} is not the oldest without an answer")
        elements = self._open.popleft()
        self._answered += 1
        chosen = int.from_bytes(bits, "little")
        if chosen.bit_length() > len(elements) or (bits and not bits[-1]):
            raise RemoteProtocolError("want: its bits are more than the offer has ids")
        self._give([element for at, element in enumerate(elements) if chosen >> at & 1])
        self.pump()
