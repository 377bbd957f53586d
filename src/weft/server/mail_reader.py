"""The process that reads new mail into the index of a server: ``weft ingest --watch``.

What it says goes into the log of the server.  It ends when its standard input does: so it does not outlive the server,
however that ends.  One that ends by itself is started again, after a pause that grows.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

_PAUSE, _LONGEST = 1.0, 60.0
"""Seconds before one that has ended is started again, the first time and at most."""
_PATIENCE = 10.0
"""So long it may finish what it is reading.  What it had read before is kept, whatever becomes of it."""
_LINE = 1 << 20

log = logging.getLogger("weft.ingest")


async def read_mail(command: Sequence[str]) -> None:
    """Run the command, again and again, until cancelled."""
    pause = _PAUSE
    while True:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, start_new_session=True, limit=_LINE
        )
        try:
            if await _log_lines(process):
                pause = _PAUSE
            code = await process.wait()
        finally:
            await _end(process)
        log.error("reading mail ended with exit code %d; it is tried again in %d s", code, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST)


async def _log_lines(process: Process) -> int:
    """Log what a process says until it ends; how many messages it had read were worth a line."""
    assert process.stderr is not None
    lines = 0
    async for line in process.stderr:
        text = line.decode("utf-8", "replace").rstrip().removeprefix("weft: ")
        lines += " new claim" in text
        log.info("%s", text)
    return lines


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
