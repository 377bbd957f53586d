"""Taking claims: every check before the store, one commit at a time, and the acknowledgement after it.

Theory of operation
-------------------
A frame of claims is checked as a whole (`weft.exchange.proofs`); if any of it fails, the session ends and nothing of
the frame is kept.  What arrives while a commit is under way goes into the next one.  Acknowledged means: on disk, and
there after a power cut; so the `Ack` follows the answer of the store, never the question.

Each feed has a quota for the peer and day, which refused claims use up as well.  The frame that passes it is kept, and
then the session ends: in the next one the feed is no part of the agreement, so that the rest of the feeds goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from weft.core.feed import Feed
from weft.errors import RemoteProtocolError
from weft.exchange.events import Commit, ProvenPart, Refusal, Usage
from weft.exchange.line import Line
from weft.exchange.proofs import Checked, Verifier
from weft.exchange.refusing import Refused
from weft.exchange.symbol import ELEMENT_OCTETS
from weft.exchange.wanting import Wants
from weft.v1 import exchange_pb2 as wire


class Quota:
    """What a peer may hand us of each feed today."""

    def __init__(self, claims: int, octets: int, used: Usage) -> None:
        self._claims, self._octets = claims, octets
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

    def check(self) -> None:
        """`RemoteProtocolError` if a feed of which something came since the last time has reached its quota."""
        fresh, self._fresh = self._fresh, set()
        for feed in fresh:
            if limit := self._limit(feed):
                raise RemoteProtocolError("claims: a feed has reached its quota of the day", limit)

    def _limit(self, feed: Feed) -> str:
        claims, octets = self._used[feed]
        return "claims_per_day" if claims >= self._claims else "bytes_per_day" if octets >= self._octets else ""


class Taker:
    """What comes in."""

    def __init__(
        self,
        line: Line,
        wants: Wants,
        verifier: Verifier,
        quota: Quota,
        refused: Refused,
        learned: Callable[[range], None],
    ) -> None:
        """``learned`` gets the positions of claims that came from this peer."""
        self._line = line
        self._wants = wants
        self._verifier = verifier
        self._quota = quota
        self._refused = refused
        self._learned = learned
        self._waiting: list[ProvenPart] = []
        self._named: list[bytes] = []
        """Elements that were refused, for the next acknowledgement."""
        self._frames = 0
        """Frames that wait for the next commit."""
        self._committing = 0
        """Frames in the commit that is under way."""

    @property
    def idle(self) -> bool:
        """All that came is on disk and acknowledged."""
        return not self._frames and not self._committing

    def claims(self, message: wire.Claims, octets: int) -> None:
        """A frame of claims; ``octets`` is its size."""
        if self._frames + self._committing >= self._line.limits.open_claims:
            raise RemoteProtocolError("claims: too many frames without an acknowledgement", "open_claims")
        if not message.parts:
            raise RemoteProtocolError("claims: a frame without any")
        report = self._line.report
        report.claim_octets_received += octets
        for part in message.parts:
            checked = self._verifier.check(part, self._wants.open)
            self._arrived(checked)
            report.proof_octets_received += checked.proof_octets
        self._frames += 1
        self._wants.pump()
        self._commit()

    def _arrived(self, checked: Checked) -> None:
        for claim in checked.part.claims:
            del self._wants.open[claim.identity[:ELEMENT_OCTETS]]
        for refusal in checked.refused:
            self._refuse(refusal)
        if checked.part.claims:
            self._waiting.append(checked.part)

    def _refuse(self, refusal: Refusal) -> None:
        element = refusal.identity[:ELEMENT_OCTETS]
        del self._wants.open[element]
        self._named.append(element)
        self._refused.add(refusal)
        self._quota.use(refusal.feed, 1, refusal.size)
        self._line.put(refusal)
        refused = self._line.report.refused
        refused[refusal.reason] = refused.get(refusal.reason, 0) + 1

    def _commit(self) -> None:
        if self._committing or not self._frames:
            return
        parts, self._waiting = self._waiting, []
        refused, self._named = self._named, []
        self._committing, self._frames = self._frames, 0
        self._line.ask(Commit(parts), lambda positions: self._committed(parts, refused, positions))

    def _committed(self, parts: Sequence[ProvenPart], refused: Sequence[bytes], positions: range) -> None:
        self._learned(positions)
        self._line.report.claims_received += len(positions)
        self._line.send(wire.Frame(ack=wire.Ack(frames=self._committing, refused=b"".join(refused))))
        self._committing = 0
        for part in parts:
            feed = Feed(part.signed.origin, part.signed.list)
            self._quota.use(feed, len(part.claims), sum(len(claim.octets) for claim in part.claims))
        self._quota.check()
        self._commit()
