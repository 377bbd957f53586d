"""The service ``weft.v1.ThreadService`` as gRPC knows it: a thin shell around `weft.server.handlers`.

Requests and responses pass through as bytes: they are parsed in the threads that answer, and an answer that is
remembered is sent as it is.  Every call is counted, has an end, and is refused once the server stops.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Protocol

import grpc

from weft.errors import StoppingError
from weft.grpc_failure import Failure
from weft.grpc_status import is_ours
from weft.server import handlers as answers
from weft.server.access import Access
from weft.server.batcher import Batcher
from weft.server.call_cost import CALL_COST, CallCost, log_if_slow
from weft.server.comparing import ComparisonStreams
from weft.server.limited_client import CLIENT
from weft.server.reader_pool import IndexReader, ReaderPool
from weft.server.thread_pages import LargeError, get_large_thread
from weft.server.thread_stream import ThreadStream
from weft.server.watch import ChangeWatch
from weft.v1 import threads_pb2 as wire
from weft.wire import limits

NAME = wire.DESCRIPTOR.services_by_name["ThreadService"].full_name
DIGESTS, TREES = "StreamDigests", "StreamTrees"
"""The calls by which servers are compared."""
WATCH = "WatchChanges"
"""The call that lasts as long as somebody listens."""

Answer = Callable[[IndexReader, bytes], bytes]
Stream = Callable[[bytes, float], AsyncGenerator[bytes, None]]
"""From a request, and how many seconds it may take, to the responses."""
Context = Any
"""`grpc.aio.ServicerContext`."""

_ANSWERS: dict[str, Answer] = {
    "GetThread": get_large_thread,
    "ListThreads": answers.list_threads,
    "SearchMessages": answers.search,
    "ExplainMessage": answers.explain,
    "GetStatus": answers.status,
    "ListFeeds": answers.list_feeds,
}
"""What may read much, in the threads of the slow pool, so that quick answers never wait behind it."""
_QUICK = ("GetStatus", "ListFeeds")
"""What reads little, but for the digest of a view, and does not wait behind that."""

log = logging.getLogger("weft.server")


class CallMeter(Protocol):
    """Counts calls."""

    def began(self, method: str) -> None:
        """A call began."""

    def ended(self, method: str, code: str, seconds: float, work: float) -> None:
        """It ended, with the name of a gRPC status; ``work``: seconds in which threads have worked for it."""

    def refused(self, method: str) -> None:
        """A call never began, because its client has too many."""


class ThreadsService:
    """Answers clients from an index: those that ``access`` lets in, or everybody."""

    def __init__(
        self,
        quick: ReaderPool,
        slow: ReaderPool,
        watching: ChangeWatch,
        meter: CallMeter | None = None,
        access: Access | None = None,
    ) -> None:
        self._batcher = Batcher(quick)
        self._quick = quick
        self._slow = slow
        self._watching = watching
        self._comparing = ComparisonStreams(slow)
        self._thread_stream = ThreadStream(quick, slow)
        self._meter = meter
        self._access = access
        self._stopping = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def handler(self) -> grpc.GenericRpcHandler[bytes, bytes]:
        """What a gRPC server is given."""
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: grpc.unary_unary_rpc_method_handler(self._unary(name)) for name in _ANSWERS
        }
        streams: dict[str, Stream] = {
            WATCH: self._watch,
            DIGESTS: self._comparing.digests,
            TREES: self._comparing.trees,
        }
        for name, responses in streams.items():
            handlers[name] = grpc.unary_stream_rpc_method_handler(self._streamed(name, responses))
        handlers["GetThreads"] = grpc.stream_stream_rpc_method_handler(self._threads)
        return grpc.method_handlers_generic_handler(NAME, handlers)

    @property
    def waiting(self) -> int:
        """The requests for threads that wait to be answered together."""
        return self._batcher.waiting

    async def drain(self, seconds: float) -> bool:
        """Take no more calls, end the streams, and wait for calls in flight; whether they all ended in time."""
        self._stopping = True
        self._watching.stop()
        self._thread_stream.stop()
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _answer(self, name: str, request: bytes, seconds: float) -> bytes:
        if name == "GetThread":  # it is tried where quick answers come from
            began = time.monotonic()
            try:
                return await self._batcher.answer(request, seconds)
            except LargeError:
                seconds -= time.monotonic() - began
        pool = self._quick if name in _QUICK and not _reads_much(name, request) else self._slow
        return await pool.call(lambda reader: _ANSWERS[name](reader, request), seconds)

    def _unary(self, name: str) -> Any:  # noqa: ANN401 - the stubs know no grpc.aio here
        async def call(request: bytes, context: Context) -> bytes | None:
            with self._counted(name) as outcome:
                try:
                    self._admit(context)
                    return await self._answer(name, request, _seconds(context))
                except Exception as error:  # whatever it was, the caller gets a status
                    failure = outcome.failed(error)
            await context.abort(*failure.arguments())
            return None

        return call

    def _streamed(self, name: str, responses: Stream) -> Any:  # noqa: ANN401 - as above
        async def call(request: bytes, context: Context) -> AsyncGenerator[bytes, None]:
            with self._counted(name) as outcome:
                try:
                    self._admit(context)
                    seconds = _seconds(context, limits.COMPARE_SECONDS)
                    async with aclosing(responses(request, seconds)) as given:
                        async for response in given:
                            yield response
                    return
                except Exception as error:  # as above
                    failure = outcome.failed(error)
            await context.abort(*failure.arguments())

        return call

    async def _threads(self, _: object, context: Context) -> None:
        with self._counted("GetThreads") as outcome:
            try:
                self._admit(context)
                await self._thread_stream.answer(context)
                return
            except Exception as error:  # as above
                failure = outcome.failed(error)
        await context.abort(*failure.arguments())

    async def _watch(self, data: bytes, _: float) -> AsyncGenerator[bytes, None]:
        request = limits.parse_request(wire.WatchChangesRequest, data)
        async with aclosing(self._watching.stream(request)) as responses:
            async for response in responses:
                yield response.SerializeToString()

    def _admit(self, context: Context) -> None:
        if self._stopping:
            raise StoppingError("the server is stopping; ask again later")
        if self._access is not None:
            self._access.authorize(context)

    @contextmanager
    def _counted(self, name: str) -> Iterator[_Outcome]:
        """Counts a call; yields its `_Outcome`."""
        outcome = _Outcome(name)
        started, cost = time.monotonic(), CallCost()
        CALL_COST.set(cost)
        self._running += 1
        self._idle.clear()
        if self._meter:
            self._meter.began(name)
        try:
            yield outcome
        except asyncio.CancelledError:
            outcome.code = "CANCELLED"
            raise
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
            seconds = time.monotonic() - started
            client = CLIENT.get()
            log_if_slow(name, client.name if client else "local", cost, seconds, outcome.code)
            if self._meter:
                self._meter.ended(name, outcome.code, seconds, cost.work)


class _Outcome:
    """How a call ended."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.code = "OK"

    def failed(self, error: Exception) -> Failure:
        """What the client is told; what is the server's own affair goes to the log."""
        failure = Failure.of(error)
        self.code = failure.code.name
        if is_ours(error):
            log.error("%s failed: %s", self._name, error, exc_info=error if self.code == "INTERNAL" else None)
        return failure


def _reads_much(name: str, request: bytes) -> bool:
    """Whether an answer that is quick by most requests is not by this one."""
    return name == "GetStatus" and limits.parse_request(wire.GetStatusRequest, request).include_view_digest


def _seconds(context: Context, most: float = limits.CALL_SECONDS) -> float:
    """How long a call may take."""
    left = context.time_remaining()
    return most if left is None else min(float(left), most)
