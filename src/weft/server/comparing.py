"""The streams by which servers are compared: digests of the common view, and trees of it.

Theory of operation
-------------------
Nobody keeps the common view, and working it out reads every claim.  So it is done in a thread of the slow pool, once
for each state of the index however many ask, one at a time; who comes meanwhile waits outside of the pool, where
others want to be answered.  The last few are kept: whoever was given digests can ask for the trees that they are
about, even if the index has grown since.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice

from weft.errors import ChangedError, InvalidRequestError, LateError, OverloadedError
from weft.index.common_view import CommonView, build_common_view, state_of
from weft.index.tree_reader import TreeReader
from weft.server.reader_pool import IndexReader, ReaderPool
from weft.v1 import threads_pb2 as wire
from weft.wire import limits
from weft.wire.digests import digests_message, summary_message
from weft.wire.trees import trees_messages

_CHUNK = 200
"""Ids of trees that are read at a time."""
_KEPT = 2
"""Common views that are kept: 60 bytes an id each."""


class ComparisonStreams:
    """Answers whoever compares this server with another."""

    def __init__(self, pool: ReaderPool) -> None:
        self._pool = pool
        self._kept: OrderedDict[bytes, CommonView] = OrderedDict()
        self._weaving = asyncio.Lock()
        self._running = 0

    async def digests(self, data: bytes, seconds: float) -> AsyncGenerator[bytes, None]:
        """The responses to a `StreamDigestsRequest`."""
        request = limits.parse_request(wire.StreamDigestsRequest, data)
        deadline = time.monotonic() + seconds
        async with self._counted():
            common = await self._current(deadline)
            yield summary_message(common.identity, len(common.roots), common.version, common.position)
            if request.summary_only:
                return
            for start in range(0, len(common.roots), limits.DIGESTS_PAGE):
                work = partial(_digests, common=common, start=start, count=limits.DIGESTS_PAGE)
                yield await self._pool.call(work, deadline - time.monotonic())

    async def trees(self, data: bytes, seconds: float) -> AsyncGenerator[bytes, None]:
        """The responses to a `StreamTreesRequest`."""
        request = limits.parse_request(wire.StreamTreesRequest, data)
        ids = request.message_ids
        if len(ids) > limits.TREES_IDS:
            reason = f"there are {len(ids)} of them, at most {limits.TREES_IDS} are taken"
            raise InvalidRequestError(reason, "message_ids")
        common = self._known(request.view_version)
        pages = _TreePages(common, [limits.check_id(one, "message_ids") for one in ids])
        deadline = time.monotonic() + seconds
        async with self._counted():
            while responses := await self._pool.call(pages.following, deadline - time.monotonic()):
                for response in responses:
                    yield response

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        """One more stream, unless there are too many: each holds a common view for as long as its client likes."""
        if self._running >= limits.COMPARERS:
            raise OverloadedError(f"{limits.COMPARERS} streams compare already; ask again later")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    async def _current(self, deadline: float) -> CommonView:
        """The common view of now."""
        try:
            async with asyncio.timeout(deadline - time.monotonic()), self._weaving:
                state = await self._pool.call(_state, deadline - time.monotonic())
                for kept, common in self._kept.items():
                    if kept == state:
                        return common
                state, common = await self._pool.call(_weave, deadline - time.monotonic())
        except TimeoutError:
            raise LateError("the answer took too long: reading every claim takes its time") from None
        self._kept[state] = common
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return common

    def _known(self, version: bytes) -> CommonView:
        for common in self._kept.values():
            if common.version == version:
                return common
        raise ChangedError("the index has changed since those digests; compare again")


def _state(reader: IndexReader) -> bytes:
    with reader.snapshot():
        return state_of(reader.index.store)


def _digests(reader: IndexReader, common: CommonView, start: int, count: int) -> bytes:
    """The response with so many trees from number ``start`` on."""
    with reader.snapshot():
        return digests_message(common.threads(reader.index.store, start, count))


class _TreePages:
    """The responses that hold the trees in which some ids stand."""

    def __init__(self, common: CommonView, ids: Sequence[bytes]) -> None:
        self._common = common
        self._ids = ids
        self._places: Iterator[tuple[int, int]] | None = None

    def following(self, reader: IndexReader) -> list[bytes]:
        """The next responses, in order; none at the end.  May be called in another thread each time."""
        with reader.snapshot():
            trees = TreeReader(reader.index.store, self._common)
            if self._places is None:
                self._places = self._walk(trees.roots(self._ids))
            chunk = list(islice(self._places, _CHUNK))
            standings = trees.standings([place for place, _ in chunk])
            return list(trees_messages(standings, [up for _, up in chunk]))

    def _walk(self, roots: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Each place of the trees, and how many places before it its parent stands."""
        for root in roots:
            numbers: dict[int, int] = {}
            for number, place in enumerate(self._common.tree(root)):
                numbers[place] = number
                yield place, number - numbers.get(self._common.parents[place], number)


def _weave(reader: IndexReader) -> tuple[bytes, CommonView]:
    with reader.snapshot():
        return state_of(reader.index.store), build_common_view(reader.view)
