"""What is looked at from outside while a session runs: each thing that goes in or out of an honest server.

The watch reads frames by itself, so that a mistake in the machine's own books does not hide here too.
"""

from __future__ import annotations

from collections import deque

from google.protobuf.message import DecodeError

from tests.exchange.simulation.failing import ViolationError
from tests.exchange.simulation.hosts import Host
from weft.core.claim import claim_id
from weft.core.feed import Feed
from weft.exchange.decoder import Status
from weft.exchange.events import Commit, Report, Request
from weft.exchange.session import Session
from weft.v1 import claim_pb2 as claim_wire
from weft.v1 import exchange_pb2 as wire


class Watch:
    """Beside one side of a session."""

    signed: dict[bytes, set[bytes]]
    """By origin: the ids of all claims that its key has signed; of the whole world."""

    def __init__(self, host: Host, peer: Host) -> None:
        self.host, self.peer = host, peer
        self._policy = host.policy
        self.doubled = False
        """The network has doubled a frame, so that one acknowledgement may come as two."""
        self._offered: list[list[bytes]] = []
        self._wanted: set[bytes] = set()
        self._sent: deque[list[bytes]] = deque()

    def receives(self, octets: bytes, session: Session) -> None:
        """A frame comes in."""
        try:
            frame = wire.Frame.FromString(octets)
        except DecodeError:
            return
        kind = frame.WhichOneof("kind")
        if kind == "offer":
            self._offered.append(_split(frame.offer.ids))
        elif kind == "listing":
            self._offered.append(_split(frame.listing.ids))
        elif kind == "answer":
            self._offered.append(_split(frame.answer.ids))
        elif kind == "news":
            self._offered.append([claim[:16] for claim in frame.news.claims])
        elif kind == "ack" and self.host.honest and self.peer.honest and not self.doubled:
            self._acknowledged(frame.ack)

    def _acknowledged(self, ack: wire.Ack) -> None:
        for _ in range(min(ack.frames, len(self._sent))):
            said = set(self._sent.popleft()) - set(_split(ack.refused))
            self.peer.acknowledged |= said
            check_acknowledged(self.peer)

    def sends(self, octets: bytes) -> None:
        """A frame goes out."""
        if not self.host.honest:
            return
        frame = wire.Frame.FromString(octets)
        kind = frame.WhichOneof("kind")
        if kind == "want" and frame.want.offer:
            bits = int.from_bytes(frame.want.bits, "little")
            offered = self._offered[frame.want.offer - 1]
            self._wanted.update(element for at, element in enumerate(offered) if bits >> at & 1)
        elif kind == "want":
            self._wanted.update(_split(frame.want.ids))
        elif kind == "claims":
            parts = [claim_wire.BatchPart.FromString(part) for part in frame.claims.parts]
            self._sent.append([claim_id(claim)[:16] for part in parts for claim in part.claims])
            for part in parts:
                if not self._policy.may_read(self.peer.origin.public, Feed(part.batch.origin, part.batch.list)):
                    raise ViolationError(f"{self.host.name} gave {self.peer.name} what it may not read")

    def asks(self, request: Request) -> None:
        """A question to the store."""
        if not self.host.honest:
            return
        if isinstance(request, Commit):
            for part in request.parts:
                feed = Feed(part.signed.origin, part.signed.list)
                if not self._policy.may_feed(self.peer.origin.public, feed):
                    raise ViolationError(f"{self.host.name} took a feed from {self.peer.name} that its policy refuses")
                for claim in part.claims:
                    self._commits(feed, claim.identity, claim.octets)

    def ended(self, report: Report) -> None:
        """The session is over.  That so many symbols were not enough happens; that they were of no set does not."""
        doubtful = self.host.doubtful or self.peer.doubtful
        if report.undecoded is Status.BROKEN and self.host.honest and self.peer.honest and not doubtful:
            raise ViolationError(f"the sketches of {self.host.name} and {self.peer.name} are not of two sets")

    def _commits(self, feed: Feed, identity: bytes, octets: bytes) -> None:
        if claim_id(octets) != identity:
            raise ViolationError(f"{self.host.name} stores a claim under an id that is not its own")
        if identity not in self.signed[feed.origin]:
            raise ViolationError(f"{self.host.name} stores a claim that its origin did not sign")
        if identity[:16] not in self._wanted:
            raise ViolationError(f"{self.host.name} stores a claim that it did not want")


def check_acknowledged(host: Host) -> None:
    """Nothing that a server acknowledged is lost to it."""
    lost = host.acknowledged - {held.identity[:16] for held in host.log()}
    if lost:
        raise ViolationError(f"{host.name} acknowledged {len(lost)} claims that are not on its disk")


def _split(octets: bytes) -> list[bytes]:
    return [octets[start : start + 16] for start in range(0, len(octets), 16)]
