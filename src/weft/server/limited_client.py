"""The client for whom something is done, where limits are of clients: it goes along with a call, by a context variable.

What is done for several callers at once (`shared_work`) is the server's own.
"""

from __future__ import annotations

import asyncio
import time
from contextvars import Context, ContextVar, copy_context
from types import TracebackType
from typing import Self

from weft.server.call_cost import CALL_COST
from weft.server.client_limits import ClientLedger


class LimitedClient:
    """A client with an account."""

    def __init__(self, name: str, ledger: ClientLedger) -> None:
        self.name = name
        self._ledger = ledger

    async def pause(self, most: float) -> None:
        """Wait, ``most`` seconds at most, until the client has some work left: so a stream of its slows down."""
        wait = min(most, self._ledger.pause(self.name, time.monotonic()))
        if wait > 0:
            await asyncio.sleep(wait)

    def charge(self, seconds: float) -> None:
        """A thread has worked for it."""
        self._ledger.charge(self.name, seconds, time.monotonic())


CLIENT: ContextVar[LimitedClient | None] = ContextVar("client", default=None)
"""For whom something is done; None: for the server itself, or for callers without limits."""


def shared_work() -> Context:
    """A context for what several callers wait for, whoever came first."""
    context = copy_context()
    context.run(CLIENT.set, None)
    context.run(CALL_COST.set, None)
    return context


class WorkTime:
    """Measures the time that a thread works, without that in which it waits."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began = time.thread_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.thread_time() - self._began
