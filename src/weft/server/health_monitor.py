"""Whether a server can answer, looked at again and again: readiness, apart from whether it lives.

Theory of operation
-------------------
Every `LOOK_SECONDS` the condition of the index is read in a thread of its own, through a connection of its own
(`weft.index.condition`), and a small read goes the way of all calls, through the pool that answers them.  The server is
ready if the index is the file that it was and can be read, if its view is there, follows the log, and is of a policy of
ours, if the words of search follow too, and if that read comes back in time.  Lags are measured in seconds: a large
ingest may put any number of claims before the search table for a while.

A server that is not ready may well live.  `HealthMonitor.is_alive` says whether the looks themselves go on, ready or
not: if not, the event loop or the disk hangs, and a service manager may start the process again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from weft.errors import LateError, OverloadedError, WeftError
from weft.index.condition import ConditionReader, IndexCondition, LagClock
from weft.policy.rules import Policy
from weft.server.reader_pool import IndexReader, ReaderPool

LOOK_SECONDS = 1.0
"""Between two looks."""
ANSWER_SECONDS = 10.0
"""In which a small read has to come back from the pool that answers calls."""
VIEW_LAG_SECONDS = 30.0
"""How long the view may be behind the log."""
SEARCH_LAG_SECONDS = 900.0
"""How long the words of search may be behind the log."""
ALIVE_SECONDS = 45.0
"""Without a look that came to its end, after which the server counts as hanging."""

log = logging.getLogger("weft.server")


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the last look found."""

    problem: str = "the index has not been looked at yet"
    """Why the server is not ready, in one line for its operator; empty if it is."""
    condition: IndexCondition | None = None
    """None if it could not be read."""
    view_lag: float = 0.0
    """Seconds."""
    search_lag: float = 0.0
    """Seconds."""

    @property
    def is_ready(self) -> bool:
        """Whether calls are answered as they should be."""
        return not self.problem


class HealthMonitor:
    """Looks at one server.  To be used within its event loop."""

    def __init__(
        self, path: Path, policies: Callable[[], Sequence[Policy]], quick: ReaderPool, *, fills_search: bool = True
    ) -> None:
        """``policies``: those by which views may be made now; ``quick``: the pool through which calls go.

        ``fills_search``: whether it is for this server to have words found; if not, their lag is no fault of its.
        """
        self._fills_search = fills_search
        self.current = Readiness()
        self._policies = policies
        self._quick = quick
        self._reader = ConditionReader(path)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="weft-health")
        self._view_clock, self._search_clock = LagClock(), LagClock()
        self._tell: list[Callable[[Readiness], Awaitable[None]]] = []
        self._looked = time.monotonic()

    def follow(self, tell: Callable[[Readiness], Awaitable[None]]) -> None:
        """Call ``tell`` with what each look finds."""
        self._tell.append(tell)

    def is_alive(self) -> bool:
        """Whether looks come to their end; what they find does not matter."""
        return time.monotonic() - self._looked < ALIVE_SECONDS

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> Readiness:
        """Look once, and tell."""
        loop = asyncio.get_running_loop()
        try:
            condition = await loop.run_in_executor(self._executor, self._reader.read, self._policies())
            found = self._judge(condition, time.monotonic())
        except (WeftError, ValueError) as error:
            found = Readiness(f"the index cannot be read: {error}")
        self._looked = time.monotonic()
        if found.is_ready and (failed := await self._answers()):
            found = Readiness(failed, found.condition, found.view_lag, found.search_lag)
        before, self.current = self.current, found
        if found.problem != before.problem:
            log.log(*_line(found))
        for tell in self._tell:
            await tell(found)
        return found

    def _judge(self, condition: IndexCondition, now: float) -> Readiness:
        view = self._view_clock.seconds(condition.view_position, condition.log_position, now)
        search = self._search_clock.seconds(condition.search_position, condition.log_position, now)
        problem = problem_of(condition, view, search if self._fills_search else 0.0)
        return Readiness(problem, condition, view, search)

    async def _answers(self) -> str:
        """Why a small read does not come back; empty if it does."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._quick.call(_small_read, ANSWER_SECONDS)
        except (TimeoutError, LateError):
            return f"calls are not answered within {ANSWER_SECONDS:.0f} s"
        except OverloadedError as error:
            return str(error)
        except WeftError as error:
            return f"calls are not answered: {error}"
        return ""

    def close(self) -> None:
        """Let go of the index."""
        self._executor.submit(self._reader.close)
        self._executor.shutdown(wait=False)


def problem_of(condition: IndexCondition, view_lag: float, search_lag: float) -> str:
    """Why a server over such an index is not ready; empty if it is.  Lags are in seconds."""
    if not condition.is_view_usable:
        return "there is no view of this policy; it is being made, or another program has made that of another one"
    if view_lag > VIEW_LAG_SECONDS:
        behind = condition.log_position - condition.view_position
        return f"the view is {behind} claims behind the log for {view_lag:.0f} s"
    if search_lag > SEARCH_LAG_SECONDS:
        behind = condition.log_position - condition.search_position
        return f"search is {behind} claims behind the log for {search_lag:.0f} s"
    return ""


def _small_read(reader: IndexReader) -> int:
    with reader.snapshot():
        return reader.position()


def _line(found: Readiness) -> tuple[int, str]:
    if found.is_ready:
        return logging.INFO, "ready"
    return logging.ERROR, f"not ready: {found.problem}"
