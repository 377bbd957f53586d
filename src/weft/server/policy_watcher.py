"""The policy in force while a server runs: the file is looked at again and again, and whoever needs to know is told.

The file has changed if its time, size or inode are others.  It is read when they have been the same for a moment: many
an editor empties a file before it writes it, and an empty file is a policy too, one that admits nobody.  A file that is
broken, or gone, is told in the log, once, and the policy that was read before stays in force: half a file must let
nobody in, nor cut anybody off.  What came of reading it is told too: to metrics and to the service manager.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from weft._files import FileMark, mark_of
from weft.errors import WeftError
from weft.policy.files import load_index_policy
from weft.policy.rules import Policy

LOOK_SECONDS = 2.0
"""Between two looks at the file."""

SETTLE_SECONDS = 0.05
"""How long a changed file has to lie still before it is read."""

SETTLE_LOOKS = 40
"""How often at most we wait for that: who never stops writing must not keep those waiting who go by the file."""

log = logging.getLogger("weft.serve")


@dataclass(frozen=True, slots=True)
class PolicyLoad:
    """What came of reading the file."""

    time: float
    """In seconds since 1970."""
    error: str = ""
    """Why it does not count, or not everywhere; empty if all goes by it."""


class PolicyWatcher:
    """The file, and what it says."""

    def __init__(self, path: Path, policy: Policy, mark: FileMark) -> None:
        """``policy`` is what the file said when it had this ``mark``."""
        self.current = policy
        self._path = path
        self._mark = mark
        self.last_load = self.last_good_load = PolicyLoad(time.time())
        self._tell: list[Callable[[Policy], Awaitable[None]]] = []
        self._tell_loaded: list[Callable[[PolicyLoad], None]] = []
        self._lock = asyncio.Lock()
        self._hurry = asyncio.Event()

    def follow(self, tell: Callable[[Policy], Awaitable[None]]) -> None:
        """Call ``tell`` with each new policy, at the same time as the others that asked for it."""
        self._tell.append(tell)

    def follow_loads(self, tell: Callable[[PolicyLoad], None]) -> None:
        """Call ``tell`` each time that the file has been read, well or not."""
        self._tell_loaded.append(tell)

    def hurry(self) -> None:
        """Look at once, and read the file even if it seems the same."""
        self._mark = (-1, -1, -1)
        self._hurry.set()

    async def run(self) -> None:
        """Look at the file until cancelled."""
        while True:
            self._hurry.clear()
            await self.look()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._hurry.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Read the file if it has changed, and tell everybody; returns when all of them go by it."""
        async with self._lock:
            mark = mark_of(self._path)
            if mark == self._mark:
                return
            mark = await _settled(self._path, mark)
            if mark == self._mark:
                return
            self._mark = mark
            self._loaded(await self._read())

    async def _read(self) -> str:
        """Read the file, and go by it if it is another policy; why not, or not everywhere."""
        try:
            policy = await asyncio.to_thread(load_index_policy, self._path, self.current.own)
        except WeftError as error:
            log.error("the policy stays as it was: %s", error)
            return f"the policy stays as it was: {error}"
        return "" if policy == self.current else await self._use(policy)

    async def _use(self, policy: Policy) -> str:
        self.current, failed = policy, ""
        log.info("the policy changed: %d origins, %d peers", len(policy.origins), len(policy.peers))
        for error in await asyncio.gather(*(tell(policy) for tell in self._tell), return_exceptions=True):
            if isinstance(error, BaseException):
                defect = None if isinstance(error, WeftError) else error
                failed = f"not everything goes by the new policy: {error}"
                log.error("%s", failed, exc_info=defect)
        return failed

    def _loaded(self, error: str) -> None:
        self.last_load = PolicyLoad(time.time(), error)
        if not error:
            self.last_good_load = self.last_load
        for tell in self._tell_loaded:
            tell(self.last_load)


async def _settled(path: Path, mark: FileMark) -> FileMark:
    """The mark of a file that has changed, as soon as it stays the same."""
    for _ in range(SETTLE_LOOKS):
        before = mark
        await asyncio.sleep(SETTLE_SECONDS)
        mark = mark_of(path)
        if mark == before:
            break
    return mark
