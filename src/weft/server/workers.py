"""More processes that answer clients at one address: each is a server of its own over the same index.

Theory of operation
-------------------
Within one process the threads that read and the one that talks share the interpreter's lock, so a second process serves
nearly twice as many calls on two cores.  The system deals connections out to all processes that listen at the address
(SO_REUSEPORT).  A worker ends when its standard input does: so none outlives the server that started it, however that
ends.  One that ends by itself is started again.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_PAUSE = 1.0
"""Seconds before one that has ended is started again."""

log = logging.getLogger("weft.serve")


@asynccontextmanager
async def workers(command: Sequence[str], number: int, patience: float, hurry: asyncio.Event) -> AsyncIterator[None]:
    """Run ``number`` workers meanwhile.

    At the end each has ``patience`` seconds for its calls in flight, or until ``hurry`` is set.
    """
    tasks = [asyncio.create_task(_keep(command, patience, hurry)) for _ in range(number)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(command: Sequence[str], patience: float, hurry: asyncio.Event) -> None:
    """Run one worker, again and again, until cancelled."""
    while True:
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=DEVNULL, start_new_session=True)
        try:
            code = await process.wait()
        finally:
            await _end(process, patience, hurry)
        log.error("a worker ended with exit code %d; another one takes its place", code)
        await asyncio.sleep(_PAUSE)


async def _end(process: Process, patience: float, hurry: asyncio.Event) -> None:
    """Tell it to stop, and see to it that it does."""
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    ended, hurried = asyncio.create_task(process.wait()), asyncio.create_task(hurry.wait())
    await asyncio.wait((ended, hurried), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not ended.done():
        with suppress(ProcessLookupError):
            process.kill()
    await ended


def stop_with_parent(stopping: asyncio.Event) -> None:
    """Of a worker: set ``stopping`` when the server that started it is gone."""
    asyncio.get_running_loop().add_reader(0, stopping.set)
