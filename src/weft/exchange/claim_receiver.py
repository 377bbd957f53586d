"""Wanting claims: of what is offered or was decoded, that which is not here.

Theory of operation
-------------------
A wanted element is **open** from the frame that wants it until its claim has come, or the peer says that it is gone.
Only open ones are taken, so this set decides what a peer can make us look at.  It has at most ``open_wants`` elements;
what goes beyond waits.  What was proved and refused before is not wanted again.

The peer can offer what it does not have, and find no end: it may offer ``offered_ids`` in a session.

Taking claims: every check before the store, one commit at a time, and the acknowledgement after it.

Theory of operation
-------------------
A frame of claims is checked as a whole (`weft.exchange.claim_proofs`); if any of it fails, the session ends and nothing
of the frame is kept.  What arrives while a commit is under way goes into the next one.  Acknowledged means: on disk,
and there after a power cut; so the `Ack` follows the answer of the store, never the question.

Each feed has a quota for the peer and day, which refused claims use up as well.  What the store says that all sessions
of the peer have used is learned with each commit, so that several at once have no more than one.  The frame that passes
the quota is kept, and then the session ends: in the next one the feed is no part of the agreement, so that the rest of
the feeds goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from weft.core.feed import Feed
from weft.errors import RemoteProtocolError
from weft.exchange.claim_proofs import CheckedPart, PartVerifier
from weft.exchange.events import CommitParts, Committed, FindMissing, Refusal, Usage
from weft.exchange.log_reader import AT_A_TIME
from weft.exchange.outbox import Outbox
from weft.exchange.refusing import Refused
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.policy.feed_ranges import FeedRanges
from weft.store.interface import VerifiedPart
from weft.v1 import exchange_pb2 as wire


class WantQueue:
    """What we want."""

    def __init__(self, outbox: Outbox, refused: Refused, taken: Callable[[], FeedRanges]) -> None:
        """``refused``: what is not wanted again; ``taken``: the feeds that come to us."""
        self._outbox = outbox
        self._refused = refused
        self._taken = taken
        self.open: dict[bytes, None] = {}
        """Wanted of this peer and not answered yet."""
        self._offered = 0
        self._frames = 0
        self._offer_queue: dict[int, tuple[Sequence[bytes], Sequence[bytes]]] = {}
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
        if self._offered > self._outbox.limits.offered_ids:
            raise RemoteProtocolError("offer: too many ids for one session", "offered_ids")
        self._frames += 1
        self._unanswered += 1
        if self._unanswered > self._outbox.limits.open_offers:
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
                self._outbox.ask(FindMissing(some, self._taken()), lambda more: piece(start + AT_A_TIME, more))
            else:
                then(missing)

        piece(0, ())

    def _found(self, number: int, elements: Sequence[bytes], missing: Sequence[bytes]) -> None:
        self._looking -= 1
        self._offer_queue[number] = (elements, missing)
        self.pump()

    def _found_decoded(self, missing: Sequence[bytes]) -> None:
        self._looking -= 1
        self._decoded.extend(element for element in missing if element not in self._refused)
        self.pump()

    def pump(self) -> None:
        """Want as much as may be open."""
        while (oldest := self._oldest) in self._offer_queue and self._room(len(self._offer_queue[oldest][1])):
            self._answer(oldest, *self._offer_queue.pop(oldest))
        while self._decoded:
            count = min(len(self._decoded), self._outbox.limits.frame_ids)
            if not self._room(count):
                break
            elements = [self._decoded.popleft() for _ in range(count)]
            fresh = [element for element in dict.fromkeys(elements) if element not in self.open]
            if fresh:
                self.open.update(dict.fromkeys(fresh))
                self._outbox.send(wire.Frame(want=wire.Want(ids=b"".join(fresh))))

    @property
    def _oldest(self) -> int:
        """The number of the oldest offer without our answer; the store may look up others before it."""
        return self._frames - self._unanswered + 1

    def _room(self, count: int) -> bool:
        return len(self.open) + count <= self._outbox.limits.open_wants

    def _answer(self, number: int, elements: Sequence[bytes], missing: Sequence[bytes]) -> None:
        lacking = set(missing)
        bits = 0
        for at, element in enumerate(elements):
            if element in lacking and element not in self.open and element not in self._refused:
                self.open[element] = None
                bits |= 1 << at
        self._unanswered -= 1
        data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
        self._outbox.send(wire.Frame(want=wire.Want(offer=number, bits=data)))

    def gone(self, elements: Sequence[bytes]) -> None:
        """The peer cannot send these."""
        for element in elements:
            if element not in self.open:
                raise RemoteProtocolError("gone: an id was not wanted")
            del self.open[element]
        self._outbox.report.gone += len(elements)
        self.pump()


class Quota:
    """What a peer may hand us of each feed today."""

    def __init__(self, claims: int, data: int, used: Usage) -> None:
        self._claims, self._bytes = claims, data
        self._used = {feed: list(amount) for feed, amount in used.items()}
        self._fresh: set[Feed] = set()

    def spent(self) -> list[Feed]:
        """The feeds of which it handed us enough."""
        return [feed for feed in self._used if self._limit(feed)]

    def use(self, feed: Feed, claims: int, size: int) -> None:
        """Count what came of a feed, kept or refused; ``size`` in bytes."""
        used = self._used.setdefault(feed, [0, 0])
        used[0] += claims
        used[1] += size
        self._fresh.add(feed)

    def know(self, used: Usage) -> None:
        """It handed us so much of some feeds, in all its sessions; it may be less than came in this one."""
        for feed, amount in used.items():
            self._used[feed] = list(map(max, self._used.get(feed, (0, 0)), amount))
            self._fresh.add(feed)

    def check(self) -> None:
        """`RemoteProtocolError` if a feed of which something came since the last time has reached its quota."""
        fresh, self._fresh = self._fresh, set()
        for feed in fresh:
            if limit := self._limit(feed):
                raise RemoteProtocolError("claims: a feed has reached its quota of the day", limit)

    def _limit(self, feed: Feed) -> str:
        claims, data = self._used[feed]
        return "claims_per_day" if claims >= self._claims else "bytes_per_day" if data >= self._bytes else ""


class ClaimReceiver:
    """What comes in."""

    def __init__(
        self,
        outbox: Outbox,
        wants: WantQueue,
        verifier: PartVerifier,
        quota: Quota,
        refused: Refused,
        learned: Callable[[range], None],
    ) -> None:
        """``learned`` gets the positions of claims that came from this peer."""
        self._outbox = outbox
        self._want_queue = wants
        self._verifier = verifier
        self._quota = quota
        self._refused = refused
        self._learned = learned
        self._waiting: list[VerifiedPart] = []
        self._named: list[bytes] = []
        """Elements that were refused, for the next acknowledgement."""
        self._refused_of: set[Feed] = set()
        """Their feeds."""
        self._frames = 0
        """Frames that wait for the next commit."""
        self._committing = 0
        """Frames in the commit that is under way."""

    @property
    def idle(self) -> bool:
        """All that came is on disk and acknowledged."""
        return not self._frames and not self._committing

    def claims(self, message: wire.Claims, data: int) -> None:
        """A frame of claims; ``data`` is its size."""
        if self._frames + self._committing >= self._outbox.limits.open_claims:
            raise RemoteProtocolError("claims: too many frames without an acknowledgement", "open_claims")
        if not message.parts:
            raise RemoteProtocolError("claims: a frame without any")
        report = self._outbox.report
        report.claim_bytes_received += data
        batches = set()
        for part in message.parts:
            checked = self._verifier.check(part, self._want_queue.open)
            batches.add(checked.part.signed)
            self._arrived(checked)
            report.proof_bytes_received += checked.proof_bytes
        if len(batches) < len(message.parts):
            raise RemoteProtocolError("claims: a batch is in one frame twice")
        self._frames += 1
        self._want_queue.pump()
        self._commit()

    def _arrived(self, checked: CheckedPart) -> None:
        for claim in checked.part.claims:
            del self._want_queue.open[claim.identity[:ELEMENT_BYTES]]
        for refusal in checked.refused:
            self._refuse(refusal)
        if checked.part.claims:
            self._waiting.append(checked.part)

    def _refuse(self, refusal: Refusal) -> None:
        element = refusal.identity[:ELEMENT_BYTES]
        del self._want_queue.open[element]
        self._named.append(element)
        self._refused_of.add(refusal.feed)
        self._refused.add(refusal)
        self._quota.use(refusal.feed, 1, refusal.size)
        self._outbox.put(refusal)
        refused = self._outbox.report.refused
        refused[refusal.reason] = refused.get(refusal.reason, 0) + 1

    def _commit(self) -> None:
        if self._committing or not self._frames:
            return
        parts, self._waiting = self._waiting, []
        refused, self._named = self._named, []
        request = CommitParts(parts, frozenset(self._refused_of))
        self._refused_of.clear()
        self._committing, self._frames = self._frames, 0
        self._outbox.ask(request, lambda committed: self._committed(parts, refused, committed))

    def _committed(self, parts: Sequence[VerifiedPart], refused: Sequence[bytes], committed: Committed) -> None:
        self._learned(committed.positions)
        self._outbox.report.claims_received += len(committed.positions)
        self._outbox.send(wire.Frame(ack=wire.Ack(frames=self._committing, refused=b"".join(refused))))
        self._committing = 0
        for part in parts:
            feed = Feed(part.signed.origin, part.signed.list)
            self._quota.use(feed, len(part.claims), sum(len(claim.data) for claim in part.claims))
        self._quota.know(committed.used)
        self._quota.check()
        self._commit()
