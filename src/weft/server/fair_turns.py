"""Whose turn it is: the threads of a pool, dealt out among clients and not among calls.

Theory of operation
-------------------
A client has half of the threads at most, so that its long calls never take all of them; of those that wait, one client
after the other has a turn, whoever has asked how often.  A turn lasts as long as the thread works, not as long as
somebody waits for it: else who gives up again and again would have all threads.  All of it runs in one event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque


class FairTurns:
    """The turns of ``threads`` threads, one for each `acquire`; the caller says when it has ended."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._share = max(1, threads // 2)
        self._running: Counter[str] = Counter()
        self._total = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """Who has waited longest for a turn is first."""

    async def acquire(self, client: str) -> None:
        """Wait for a turn; a caller that goes away meanwhile has none."""
        if client in self._waiting or not self._may_run(client):
            await self._wait(client)
        else:
            self._start(client)

    def release(self, client: str) -> None:
        """A turn has ended."""
        self._total -= 1
        self._running[client] -= 1
        if not self._running[client]:
            del self._running[client]
        self._deal()

    def _may_run(self, client: str) -> bool:
        return self._total < self._threads and self._running[client] < self._share

    def _start(self, client: str) -> None:
        self._total += 1
        self._running[client] += 1

    async def _wait(self, client: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had its turn already, and does not take it
                self.release(client)
            raise

    def _deal(self) -> None:
        """Give turns to those that wait, as long as there are some."""
        for client in [*self._waiting]:
            if self._total >= self._threads:
                return
            if self._may_run(client):
                self._give(client)

    def _give(self, client: str) -> None:
        """The next turn of a client; then others come first."""
        turns = self._waiting[client]
        while turns and turns[0].cancelled():
            turns.popleft()
        if turns:
            self._start(client)
            turns.popleft().set_result(None)
        if turns:
            self._waiting.move_to_end(client)
        else:
            del self._waiting[client]
