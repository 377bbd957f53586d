"""Watching: one look at the log, shared by all who listen.

Theory of operation
-------------------
A thousand idle streams cost what one costs: the log's end is looked at a few times a second, once for all.  When it
has moved, the changes from one position on are worked out once, whoever asks for them.  A stream that is behind reads
at its own pace; nothing is queued for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from weft.errors import OverloadedError, StoppingError
from weft.server import handlers
from weft.server.limited_client import shared_work
from weft.server.reader_pool import ReaderPool
from weft.v1 import threads_pb2 as wire
from weft.wire import limits

INTERVAL = 0.2
"""Seconds between two looks at the end of the log."""
PAUSE = 5.0
"""The same after a look that failed."""
_SHARED = 64


log = logging.getLogger("weft.server")


class ChangeWatch:
    """The streams of changes of one server."""

    def __init__(self, pool: ReaderPool, moved: Callable[[int], Awaitable[None]] | None = None) -> None:
        """``moved`` is told each new end of the log."""
        self._pool = pool
        self._moved = moved
        self._end = 0
        self._news = asyncio.Event()
        self._stopping = False
        self._shared: dict[int, asyncio.Task[wire.WatchChangesResponse]] = {}
        self.watchers = 0

    @property
    def end(self) -> int:
        """The end of the log when it was last looked at."""
        return self._end

    async def run(self) -> None:
        """Look at the log until cancelled."""
        while True:
            try:
                await self._look()
            except Exception as error:  # the index cannot be read; it may be later
                log.warning("the log cannot be looked at: %s", error)
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(INTERVAL)

    async def _look(self) -> None:
        end = await self._pool.call(handlers.position, limits.CALL_SECONDS)
        if end == self._end:
            return
        self._end = end
        self._shared.clear()
        self._wake()
        if self._moved is not None:
            await self._moved(end)

    def stop(self) -> None:
        """End all streams."""
        self._stopping = True
        self._wake()

    async def stream(self, request: wire.WatchChangesRequest) -> AsyncGenerator[wire.WatchChangesResponse, None]:
        """What comes into the log, from where the request says."""
        name = request.list
        limits.check_list(name)
        if self.watchers >= limits.WATCHERS:
            raise OverloadedError(f"{limits.WATCHERS} streams are watching already; ask again later")
        self.watchers += 1
        try:
            after = await self._start(request)
            yield wire.WatchChangesResponse(log_position=after)
            while True:
                news = self._news
                response = await self._after(after)
                moved, after = response.log_position > after, response.log_position
                if response.changes:
                    chosen = [change for change in response.changes if name in ("", change.list)]
                    if chosen:
                        yield wire.WatchChangesResponse(changes=chosen, log_position=after)
                if self._stopping:
                    raise StoppingError("the server is stopping; watch again later")
                if not moved:
                    await news.wait()
        finally:
            self.watchers -= 1

    async def _start(self, request: wire.WatchChangesRequest) -> int:
        end = await self._pool.call(handlers.position, limits.CALL_SECONDS)
        return handlers.check_after(request.after_position, end) if request.HasField("after_position") else end

    async def _after(self, position: int) -> wire.WatchChangesResponse:
        """The changes beyond a position, worked out once for all who ask at about the same time."""
        task = self._shared.get(position)
        if task is None:
            if len(self._shared) >= _SHARED:
                self._shared.clear()
            work = self._pool.call(lambda reader: handlers.changes(reader, position), limits.CALL_SECONDS)
            task = self._shared[position] = asyncio.create_task(work, context=shared_work())
            task.add_done_callback(_seen)
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._shared.get(position) is task:
                del self._shared[position]
            raise

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _seen(task: asyncio.Task[wire.WatchChangesResponse]) -> None:
    """An error that nobody waits for any more is no defect."""
    if not task.cancelled():
        task.exception()
