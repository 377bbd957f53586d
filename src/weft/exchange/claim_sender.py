"""Offering ids: what goes out in frames that offer, and which of it the peer then wants.

Theory of operation
-------------------
Nothing is sent that was not wanted, and nothing is wanted that was not offered or decoded.  Frames that offer (Offer,
Listing, Answer, News) are numbered from 1 in the order in which they are sent, and the peer answers each by one `Want`,
in order, which says by one bit an id which claims it lacks.  At most ``open_offers`` are without an answer, so only
their ids are remembered.

Giving claims: from what the peer wants to frames of claims with their proofs.

Theory of operation
-------------------
What is wanted is first located, then fetched in the order of batches, so that one proof serves many claims.  Where a
claim stands tells its feed, and what this peer may not read is answered like what is not here: gone.  So a peer that
asks for ids learns nothing that its rights do not give it.

Claims are fetched page by page, and at most ``open_claims`` frames are without an acknowledgement, so a slow peer costs
a page and some frames.  A peer may have ``open_wants`` ids open, and want by id no more of them than the sets have that
it was shown symbols of: nobody is sent the same again and again.

What arrives after a position, from anywhere: offered to the peer or, in threads mode, told by the ids in it.

Frames are filled before they are sent, whatever lies in the log between the claims that go into them: how they are cut
must not show what the peer may not read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from weft.core.feed import Feed
from weft.errors import RemoteProtocolError
from weft.exchange.agreement import Scope
from weft.exchange.claim_proofs import pack
from weft.exchange.events import (
    ClaimLocation,
    Fetch,
    Locate,
    LogEntry,
    LogPage,
    NamedEntry,
    ReadLog,
    ReadNames,
    StoredPart,
)
from weft.exchange.log_reader import AT_A_TIME, PAGE
from weft.exchange.outbox import Outbox
from weft.policy.feed_ranges import FeedRanges
from weft.v1 import exchange_pb2 as wire


class OfferQueue:
    """What we offer."""

    def __init__(self, outbox: Outbox, give: Callable[[list[bytes]], None]) -> None:
        """``give`` gets what is wanted."""
        self._outbox = outbox
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
    def has_unanswered(self) -> bool:
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
        while len(self._open) < self._outbox.limits.open_offers and not self.all_sent:
            if self._frames:
                elements, frame = self._frames.popleft()
            else:
                count = min(len(self._queue), self._outbox.limits.frame_ids)
                elements = [self._queue.popleft() for _ in range(count)]
                frame = wire.Frame(offer=wire.Offer(ids=b"".join(elements)))
            self._outbox.send(frame)
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


FETCHED = 512
"""Claims that are read at a time: 20 MiB at worst."""


class ClaimSender:
    """What we owe."""

    def __init__(self, outbox: Outbox, gives: Callable[[Feed], bool]) -> None:
        """``gives``: whether the peer may have claims of a feed."""
        self._outbox = outbox
        self._gives = gives
        self._wanted: dict[bytes, None] = {}
        self._located: deque[ClaimLocation] = deque()
        self._frames: deque[tuple[list[bytes], int]] = deque()
        self._busy = False
        self._unacked = 0
        self._owed = 0
        self._budget = 0

    @property
    def idle(self) -> bool:
        """Nothing is owed, and all that was sent is on the peer's disk."""
        return not self._owed and not self._unacked and not self._busy

    def allow(self, count: int) -> None:
        """So many more may be wanted by id."""
        self._budget += count

    def want_ids(self, elements: list[bytes]) -> None:
        """What the peer wants because it was decoded."""
        self._budget -= len(elements)
        if self._budget < 0:
            raise RemoteProtocolError("want: more ids than the sets have that symbols were sent of", "wants")
        self.want(elements)

    def want(self, elements: list[bytes]) -> None:
        """What the peer wants."""
        self._owed += len(elements)
        if self._owed > self._outbox.limits.open_wants:
            raise RemoteProtocolError("want: too many ids are open", "open_wants")
        before = len(self._wanted)
        self._wanted.update(dict.fromkeys(elements))
        if len(self._wanted) != before + len(elements):
            raise RemoteProtocolError("want: an id is wanted twice")
        self.pump()

    def pump(self) -> None:
        """Send frames that are ready, else make some ready."""
        self._flush()
        if self._busy or self._frames:
            return
        if self._located:
            page = list(islice(self._located, FETCHED))
            for _ in page:
                self._located.popleft()
            self._busy = True
            self._outbox.ask(Fetch(page), lambda pieces: self._fetched(page, pieces))
        elif self._wanted:
            elements, self._wanted = list(self._wanted), {}
            self._busy = True
            self._locate(elements, 0, {})

    def _locate(self, elements: Sequence[bytes], start: int, ours: dict[bytes, ClaimLocation]) -> None:
        """Ask the store where claims stand, piece by piece, and put them into the order of batches."""
        some = elements[start : start + AT_A_TIME]
        if some:
            self._outbox.ask(Locate(some), lambda found: self._found(elements, start + AT_A_TIME, ours, found))
            return
        self._busy = False
        self._gone([element for element in elements if element not in ours])
        self._located.extend(sorted(ours.values(), key=lambda where: where[:2]))
        self.pump()

    def _found(
        self, elements: Sequence[bytes], start: int, ours: dict[bytes, ClaimLocation], found: Sequence[ClaimLocation]
    ) -> None:
        ours.update((where.element, where) for where in found if self._gives(where.feed))
        self._locate(elements, start, ours)

    def _fetched(self, page: Sequence[ClaimLocation], pieces: Sequence[StoredPart]) -> None:
        self._busy = False
        found = {(piece.batch, leaf) for piece in pieces for leaf, _ in piece.claims}
        self._gone([where.element for where in page if where[:2] not in found])  # expunged since they were located
        self._owed -= len(found)
        self._frames.extend(pack(pieces, self._outbox.limits.frame_octets))
        self.pump()

    def _gone(self, elements: Sequence[bytes]) -> None:
        self._owed -= len(elements)
        for start in range(0, len(elements), self._outbox.limits.frame_ids):
            some = elements[start : start + self._outbox.limits.frame_ids]
            self._outbox.send(wire.Frame(gone=wire.Gone(ids=b"".join(some))))

    def _flush(self) -> None:
        while self._frames and self._unacked < self._outbox.limits.open_claims:
            parts, count = self._frames.popleft()
            data = self._outbox.send(wire.Frame(claims=wire.Claims(parts=parts)))
            self._unacked += 1
            self._outbox.report.claims_sent += count
            self._outbox.report.claim_bytes_sent += data

    def acknowledged(self, frames: int) -> None:
        """The oldest frames are on the peer's disk."""
        if not 0 < frames <= self._unacked:
            raise RemoteProtocolError(f"ack: {frames} frames, but {self._unacked} are open")
        self._unacked -= frames
        self.pump()


_REMEMBERED = 4096


class LogFollower:
    """Reads on in the log, and tells what is of feeds that we send and did not come from the peer itself."""

    def __init__(self, outbox: Outbox, feeds: FeedRanges, offers: OfferQueue, *, named: bool) -> None:
        """``feeds``: what we send; ``named``: it is told by the message ids in it."""
        self._outbox = outbox
        self._feeds = feeds
        self._offer_queue = offers
        self._named = named
        self.learned: list[range] = []
        """Positions of claims that came from the peer, ascending."""
        self.read = 0
        """The position up to which the log was read."""
        self._started = self._reading = self._more = False
        self._ready: dict[bytes, None] = {}
        """What is to be told: elements, or digests of message ids."""

    @property
    def idle(self) -> bool:
        """All that was read was told."""
        return not (self._reading or self._more or self._ready)

    def learn(self, positions: range) -> None:
        """These came from the peer."""
        if self.learned and self.learned[-1].stop == positions.start:
            positions = range(self.learned.pop().start, positions.stop)
        if positions:
            self.learned.append(positions)
        if len(self.learned) > _REMEMBERED:
            self.learned = [some for some in self.learned if some.stop > self.read]

    def catch_up(
        self, after: int, upto: int, learned: Sequence[range], most: int, then: Callable[[bool], None]
    ) -> None:
        """Tell the ids in what stands beyond a position, up to another one, in frames of which one is the last.

        If they are more than ``most``, nothing is told; ``then`` gets whether it was.
        """

        def read(after: int) -> None:
            if len(self._ready) > most:
                self._ready = {}
                then(False)
            elif after < upto:
                self._outbox.ask(ReadNames(after, PAGE, self._feeds, upto), page)
            else:
                self._flush(last=True)
                then(True)

        def page(found: LogPage[NamedEntry]) -> None:
            nonlocal after
            for entry in _told(found.entries, learned):
                self._collect(entry)
            after = found.end if found.end > after else upto
            read(after)

        read(after)

    def start(self, after: int) -> None:
        """Tell what stands beyond a position, and all that comes."""
        self._started, self.read = True, after
        self.grew()

    def grew(self) -> None:
        """There is more in the log."""
        self._more = True
        self.pump()

    def pump(self) -> None:
        """Read on, when what was read is on its way."""
        if self._started and self._more and not self._reading and self._offer_queue.all_sent:
            self._more, self._reading = False, True
            if self._named:
                self._outbox.ask(ReadNames(self.read, PAGE, self._feeds), self._page)
            else:
                self._outbox.ask(ReadLog(self.read, PAGE, self._feeds), self._page)

    def _page(self, page: LogPage[LogEntry] | LogPage[NamedEntry]) -> None:
        self._reading = False
        if page.end <= self.read:
            self._flush(last=False)
            return
        self.read = page.end
        for entry in _told(page.entries, self.learned):
            self._collect(entry)
            self._send_full()
        self._more = True
        self.pump()

    def _collect(self, entry: LogEntry | NamedEntry) -> None:
        self._ready.update(dict.fromkeys(entry.names if isinstance(entry, NamedEntry) else [entry.element]))

    def _send_full(self) -> None:
        """Send what makes a full frame: after each claim, or it would show how many others stand between."""
        most = self._outbox.limits.frame_ids
        while len(self._ready) >= most:
            full = list(islice(self._ready, most))
            for token in full:
                del self._ready[token]
            if self._named:
                self._offer_queue.add_news(sorted(full), last=False)
            else:
                self._offer_queue.add(full)

    def _flush(self, *, last: bool) -> None:
        """Send what is to be told, in full frames and a rest."""
        ready, self._ready = list(self._ready), {}
        most = self._outbox.limits.frame_ids
        if not self._named:
            self._offer_queue.add(ready)
        elif ready or last:
            ready.sort()
            pieces = [ready[start : start + most] for start in range(0, len(ready), most)] or [[]]
            for piece in pieces:
                self._offer_queue.add_news(piece, last=last and piece is pieces[-1])


def _told(entries: Sequence[LogEntry | NamedEntry], learned: Sequence[range]) -> Iterator[LogEntry | NamedEntry]:
    """Those that did not come from the peer itself."""
    if not entries:
        return
    first, last = entries[0].position, entries[-1].position
    near = [some for some in learned if first < some.stop and some.start <= last]
    for entry in entries:
        if not any(entry.position in some for some in near):
            yield entry
