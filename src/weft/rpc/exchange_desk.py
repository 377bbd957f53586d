"""The one thread in which the sessions of a server ask and fill its index.

Theory of operation
-------------------
A connection of SQLite belongs to a thread, and the event loop must not wait for a disk or a signature.  So machines and
their store run in a thread of their own, step by step, each step of one session; sessions take turns.  Received claims
go through `weft.index.index.Index.admit`, which checks signatures, proofs and the policy once more, and brings the view
up to date in the same transaction; a `Commit` is answered when that is on disk.

What the machine asks to keep of a peer lies beside the index, in ``<index>.kept/FINGERPRINT``.  It can be lost.
What peers handed us today, and which claims were refused, is remembered as long as the process lives.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from weft.core.feed import Feed
from weft.core.policy import Policy
from weft.core.signing import fingerprint
from weft.errors import ClaimError, StoreError
from weft.exchange.events import Answer, Commit, Keep, ProvenPart, Refusal, Request, Usage, Used
from weft.exchange.symbol import ELEMENT_OCTETS
from weft.index.index import Index
from weft.rpc.desk import Desk
from weft.store.base import NewClaim, Part

T = TypeVar("T")

_REFUSED = 100_000
"""Refused claims that are remembered."""


class IndexDesk:
    """Answers the questions of sessions out of an index; for one thread."""

    def __init__(self, path: Path, policy: Policy) -> None:
        self._index = Index.open(path, policy=policy, create=False)
        self._desk = Desk(self._index.store)
        self._kept = path.with_name(path.name + ".kept")
        self._today = _today()
        self._used: dict[bytes, dict[Feed, Used]] = defaultdict(dict)
        self.refused: set[bytes] = set()
        """Elements of claims that are not wanted again."""

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
            return (self._kept / fingerprint(peer)).read_bytes()
        except OSError:
            return b""

    def used(self, peer: bytes) -> Usage:
        """What a peer handed us today."""
        if self._today != _today():
            self._today = _today()
            self._used.clear()
        return dict(self._used[peer])

    def refuse(self, refusal: Refusal) -> None:
        """Remember what should not be wanted again."""
        if len(self.refused) >= _REFUSED:
            self.refused.clear()
        self.refused.add(refusal.identity[:ELEMENT_OCTETS])

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def _commit(self, peer: bytes, parts: Sequence[ProvenPart]) -> range:
        new = [Part(part.signed, part.tree, [NewClaim(*claim) for claim in part.claims]) for part in parts]
        try:
            count = self._index.admit(new)
        except ClaimError as error:  # the machine has checked the same, so this is no peer's doing
            raise StoreError(f"the index refuses what the exchange let pass: {error}") from error
        self._count(peer, parts)
        if not count:
            return range(0)
        # One transaction gives one run of positions, beyond all that was there before.
        held = self._index.store.get([claim.identity for part in parts for claim in part.claims])
        return range(held[-1].position - count + 1, held[-1].position + 1)

    def _count(self, peer: bytes, parts: Sequence[ProvenPart]) -> None:
        used = self._used[peer]
        for part in parts:
            feed = Feed(part.signed.origin, part.signed.list)
            claims, octets = used.get(feed, Used(0, 0))
            used[feed] = Used(claims + len(part.claims), octets + sum(len(claim.octets) for claim in part.claims))

    def _keep(self, peer: bytes, octets: bytes) -> None:
        try:
            self._kept.mkdir(mode=0o700, exist_ok=True)
            draft = self._kept / f".{secrets.token_hex(8)}"
            draft.write_bytes(octets)
            draft.replace(self._kept / fingerprint(peer))
        except OSError as error:
            raise StoreError(f"{self._kept}: cannot keep what the next exchange needs: {error.strerror}") from None


class Workplace:
    """The thread, for the event loop to hand steps to."""

    def __init__(self, path: Path, policy: Policy) -> None:
        """``policy``: what is admitted; rights of peers are given to each session."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="weft-exchange")
        self._path, self._policy = path, policy
        self._desk: IndexDesk | None = None

    async def run(self, work: Callable[[IndexDesk], T]) -> T:
        """What ``work`` returns in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(self._ready()))

    async def close(self) -> None:
        """Wait for the step that is under way, and let go of the index."""
        if self._desk is not None:
            await self.run(lambda desk: desk.close())
            self._desk = None
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> IndexDesk:
        if self._desk is None:
            self._desk = IndexDesk(self._path, self._policy)
        return self._desk


def _today() -> date:
    return datetime.now(UTC).date()
