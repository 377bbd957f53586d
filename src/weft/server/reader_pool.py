"""An index as a server reads it: from threads of its own, each answer from one state of the index.

Theory of operation
-------------------
SQLite connections belong to threads, and the event loop must never wait for a disk.  So each thread of a small pool
opens the index for itself, to read only (`IndexReader`), and the loop hands it functions (`ReaderPool.call`).  Within
`IndexReader.snapshot` all that is read is of one state, whoever writes meanwhile (`weft.index.snapshot`).  When the
state is another than the one before, what the thread remembers (encoded answers) is dropped.  When the server goes by
another policy (`ReaderPool.use`), each thread goes on with the view that is there until that of the new policy has been
made beside it, in one transaction, and then answers by that.

A function that takes too long, or whose caller has gone, is interrupted inside SQLite.  Where clients are told
apart, the threads are dealt out among them (`weft.server.fair_turns`), and each is charged with the time that they work
for it; what is done for several at once, or for the server itself, needs no turn.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from weft.core.handle import parse_handle
from weft.core.message_id import key as id_key
from weft.core.message_id import keys_of
from weft.errors import (
    ChangedPolicyError,
    LateError,
    NotFoundError,
    OverloadedError,
    StaleViewError,
    StoppingError,
    StoreError,
)
from weft.index.index import Index
from weft.policy.rules import Policy
from weft.server.call_cost import CALL_COST
from weft.server.fair_turns import FairTurns
from weft.server.limited_client import CLIENT, LimitedClient, WorkTime
from weft.server.policy_watcher import LOOK_SECONDS

T = TypeVar("T")

MAX_WAITING = 1024
"""Calls that one pool takes at a time; more are refused."""
_KEPT = 2
"""Large answers that are kept for their next pages."""
CACHE_BYTES = 32 << 20
"""Encoded answers that each thread remembers."""
_KEY_BYTES = 512
_POLICY_SECONDS = 2 * LOOK_SECONDS + 1
"""In which a policy that others have made a view of already is read here, too."""
_POLICY_LOOK = 0.02
_STEPS = 20_000
"""Instructions of SQLite between two looks at the clock: about a millisecond."""


def check_waiting(calls: int) -> None:
    """`OverloadedError` if so many wait that no more are taken."""
    if calls >= MAX_WAITING:
        raise OverloadedError(f"{MAX_WAITING} calls are waiting already; ask again later")


class IndexReader:
    """One thread's access to the index."""

    def __init__(
        self, path: Path, policy: Policy, wanted: Callable[[], Policy] | None = None, *, writes: bool = True
    ) -> None:
        """``wanted``, ``writes``: as `Index.reader` has them."""
        self.index = Index.reader(path, policy, wanted, writes=writes)
        self.view = self.index.view
        self.cache: OrderedDict[bytes, bytes] = OrderedDict()
        self.kept: OrderedDict[object, object] = OrderedDict()
        """What is needed for the next pages of large answers; see `keep`."""
        self.compared = policy
        """The last policy of which it was found out whether it shows the same."""
        self._cached = 0
        self._version = -1
        self._position = -1
        self._connection = self.index.store.connection

    def use(self, policy: Policy) -> None:
        """Read by another policy from now on, and forget what was read by the old one."""
        self.index.set_policy(policy)  # opened to read only, so nothing is made here
        self.view = self.index.view
        self._forget()

    @contextmanager
    def limited(self, deadline: float, wanted: Callable[[], bool]) -> Iterator[None]:
        """Interrupt what is read inside at ``deadline`` (of the monotonic clock), or when it is not ``wanted``."""

        def over() -> bool:
            return time.monotonic() > deadline or not wanted()

        if over():
            raise LateError("the answer took too long: the server has much to do")
        self._connection.set_progress_handler(over, _STEPS)
        try:
            yield
        except (sqlite3.Error, StoreError) as error:
            if over():
                raise LateError("the answer took too long") from error
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, and of our policy.  Within another one it is part of that."""
        if self._connection.in_transaction:
            yield
            return
        with self.index.snapshot() as view:
            if view.version != self._version:
                self._forget()
                self._version = view.version
            yield

    def node(self, message_id: bytes) -> int:
        """The node of an id, or of a handle, as a client names it; `NotFoundError`."""
        node = self.view.look_up([id_key(message_id)])
        text = message_id.decode("utf-8", "surrogateescape")
        if node is None and parse_handle(text):
            node = self.view.look_up(keys_of(self.index.named(text)))
        if node is None:
            raise NotFoundError(f"no message here has or names the id {text[:250]!r}")
        return node

    def position(self) -> int:
        """The end of the log, within a snapshot."""
        if self._position < 0:
            self._position = self.index.store.position()
        return self._position

    def remembered(self, key: bytes) -> bytes | None:
        """An answer, if the index is as it was; outside of a snapshot it costs less than to begin one."""
        answer = self.cache.get(key)
        if answer is None or self._connection.in_transaction or self.index.store.version() == self._version:
            return answer
        return None

    def remember(self, key: bytes, data: bytes) -> None:
        """Keep an answer until the index changes, if its key is no longer than keys need to be."""
        if len(key) > _KEY_BYTES:
            return
        self.cache[key] = data
        self._cached += len(key) + len(data)
        while self._cached > CACHE_BYTES:
            gone, answer = self.cache.popitem(last=False)
            self._cached -= len(gone) + len(answer)

    def keep(self, key: bytes, large: object) -> None:
        """Keep what is needed for the next pages of a large answer until the index changes, or others are kept."""
        self.kept[key] = large
        self.kept.move_to_end(key)
        while len(self.kept) > _KEPT:
            self.kept.popitem(last=False)

    def close(self) -> None:
        """Let go of the index."""
        self.index.close()

    def _forget(self) -> None:
        self.cache.clear()
        self.kept.clear()
        self._cached, self._version, self._position = 0, -1, -1


class ReaderPool:
    """Some threads, each with a `IndexReader` of its own, for the event loop to hand functions to."""

    def __init__(self, path: Path, policy: Policy, threads: int, name: str, *, writes: bool = True) -> None:
        """``writes``: whether the view may be made where it is missing (`Index.reader`)."""
        self.name = name
        self._writes = writes
        self._path = path
        self._policy = policy
        self._local = threading.local()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"weft-{name}")
        self._turns = FairTurns(threads)
        self._stale_since: float | None = None
        """When the view was first found to be of another policy than ours, where it may not be made."""
        self.waiting = 0

    async def call(self, work: Callable[[IndexReader], T], seconds: float) -> T:
        """What ``work`` returns in one of the threads, within ``seconds`` from when its client has work left.

        If the caller is cancelled, so is the work.  `OverloadedError`, `LateError`, and what ``work`` raises.
        """
        check_waiting(self.waiting)
        client, cost, call = CLIENT.get(), WorkTime(), CALL_COST.get()
        if client is not None:
            await client.pause(seconds)
        deadline = time.monotonic() + seconds
        gone = False

        def run() -> T:
            reader = self._reader()
            try:
                with reader.limited(deadline, lambda: not gone), cost:
                    try:
                        return work(reader)
                    except ChangedPolicyError:  # its view has been made meanwhile
                        reader.use(self._policy)
                        return work(reader)
                    except StaleViewError:  # who writes has made that of a policy that we have not read yet
                        if not self._await_policy(reader.index.policy):
                            raise
                        reader.use(self._policy)
                        return work(reader)
            finally:
                if call is not None:
                    call.add(cost.seconds)

        self.waiting += 1
        try:
            if client is None:
                return await asyncio.get_running_loop().run_in_executor(self._executor, run)
            await self._turns.acquire(client.name)
            return await asyncio.wrap_future(self._submit(run, client, cost))
        finally:
            gone = True
            self.waiting -= 1

    def _submit(self, run: Callable[[], T], client: LimitedClient, cost: WorkTime) -> Future[T]:
        """Have a thread do it.  Its turn ends when the thread is done, even if the caller has gone long before."""
        loop = asyncio.get_running_loop()

        def end() -> None:
            self._turns.release(client.name)
            client.charge(cost.seconds)

        try:
            running = self._executor.submit(run)
        except RuntimeError:  # the pool is closed
            end()
            raise StoppingError("the server is stopping; ask again later") from None
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(end))
        return running

    def _await_policy(self, old: Policy) -> bool:
        """Wait, in a thread, for another policy; whether there is one within `_POLICY_SECONDS` of the first wait."""
        now = time.monotonic()
        if self._stale_since is None or now > self._stale_since + 2 * _POLICY_SECONDS:
            self._stale_since = now
        while self._policy is old and time.monotonic() < self._stale_since + _POLICY_SECONDS:
            time.sleep(_POLICY_LOOK)
        return self._policy is not old

    def use(self, policy: Policy) -> None:
        """Answer calls by another policy: from now on if it shows the same, else as soon as its view has been made."""
        self._policy = policy

    def close(self) -> None:
        """Wait for the threads and let go of the index."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _reader(self) -> IndexReader:
        found: IndexReader | None = getattr(self._local, "reading", None)
        if found is None:
            found = self._local.reading = IndexReader(
                self._path, self._policy, lambda: self._policy, writes=self._writes
            )
        elif found.compared is not self._policy:
            found.compared = self._policy
            if found.view.is_same_under(self._policy):
                found.use(self._policy)
        return found
