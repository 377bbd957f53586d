"""The threads in which the sessions of a server ask and fill its index.

Theory of operation
-------------------
A connection of SQLite belongs to a thread, and the event loop must not wait for a disk or a signature.  So machines and
their store run in a thread of their own, step by step, each step of one session; sessions take turns.  Received claims
go through `weft.index.index.Index.admit`, which checks signatures, proofs and the policy once more, and brings the view
up to date in the same transaction; a `Commit` is answered when that is on disk.

Two questions can take as long as the store is large, which is seconds for a million claims: more symbols than are kept
(`Scan`), and which trees are our own (`FindTrees`).  They are answered in a second thread, from a connection of its own
that only reads.  What they read ends at a position of the log, so it does not matter what is written meanwhile.

What the machine asks to keep of a peer lies beside the index, in ``<index>.kept/FINGERPRINT``, and what was refused in
`weft.rpc.exchange_memory`.  All of that can be lost, so a failure of either is told in the log and ends nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from weft._files import write_file
from weft.core.feed import ALL_LISTS, Feed
from weft.core.policy import Policy
from weft.core.signing import fingerprint
from weft.errors import ClaimError, StoreError
from weft.exchange.events import (
    Answer,
    Commit,
    Covered,
    FindTrees,
    Keep,
    ProvenPart,
    Refusal,
    Request,
    Scan,
    Usage,
    Used,
)
from weft.exchange.feeds import NO_FEEDS, Feeds, carried_by
from weft.exchange.keeping import Keeping, Section
from weft.exchange.kept import load
from weft.exchange.limits import Limits
from weft.exchange.line import Line
from weft.exchange.symbol import ELEMENT_OCTETS
from weft.index.index import Index
from weft.index.received import Amount, Delivery
from weft.rpc.desk import Desk
from weft.rpc.exchange_memory import Memory, today
from weft.rpc.reading import prepare
from weft.store.base import NewClaim, Part
from weft.store.sqlite import SqliteStore

T = TypeVar("T")

KEY_SECONDS = 7 * 86_400.0
"""How old the key of a pair gets before its caller takes a new one."""
MIRROR_SECONDS = 86_400.0
"""How long after it has taken a feed whole a server says that it carries it."""
_STEPS = 20_000
"""Instructions of SQLite between two looks at whether the server ends."""

log = logging.getLogger("weft.exchange")


def pair_key(octets: bytes) -> bytes:
    """The key of the pair in what is kept of a peer, which is the only thing that is looked at; empty if none is."""
    try:
        return load(Keeping(Line(Limits()), octets).get(Section.SKETCHES)).key
    except StoreError:
        return b""


class IndexDesk:
    """Answers the questions of sessions out of an index; for one thread."""

    def __init__(self, path: Path, policy: Policy) -> None:
        self._path = path
        self._index = Index.open(path, policy=policy, create=False)
        self._desk = Desk(self._index.store)
        self._kept = path.with_name(path.name + ".kept")
        self._memory = Memory(self._kept)
        self.born = self._memory.born
        """When the key that is kept for a peer was new, in seconds since 1970."""

    def answer(self, peer: bytes, request: Request) -> Answer:
        """The answer to a question in a session with a peer; `StoreError`."""
        match request:
            case Commit(parts):
                return self._commit(peer, parts)
            case Keep(octets):
                self._keep(peer, octets)
                return None
            case _:
                return self._desk.answer(request)

    def kept(self, peer: bytes) -> bytes:
        """What the last session with a peer asked to keep."""
        try:
            octets = (self._kept / fingerprint(peer)).read_bytes()
        except OSError:
            octets = b""
        self._note_key(peer, octets)
        return octets

    def is_old(self, peer: bytes) -> bool:
        """Whether it is time for a new key of the pair; also if the clock was set back behind its birth."""
        born = self.born.get(peer)
        return born is not None and not 0 <= time.time() - born <= KEY_SECONDS

    def used(self, peer: bytes) -> Usage:
        """What a peer handed us today."""
        used = dict(self._memory.used(peer))
        for feed, amount in self._index.received(peer, today()).items():
            claims, octets = used.get(feed, Used(0, 0))
            used[feed] = Used(claims + amount.claims, octets + amount.bytes)
        return used

    def refused(self, peer: bytes) -> Mapping[bytes, Feed]:
        """Elements and feeds of claims that should not be wanted of a peer again."""
        return self._memory.refused(peer)

    def refuse(self, peer: bytes, refusal: Refusal) -> None:
        """Remember what should not be wanted of a peer again; it counts as handed over."""
        self._memory.refuse(peer, refusal.identity[:ELEMENT_OCTETS], refusal.feed)
        self._memory.count(peer, {refusal.feed: Used(1, refusal.size)})

    def cover(self, peer: bytes, covered: Covered) -> None:
        """Remember what a peer was asked, for who wants to know how complete a thread is; `StoreError`."""
        self._index.record_covered(peer, covered.feeds.lists, covered.asked, covered.cut, int(time.time()))

    def carried(self) -> Feeds:
        """The feeds that this server carries whole: its own, and those that it took whole not long ago."""
        policy, now = self._index.policy, time.time()
        feeds = NO_FEEDS if policy.own is None else Feeds({policy.own: ALL_LISTS})
        for exchange in self._index.exchanges():
            if exchange.asked is None and 0 <= now - exchange.time <= MIRROR_SECONDS:
                feeds |= Feeds(exchange.lists) & carried_by(policy, exchange.peer)
        return feeds

    def position(self) -> int:
        """The end of the log."""
        return self._index.store.position()

    def use(self, policy: Policy) -> None:
        """Admit and show by another policy; takes as long as its view takes to be made."""
        prepare(self._path, policy)
        self._index.set_policy(policy)

    def close(self) -> None:
        """Let go of the index."""
        self._memory.close()
        self._index.close()

    def _commit(self, peer: bytes, parts: Sequence[ProvenPart]) -> range:
        new = [Part(part.signed, part.tree, [NewClaim(*claim) for claim in part.claims]) for part in parts]
        try:
            count = self._index.admit(new, Delivery(peer, today(), _sums(parts)))
        except ClaimError as error:  # the machine has checked the same, so this is no peer's doing
            raise StoreError(f"the index refuses what the exchange let pass: {error}") from error
        if not count:
            return range(0)
        # One transaction gives one run of positions, beyond all that was there before.
        held = self._index.store.get([claim.identity for part in parts for claim in part.claims])
        return range(held[-1].position - count + 1, held[-1].position + 1)

    def _keep(self, peer: bytes, octets: bytes) -> None:
        try:
            write_file(self._kept / fingerprint(peer), octets)
        except OSError as error:
            log.warning("%s: cannot keep what makes the next exchange cheap: %s", self._kept, error.strerror)
            return
        self._note_key(peer, octets)

    def _note_key(self, peer: bytes, octets: bytes) -> None:
        key = pair_key(octets)
        self._memory.keyed(peer, sha256(key).digest()[:16] if key else b"")


class Workplace:
    """The threads, for the event loop to hand steps to."""

    def __init__(self, path: Path, policy: Policy) -> None:
        """``policy``: what is admitted; rights of peers are given to each session."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="weft-exchange")
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="weft-scan")
        self._path, self._policy = path, policy
        self._desk: IndexDesk | None = None
        self._store: SqliteStore | None = None
        self._closing = threading.Event()

    async def run(self, work: Callable[[IndexDesk], T]) -> T:
        """What ``work`` returns in the thread of the sessions."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(self._ready()))

    async def scan(self, request: Scan | FindTrees) -> Answer:
        """The answer to a question that takes its time, while sessions go on; `StoreError`."""
        return await asyncio.get_running_loop().run_in_executor(self._scanner, lambda: self._scan(request))

    async def use(self, policy: Policy) -> None:
        """Admit by another policy from now on; `StoreError` if its view cannot be made."""
        self._policy = policy
        await self.run(lambda desk: desk.use(policy))

    async def close(self) -> None:
        """Wait for the step that is under way, and let go of the index."""
        self._closing.set()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._let_go)
        await loop.run_in_executor(self._scanner, self._let_go_of_scans)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._scanner.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> IndexDesk:
        if self._desk is None:
            self._desk = IndexDesk(self._path, self._policy)
        return self._desk

    def _scan(self, request: Scan | FindTrees) -> Answer:
        if self._store is None:
            self._store = SqliteStore(self._path, read_only=True)
            self._store.connection.set_progress_handler(self._closing.is_set, _STEPS)
        return Desk(self._store).answer(request)

    def _let_go(self) -> None:
        if self._desk is not None:
            self._desk.close()
            self._desk = None

    def _let_go_of_scans(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def _sums(parts: Sequence[ProvenPart]) -> dict[Feed, Amount]:
    """How much was handed over of each feed."""
    sums: dict[Feed, Amount] = {}
    for part in parts:
        feed = Feed(part.signed.origin, part.signed.list)
        claims, octets = sums.get(feed, Amount(0, 0))
        sums[feed] = Amount(claims + len(part.claims), octets + sum(len(claim.octets) for claim in part.claims))
    return sums
