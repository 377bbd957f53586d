"""Servers that meet, one pair after the other, each remembering its peers: `meet(one, other)`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from tests.exchange.session_harness import ALL, Side, held, put, side, talk
from tests.store.factories import Origin
from weft.core.claim import Claim, Withdrawal, parse
from weft.core.feed import ALL_LISTS, Feed
from weft.core.signing import sign_root
from weft.exchange.configuration import Configuration
from weft.exchange.events import CoverageGained
from weft.exchange.limits import Limits
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rows import Mode, Peer
from weft.policy.rows import Origin as OriginRow
from weft.policy.rules import Policy
from weft.store.interface import VerifiedPart
from weft.testing import MemoryStore


@dataclass(slots=True, eq=False)
class Server:
    """A server: an origin, what it holds, and what it keeps of its peers."""

    name: str
    rows: dict[Server, Peer] = field(default_factory=dict)
    """Its peers; one that is not in it gets a row that lets it do everything, in threads mode."""
    admits: Collection[Server] = ()
    store: MemoryStore = field(default_factory=MemoryStore)
    kept: dict[Server, bytes] = field(default_factory=dict)
    refused: dict[Server, dict[bytes, Feed]] = field(default_factory=dict)
    covered: dict[Server, CoverageGained] = field(default_factory=dict)
    sessions: int = 0
    carries: FeedRanges | None = None
    """What it says that it carries whole; None: what is its own."""

    @property
    def origin(self) -> Origin:
        """Whose claims it makes."""
        return Origin(self.name)

    @property
    def key(self) -> bytes:
        """Of its origin."""
        return self.origin.public

    def sees(self, *claims: Claim | Withdrawal, on: str = "list") -> None:
        """Mail of its own."""
        for start in range(0, len(claims), 256):
            put(self.store, self.origin, on, *claims[start : start + 256])

    def plants(self, victim: Server, *claims: Claim, on: str = "list") -> None:
        """Sign, for a feed of its own, a batch over the ids of claims that another server will make."""
        theirs = victim.origin.batch("list", *claims)
        made = [
            claim._replace(parsed=claim.parsed._replace(origin=self.key, list=on.encode())) for claim in theirs.claims
        ]
        signed = sign_root(self.origin.key, on.encode(), len(made), theirs.tree.root)
        with self.store.transaction():
            self.store.put([VerifiedPart(signed, theirs.tree, made)])

    def policy(self, peer: Server) -> Policy:
        """As it is for one peer."""
        rows = {other.key: OriginRow(1, None) for other in self.admits if other is not self}
        row = self.rows.get(peer, Peer(mode="threads", may_feed=ALL, may_read=ALL))
        return Policy(self.key, rows, {peer.key: row})

    def ids(self) -> set[str]:
        """The ids of the messages that it holds."""
        claims = [parse(one.data) for one in self.store.log(0, self.store.position()) if one.data]
        return {claim.message_id.decode() for claim in claims if isinstance(claim, Claim)}


def meet(
    one: Server, other: Server, modes: tuple[Mode | None, Mode | None] = (None, None), limits: Limits | None = None
) -> tuple[Side, Side]:
    """A session, ``one`` being the caller, that must come to its end."""
    sides = clash(one, other, modes, limits)
    for at in sides:
        assert at.ended is not None
        assert at.ended.error is None, at.ended.error
        assert at.synced
    return sides


def clash(
    one: Server, other: Server, modes: tuple[Mode | None, Mode | None] = (None, None), limits: Limits | None = None
) -> tuple[Side, Side]:
    """A session, ``one`` being the caller, however it ends."""
    sides = []
    for server, peer, mode in ((one, other, modes[0]), (other, one, modes[1])):
        server.sessions += 1
        key = sha256(f"{server.name} {peer.name} {server.sessions}".encode()).digest()
        setup = Configuration(
            server.policy(peer), peer.key, server is one, key, server.kept.get(peer, b""), mode=mode,
            limits=limits or Limits(), refused=server.refused.get(peer, {}),
            carries=server.carries or FeedRanges({server.key: ALL_LISTS}),
        )  # fmt: skip
        sides.append(side(server.store, setup))
    talk(*sides)
    for (server, peer), at in zip(((one, other), (other, one)), sides, strict=True):
        server.kept[peer] = at.kept
        refused = server.refused.setdefault(peer, {})
        refused.update((refusal.identity[:16], refusal.feed) for refusal in at.refusals)
        for covered in at.covered:
            server.covered[peer] = covered
    return sides[0], sides[1]


def all_know(servers: Iterable[Server]) -> list[Server]:
    """Let each admit all."""
    everybody = list(servers)
    for server in everybody:
        server.admits = everybody
    return everybody


def held_by(server: Server) -> set[bytes]:
    """The ids of its claims."""
    return held(server.store)
