"""Answering requests for threads, all that wait with one visit to the thread that reads the index.

Theory of operation
-------------------
The way into another thread and back costs as much as a small answer, and two threads that both run get into each
other's way.  So what comes while a visit is under way waits for the next one, and is read from one state of the index.
Each request keeps its own deadline, its own failure, and its end when its caller goes, and is charged to its client.
A visit ends after `_SECONDS`, so that who was answered first does not wait long for the others.  Where clients are told
apart, they are answered in turns, whoever of them has asked for more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from weft.server.call_cost import CALL_COST, CallCost
from weft.server.limited_client import CLIENT, LimitedClient, WorkTime, shared_work
from weft.server.reader_pool import IndexReader, ReaderPool, check_waiting
from weft.server.thread_pages import get_thread
from weft.wire import limits

_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request."""

    request: bytes
    deadline: float
    """Of the monotonic clock."""
    answer: asyncio.Future[bytes]
    client: LimitedClient | None
    cost: WorkTime
    call: CallCost | None

    def is_wanted(self) -> bool:
        """Whether its caller is still there."""
        return not self.answer.cancelled()

    def settle(self, found: bytes | Exception) -> None:
        """Give the answer, or why there is none, to a caller who is still there; it is charged in any case."""
        if self.client is not None:
            self.client.charge(self.cost.seconds)
        if self.call is not None:
            self.call.add(self.cost.seconds)
        if not self.is_wanted():
            return
        if isinstance(found, bytes):
            self.answer.set_result(found)
        else:
            self.answer.set_exception(found)


class Batcher:
    """Visits to the thread of a pool, one at a time."""

    def __init__(self, pool: ReaderPool) -> None:
        self._pool = pool
        self._waiting: deque[_Asked] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for the next visit."""
        return len(self._waiting)

    async def answer(self, request: bytes, seconds: float) -> bytes:
        """What `get_thread` gives or raises, within ``seconds``; `OverloadedError`, `LateError`."""
        check_waiting(len(self._waiting))
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        deadline = time.monotonic() + seconds
        self._waiting.append(_Asked(request, deadline, answer, CLIENT.get(), WorkTime(), CALL_COST.get()))
        if self._task is None:
            self._task = asyncio.create_task(self._visit_all(), context=shared_work())
        return await answer

    async def _visit_all(self) -> None:
        try:
            while self._waiting:
                asked = _in_turns([one for one in self._waiting if one.is_wanted()])
                self._waiting.clear()
                given = await self._visit(asked)
                for one, found in zip(asked, given, strict=False):
                    one.settle(found)
                self._waiting.extendleft(reversed(asked[len(given) :]))
        finally:
            self._task = None

    async def _visit(self, asked: Sequence[_Asked]) -> Sequence[bytes | Exception]:
        """The answers to the first of some requests, one at least."""
        try:
            return await self._pool.call(lambda reader: _answers(reader, asked), limits.CALL_SECONDS)
        except Exception as error:  # nothing can be read; each caller is told
            return [error] * len(asked)


def _in_turns(asked: Sequence[_Asked]) -> Sequence[_Asked]:
    """One request of each client, then the second of each, and so on."""
    if all(one.client is None for one in asked):
        return asked
    queues: dict[str | None, list[_Asked]] = {}
    for one in asked:
        queues.setdefault(one.client.name if one.client else None, []).append(one)
    return [one for turn in zip_longest(*queues.values()) for one in turn if one is not None]


def _answers(reader: IndexReader, asked: Sequence[_Asked]) -> list[bytes | Exception]:
    given: list[bytes | Exception] = []
    end = time.monotonic() + _SECONDS
    with reader.snapshot():
        for one in asked:
            given.append(_answer(reader, one))
            if time.monotonic() > end:
                break
    return given


def _answer(reader: IndexReader, asked: _Asked) -> bytes | Exception:
    try:
        with reader.limited(asked.deadline, asked.is_wanted), asked.cost:
            return get_thread(reader, asked.request)
    except Exception as error:  # it is its caller's, not that of the others
        return error
