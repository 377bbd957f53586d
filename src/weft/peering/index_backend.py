"""The threads in which the sessions of a server ask and fill its index.

Theory of operation
-------------------
A connection of SQLite belongs to a thread, and the event loop must not wait for a disk or a signature.  So machines and
their store run in a thread of their own, step by step, each step of one session; sessions take turns.  Received claims
were verified by the machine; `weft.index.index.Index.admit` asks the policy and brings the view up to date in the same
transaction, and a `CommitParts` is answered when that is on disk.

Two questions can take as long as the store is large, which is seconds for a million claims: more symbols than are kept
(`Scan`), and which trees are our own (`FindTrees`).  They are answered in a second thread, from a connection of its own
that only reads.  What they read ends at a position of the log, so it does not matter what is written meanwhile.

What the machine asks to keep of a peer lies beside the index, in ``<index>.kept/FINGERPRINT``, and what was refused in
`weft.peering.peer_state`.  All of that can be lost, so a failure of either is told in the log and ends nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from weft._files import write_file
from weft.core.feed import ALL_LISTS, Feed
from weft.core.signing import fingerprint
from weft.errors import ClaimError, StoreError
from weft.exchange.events import (
    Answer,
    CommitParts,
    Committed,
    CoverageGained,
    Delivered,
    FindTrees,
    KeepState,
    QuotaUsed,
    Refusal,
    Request,
    Scan,
    Usage,
)
from weft.exchange.limits import Limits
from weft.exchange.outbox import Outbox
from weft.exchange.resumption import ResumptionState, StateSection, load_sketches
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.exchange.store_backend import StoreBackend
from weft.index.index import Index
from weft.index.received import Amount, Delivery
from weft.peering.peer_state import PeerState, today
from weft.policy.feed_ranges import NO_FEEDS, FeedRanges, carried_by
from weft.policy.rules import Policy
from weft.store.interface import VerifiedPart
from weft.store.recovery import is_lacking, note_loss, note_recovered
from weft.store.sqlite import SqliteStore

T = TypeVar("T")

KEY_SECONDS = 7 * 86_400.0
"""How old the key of a pair gets before its caller takes a new one."""
MIRROR_SECONDS = 86_400.0
"""How long after it has taken a feed whole a server says that it carries it."""
_STEPS = 20_000
"""Instructions of SQLite between two looks at whether the server ends."""

log = logging.getLogger("weft.exchange")


def pair_key(data: bytes) -> bytes:
    """The key of the pair in what is kept of a peer, which is the only thing that is looked at; empty if none is."""
    try:
        return load_sketches(ResumptionState(Outbox(Limits()), data).get(StateSection.SKETCHES)).key
    except StoreError:
        return b""


class IndexBackend:
    """Answers the questions of sessions out of an index; for one thread."""

    def __init__(self, path: Path, policy: Policy) -> None:
        self._path = path
        self._index = Index.open(path, policy=policy, create=False)
        self._backend = StoreBackend(self._index.store)
        self._own = policy.own
        if self._index.store.missing_end():
            log.warning("%s: claims are missing; peers are asked for our own; see: weft check", path)
            with self._index.store.transaction():
                note_loss(self._index.store.connection)
        self._kept = path.with_name(path.name + ".kept")
        self._peer_state = PeerState(self._kept)
        self._recovering: set[bytes] = set()
        """The peers that are asked for all of our own feeds now."""
        self.born = self._peer_state.born
        """When the key that is kept for a peer was new, in seconds since 1970."""

    def answer(self, peer: bytes, request: Request) -> Answer:
        """The answer to a question in a session with a peer; `StoreError`."""
        match request:
            case CommitParts(parts, refused):
                positions = self._commit(peer, parts)
                feeds = refused.union(Feed(part.signed.origin, part.signed.list) for part in parts)
                amounts = self._index.received(peer, today(), feeds)
                return Committed(positions, {feed: QuotaUsed(*amount) for feed, amount in amounts.items()})
            case KeepState(data):
                self._keep(peer, data)
                return None
            case _:
                return self._backend.answer(request)

    def kept(self, peer: bytes) -> bytes:
        """What the last session with a peer asked to keep."""
        try:
            data = (self._kept / fingerprint(peer)).read_bytes()
        except OSError:
            data = b""
        self._note_key(peer, data)
        return data

    def is_old(self, peer: bytes) -> bool:
        """Whether it is time for a new key of the pair; also if the clock was set back behind its birth."""
        born = self.born.get(peer)
        return born is not None and not 0 <= time.time() - born <= KEY_SECONDS

    def used(self, peer: bytes) -> Usage:
        """What a peer handed us today."""
        return {feed: QuotaUsed(*amount) for feed, amount in self._index.received(peer, today()).items()}

    def refused(self, peer: bytes) -> Mapping[bytes, Feed]:
        """Elements and feeds of claims that should not be wanted of a peer again."""
        return self._peer_state.refused(peer)

    def refuse(self, peer: bytes, refusals: Sequence[Refusal]) -> None:
        """Remember what should not be wanted of a peer again; it counts as handed over.  `StoreError`."""
        elements = {refusal.identity[:ELEMENT_BYTES]: refusal.feed for refusal in refusals}
        self._peer_state.refuse(peer, elements)
        sums = _sums((refusal.feed, Amount(1, refusal.size)) for refusal in refusals)
        self._index.count_received(Delivery(peer, today(), sums))

    def cover(self, peer: bytes, covered: CoverageGained) -> None:
        """Remember what a peer was asked, for who wants to know how complete a thread is; `StoreError`."""
        self._index.record_covered(peer, covered.feeds.lists, covered.asked, covered.cut, int(time.time()))

    def deliver(self, peer: bytes, delivered: Delivered) -> None:
        """Remember up to where a peer has our log, for who waits until it knows of a withdrawal; `StoreError`."""
        self._index.erasure.delivered(peer, delivered.feeds.lists, delivered.position, int(time.time()))

    def carried(self) -> FeedRanges:
        """The feeds that this server carries whole: its own, and those that it took whole not long ago."""
        policy, now = self._index.policy, time.time()
        feeds = NO_FEEDS if policy.own is None else FeedRanges({policy.own: ALL_LISTS})
        for exchange in self._index.exchanges():
            if exchange.asked is None and 0 <= now - exchange.time <= MIRROR_SECONDS:
                feeds |= FeedRanges(exchange.lists) & carried_by(policy, exchange.peer)
        return feeds

    def recovers(self, peer: bytes) -> bool:
        """Whether this index has lost claims of our own, and the peer was not asked for all of them yet."""
        if is_lacking(self._index.store.connection, peer):
            self._recovering.add(peer)
            return True
        self._recovering.discard(peer)
        return False

    def recovered(self, peer: bytes) -> None:
        """The peer has given all that it has of our own; `StoreError`."""
        self._recovering.discard(peer)
        with self._index.store.transaction():
            note_recovered(self._index.store.connection, peer)

    def position(self) -> int:
        """The end of the log."""
        return self._index.store.position()

    def is_overtaken(self, policy: Policy) -> bool:
        """Whether another policy is in force and its view has been made: the old one must not be made again."""
        return self._index.policy is not policy and not self._index.view.follow()

    def use(self, policy: Policy) -> None:
        """Admit and show by another policy; takes as long as its view takes to be made."""
        Index.prepare(self._path, policy)
        self._index.set_policy(policy)

    def close(self) -> None:
        """Let go of the index."""
        self._peer_state.close()
        self._index.close()

    def _commit(self, peer: bytes, parts: Sequence[VerifiedPart]) -> range:
        try:
            found = self._index.admit(parts, Delivery(peer, today(), _sums(map(_amount, parts))))
        except ClaimError as error:  # the machine has asked the same policy, so this is not the peer's doing
            raise StoreError(f"the index refuses what the exchange let pass: {error}") from error
        if found and peer not in self._recovering and any(part.signed.origin == self._own for part in parts):
            with self._index.store.transaction():
                note_loss(self._index.store.connection)
        return found

    def _keep(self, peer: bytes, data: bytes) -> None:
        try:
            write_file(self._kept / fingerprint(peer), data)
        except OSError as error:
            log.warning("%s: cannot keep what makes the next exchange cheap: %s", self._kept, error.strerror)
            return
        self._note_key(peer, data)

    def _note_key(self, peer: bytes, data: bytes) -> None:
        key = pair_key(data)
        self._peer_state.keyed(peer, sha256(key).digest()[:16] if key else b"")


class BackendThreads:
    """The threads, for the event loop to hand steps to."""

    def __init__(self, path: Path, policy: Policy) -> None:
        """``policy``: what is admitted; rights of peers are given to each session."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="weft-exchange")
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="weft-scan")
        self._path, self._policy = path, policy
        self._backend: IndexBackend | None = None
        self._store: SqliteStore | None = None
        self._closing = threading.Event()

    async def run(self, work: Callable[[IndexBackend], T]) -> T:
        """What ``work`` returns in the thread of the sessions."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(self._ready()))

    async def scan(self, request: Scan | FindTrees) -> Answer:
        """The answer to a question that takes its time, while sessions go on; `StoreError`."""
        return await asyncio.get_running_loop().run_in_executor(self._scanner, lambda: self._scan(request))

    async def use(self, policy: Policy) -> None:
        """Admit by another policy from now on; `StoreError` if its view cannot be made."""
        self._policy = policy
        await self.run(lambda backend: backend.use(policy))

    async def close(self) -> None:
        """Wait for the step that is under way, and let go of the index."""
        self._closing.set()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self._let_go)
        await loop.run_in_executor(self._scanner, self._let_go_of_scans)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._scanner.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> IndexBackend:
        if self._backend is None:
            self._backend = IndexBackend(self._path, self._policy)
        elif self._backend.is_overtaken(self._policy):
            self._backend.use(self._policy)
        return self._backend

    def _scan(self, request: Scan | FindTrees) -> Answer:
        if self._store is None:
            self._store = SqliteStore(self._path, read_only=True)
            self._store.connection.set_progress_handler(self._closing.is_set, _STEPS)
        return StoreBackend(self._store).answer(request)

    def _let_go(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def _let_go_of_scans(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


def _sums(amounts: Iterable[tuple[Feed, Amount]]) -> dict[Feed, Amount]:
    """How much was handed over of each feed."""
    sums: dict[Feed, Amount] = {}
    for feed, more in amounts:
        claims, data = sums.get(feed, Amount(0, 0))
        sums[feed] = Amount(claims + more.claims, data + more.bytes)
    return sums


def _amount(part: VerifiedPart) -> tuple[Feed, Amount]:
    """What one part is of, and how much."""
    feed = Feed(part.signed.origin, part.signed.list)
    return feed, Amount(len(part.claims), sum(len(claim.data) for claim in part.claims))
