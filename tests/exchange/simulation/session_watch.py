"""What is looked at from outside while a session runs: each thing that goes in or out of an honest server.

The watch reads frames by itself, so that a mistake in the machine's own books does not hide here too.
"""

from __future__ import annotations

from collections import deque

from google.protobuf.message import DecodeError

from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.trees import asked_trees, known, names
from tests.exchange.simulation.violation import ViolationError
from weft.core.claim import Claim, Withdrawal, claim_id
from weft.core.feed import Feed
from weft.core.id_digest import ID_DIGEST_BYTES, id_digest
from weft.exchange.events import Answer, CommitParts, FindTrees, OwnTrees, Request, SessionReport
from weft.exchange.riblt.decoder import DecoderStatus
from weft.exchange.session import Session
from weft.policy.feed_ranges import readable, served
from weft.v1 import claim_pb2 as claim_wire
from weft.v1 import exchange_pb2 as wire

_LOOKED_AT = 150
"""Claims of a store up to which each answer about trees is worked out again; of larger ones, each some times."""


class Watch:
    """Beside one side of a session."""

    signed: dict[bytes, set[bytes]]
    """By origin: the ids of all claims that its key has signed; of the whole world."""

    def __init__(self, host: Host, peer: Host, session: Session) -> None:
        self.host, self.peer = host, peer
        self._policy = host.policy
        self._session = session
        self.doubled = False
        """The network has doubled a frame, so that one acknowledgement may come as two."""
        self._offered: list[list[bytes]] = []
        self._wanted: set[bytes] = set()
        self._sent: deque[list[bytes]] = deque()
        self._in_trees: set[bytes] = set()
        """Digests of what stood in the server's own trees at some time in this session."""
        self._looks = 0

    @property
    def _asks(self) -> bool:
        """Whether this side asks for its threads, and mirrors nothing of the peer's."""
        agreement = self._session.agreement
        return agreement is not None and agreement.inward in agreement.threads

    def receives(self, data: bytes, session: Session) -> None:
        """A frame comes in."""
        try:
            frame = wire.Frame.FromString(data)
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
            self._offered.append([])
        elif kind == "ack" and self.host.honest and self.peer.honest and not self.doubled:
            self._acknowledged(frame.ack)

    def _acknowledged(self, ack: wire.Ack) -> None:
        for _ in range(min(ack.frames, len(self._sent))):
            said = set(self._sent.popleft()) - set(_split(ack.refused))
            self.peer.acknowledged |= said
            check_acknowledged(self.peer)

    def sends(self, data: bytes) -> None:
        """A frame goes out."""
        if not self.host.honest:
            return
        frame = wire.Frame.FromString(data)
        kind = frame.WhichOneof("kind")
        if kind == "want" and frame.want.offer:
            bits = int.from_bytes(frame.want.bits, "little")
            offered = self._offered[frame.want.offer - 1]
            self._wanted.update(element for at, element in enumerate(offered) if bits >> at & 1)
        elif kind == "want":
            self._wanted.update(_split(frame.want.ids))
        elif kind == "claims":
            self._gives(frame.claims)
        elif kind == "ask":
            self._asking(_split(frame.ask.ids, ID_DIGEST_BYTES))
        elif kind in ("answer", "offer", "listing"):
            self._may_be_read(_split(getattr(frame, kind).ids))
        elif kind == "news":
            self._may_be_told(_split(frame.news.ids, ID_DIGEST_BYTES))

    def _gives(self, claims: wire.Claims) -> None:
        parts = [claim_wire.BatchPart.FromString(part) for part in claims.parts]
        self._sent.append([claim_id(claim)[:16] for part in parts for claim in part.claims])
        for part in parts:
            if not self._policy.may_read(self.peer.origin.public, Feed(part.batch.origin, part.batch.list)):
                raise ViolationError(f"{self.host.name} gave {self.peer.name} what it may not read")

    def _asking(self, digests: list[bytes]) -> None:
        before = self.host.asked[self.peer.origin.public]
        if not all(digest in self._in_trees or digest in before for digest in digests):
            raise ViolationError(f"{self.host.name} asks about ids that are in no tree of its own")
        before.update(digests)

    def _may_be_read(self, elements: list[bytes]) -> None:
        for held in self.host.store.get(elements):
            if not self._policy.may_read(self.peer.origin.public, self.host.feed(held)):
                raise ViolationError(f"{self.host.name} offered {self.peer.name} what it may not read")

    def _may_be_told(self, digests: list[bytes]) -> None:
        feeds = served(self._policy, self.peer.origin.public)
        claims = [claim for _, feed, claim in self.host.all_claims() if feed in feeds] if digests else []
        if not {id_digest(name) for claim in claims for name in names(claim)}.issuperset(digests):
            raise ViolationError(f"{self.host.name} told {self.peer.name} ids that it may not read")

    def asks(self, request: Request) -> None:
        """A question to the store."""
        if not self.host.honest:
            return
        if isinstance(request, CommitParts):
            for part in request.parts:
                feed = Feed(part.signed.origin, part.signed.list)
                if not self._policy.may_feed(self.peer.origin.public, feed):
                    raise ViolationError(f"{self.host.name} took a feed from {self.peer.name} that its policy refuses")
                for claim in part.claims:
                    self._commits(feed, claim.identity, claim.data, claim.parsed)

    def answered(self, request: Request, answer: Answer) -> None:
        """The store's answer to a question, before anything else happens to the store."""
        if self.host.honest and isinstance(request, FindTrees):
            assert isinstance(answer, OwnTrees)
            self._in_trees.update(digest for tree in answer.trees for digest in tree.digests)
            self._looks += 1
            if self.host.store.position() <= _LOOKED_AT or self._looks % 8 == 1:
                self._check_trees(request, answer)

    def _check_trees(self, request: FindTrees, answer: OwnTrees) -> None:
        claims = known(self.host, readable(self._policy, self.peer.origin.public))
        own = {frozenset(map(id_digest, tree)) for tree in asked_trees(claims, self._policy)}
        found = {frozenset(tree.digests) for tree in answer.trees if tree.whole}
        trees = asked_trees(claims, self._policy, request.most)
        small = {frozenset(map(id_digest, tree)) for tree in trees}
        if not found <= own or (not request.after and found != small):
            raise ViolationError(f"{self.host.name} takes others for its own trees than stand in what may be asked for")

    def ended(self, report: SessionReport) -> None:
        """The session is over.  That so many symbols were not enough happens; that they were of no set does not."""
        doubtful = self.host.doubtful or self.peer.doubtful
        if report.undecoded is DecoderStatus.BROKEN and self.host.honest and self.peer.honest and not doubtful:
            raise ViolationError(f"the sketches of {self.host.name} and {self.peer.name} are not of two sets")

    def _commits(self, feed: Feed, identity: bytes, data: bytes, claim: Claim | Withdrawal) -> None:
        if claim_id(data) != identity:
            raise ViolationError(f"{self.host.name} stores a claim under an id that is not its own")
        if identity not in self.signed[feed.origin]:
            raise ViolationError(f"{self.host.name} stores a claim that its origin did not sign")
        if identity[:16] not in self._wanted:
            raise ViolationError(f"{self.host.name} stores a claim that it did not want")
        if self._asks:
            self.host.got.add(identity)
            asked = self.host.asked[self.peer.origin.public]
            if self.peer.honest and asked.isdisjoint(map(id_digest, names(claim))):
                raise ViolationError(f"{self.host.name} stores a claim that concerns nothing that it asked about")


def check_acknowledged(host: Host) -> None:
    """Nothing that a server acknowledged is lost to it."""
    lost = host.acknowledged - {held.identity[:16] for held in host.log()}
    if lost:
        raise ViolationError(f"{host.name} acknowledged {len(lost)} claims that are not on its disk")


def _split(data: bytes, size: int = 16) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
