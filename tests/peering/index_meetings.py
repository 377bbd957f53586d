"""Servers with real indexes that meet in one thread, without a network: `meet(one, other)`.

Each is what a server process has: an index on disk, and the desk in front of it.  What a process does with what a
session puts out (`weft.peering.driver`), `Side` does here, at once.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Self

from tests.exchange.session_harness import ALL, frames_to_send
from tests.peering.expected_threads import Reader
from weft import Index
from weft.core.feed import FeedSet
from weft.exchange.configuration import Configuration
from weft.exchange.events import CoverageGained, Delivered, Ended, Output, Refusal, Synced
from weft.exchange.session import Session
from weft.peering.index_backend import IndexBackend
from weft.policy.rows import Origin, Peer
from weft.policy.rules import Policy

INDEX = "index.db"

Pairs = Sequence[tuple["Server", "Server"]]


@dataclass(frozen=True, slots=True)
class Server:
    """An index under a policy, open for sessions."""

    name: str
    policy: Policy
    backend: IndexBackend
    reader: Reader

    @classmethod
    def open(cls, name: str, path: Path, policy: Policy) -> Self:
        """A server over an index that is there."""
        return cls(name, policy, IndexBackend(path, policy), Reader(name, path, policy))

    @property
    def key(self) -> bytes:
        """Of its origin."""
        assert self.policy.own is not None
        return self.policy.own


@dataclass(slots=True)
class Side:
    """One side of a session."""

    server: Server
    peer: Server
    session: Session
    synced: bool = False
    ended: Ended | None = None

    @classmethod
    def of(cls, server: Server, peer: Server, number: int, *, caller: bool) -> Self:
        """The session of one server with another, whose ``number`` makes its key another one."""
        backend, key = server.backend, sha256(f"{server.name} {peer.name} {number}".encode()).digest()
        setup = Configuration(
            server.policy, peer.key, caller, key, backend.kept(peer.key), used=backend.used(peer.key),
            refused=backend.refused(peer.key), carries=backend.carried(),
        )  # fmt: skip
        return cls(server, peer, Session(setup, 0.0))

    def take(self, outputs: list[Output]) -> list[bytes]:
        """Do what the session asks for; the frames to deliver."""
        answer = partial(self.server.backend.answer, self.peer.key)
        return frames_to_send(self.session, outputs, answer, self._tell)

    def _tell(self, output: Output) -> None:
        backend, peer = self.server.backend, self.peer.key
        match output:
            case Refusal() as refusal:
                backend.refuse(peer, [refusal])
            case CoverageGained() as covered:
                backend.cover(peer, covered)
            case Delivered() as delivered:
                backend.deliver(peer, delivered)
            case Synced():
                self.synced = True
            case Ended() as ended:
                self.ended = ended

    def check(self) -> None:
        """Fails unless it came to its end."""
        assert self.ended is not None
        assert self.ended.error is None, self.ended.error
        assert self.synced


@dataclass(slots=True)
class Cost:
    """What the meetings of some servers cost."""

    data: int = 0
    claim_bytes: int = 0
    """In frames of claims with their proofs."""
    claims: int = 0
    rounds: int = 0
    """The most in one session."""
    sessions: int = 0
    gossip: int = 0
    """How often all that meet have met, the last time in vain."""

    def add(self, sides: Iterable[Side]) -> None:
        """Count a session."""
        self.sessions += 1
        for side in sides:
            report = side.session.report
            self.data += report.bytes_sent
            self.claim_bytes += report.claim_bytes_sent
            self.claims += report.claims_received
            self.rounds = max(self.rounds, report.rounds)


def meet(one: Server, other: Server, cost: Cost) -> None:
    """A session that ``one`` calls, and that must come to its end."""
    caller = Side.of(one, other, cost.sessions, caller=True)
    answerer = Side.of(other, one, cost.sessions, caller=False)
    roads = deque(caller.take(caller.session.start())), deque(answerer.take(answerer.session.start()))
    while any(roads):
        for side, peer, at in ((answerer, caller, 0), (caller, answerer, 1)):
            if roads[at]:
                roads[1 - at].extend(side.take(side.session.receive(roads[at].popleft())))
            assert peer.ended is None or peer.ended.error is None, peer.ended.error
    for side in (caller, answerer):
        side.check()
    cost.add((caller, answerer))


def until_quiet(pairs: Pairs) -> Cost:
    """Let pairs meet until nobody learns anything any more."""
    cost, before = Cost(), -1
    while before != cost.claims:
        before = cost.claims
        for one, other in pairs:
            meet(one, other, cost)
        cost.gossip += 1
    return cost


def every_pair(servers: Sequence[Server]) -> Pairs:
    """Each with each."""
    return [(one, other) for at, one in enumerate(servers) for other in servers[at + 1 :]]


def with_hub(servers: Sequence[Server], hub: Server) -> Pairs:
    """All with one."""
    return [(server, hub) for server in servers]


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the indexes of some servers lie, by their names."""

    path: Path
    keys: Mapping[str, bytes]

    @classmethod
    def make(cls, path: Path, names: Iterable[str]) -> Self:
        """Empty indexes."""
        keys = {}
        for name in names:
            with Index.open(path / name / INDEX, policy=Policy()) as index:
                keys[name] = index.origin
        return cls(path, keys)

    def ingest(self, lists: Mapping[str, Path]) -> None:
        """Let each server have the mail of the list that is called like it."""
        for name, mail in lists.items():
            with Index.open(self.path / name / INDEX, policy=self.policy(name, lists, {})) as index:
                index.ingest(name, mail)

    def copy_to(self, path: Path) -> Folder:
        """The same servers somewhere else."""
        shutil.copytree(self.path, path)
        return Folder(path, self.keys)

    def policy(self, name: str, admitted: Iterable[str], rows: Mapping[str, Peer]) -> Policy:
        """Of one that admits all lists of some, and has these rows for its peers."""
        origins = {self.keys[other]: Origin(1, None, other) for other in sorted(admitted) if other != name}
        return Policy(self.keys[name], origins, {self.keys[other]: row for other, row in rows.items()})

    @contextmanager
    def mesh(self, names: Iterable[str]) -> Iterator[list[Server]]:
        """Some of them, each for each a peer that it asks."""
        members = list(names)
        rows = {
            name: {other: Peer(other, may_feed=ALL, may_read=ALL) for other in members if other != name}
            for name in members
        }
        with self._open(members, rows) as servers:
            yield servers

    @contextmanager
    def around(self, hub: str) -> Iterator[tuple[list[Server], Server]]:
        """All but one, which know only that one and believe that it carries all; and this one, which mirrors each."""
        members = [name for name in self.keys if name != hub]
        rows = {name: {hub: Peer(hub, may_feed=ALL, may_read=ALL, mirror_of=ALL)} for name in members}
        own = {name: FeedSet(origins=frozenset([self.keys[name]])) for name in members}
        rows[hub] = {name: Peer(name, mode="mirror", may_feed=own[name], may_read=ALL) for name in members}
        with self._open(members, rows) as servers:
            yield servers[:-1], servers[-1]

    @contextmanager
    def _open(self, admitted: Sequence[str], rows: Mapping[str, Mapping[str, Peer]]) -> Iterator[list[Server]]:
        with ExitStack() as stack:
            servers = []
            for name in rows:
                server = Server.open(name, self.path / name / INDEX, self.policy(name, admitted, rows[name]))
                stack.callback(server.backend.close)
                servers.append(server)
            yield servers
