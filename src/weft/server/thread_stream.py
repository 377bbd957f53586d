"""Many threads over one stream: a response for each request, in their order.

Theory of operation
-------------------
What costs of a small call is the call itself and the way into the thread that reads the index and back.  So a client
may send requests while others are being answered: all that wait are answered with one visit to that thread.  At most
`limits.IN_FLIGHT` of a stream are taken at a time; then the server reads no more, and the transport holds up the
client.  A visit also ends when its answers have as many bytes as a page.

A request that fails is answered with `RequestError`, and the stream goes on.  What is the server's own affair, and its
end, end the stream as they end a call; what waits is answered first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError

from weft.core.varint import varint
from weft.errors import OverloadedError, StoppingError, WeftError
from weft.grpc_failure import Failure
from weft.grpc_status import END, is_ours
from weft.server.reader_pool import IndexReader, ReaderPool
from weft.server.thread_pages import LargeError, get_large_thread, get_thread
from weft.v1 import threads_pb2 as wire
from weft.wire import limits

_THREAD_TAG = bytes([wire.GetThreadsResponse.THREAD_FIELD_NUMBER << 3 | 2])
Context = Any
"""`grpc.aio.ServicerContext`."""


class ThreadStream:
    """Answers streams of requests for threads."""

    def __init__(self, quick: ReaderPool, slow: ReaderPool) -> None:
        self._quick = quick
        self._slow = slow
        self._readers: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Read no more requests, so that the streams end."""
        for reader in self._readers:
            reader.cancel()

    async def answer(self, context: Context) -> None:
        """Answer one stream to its end."""
        if len(self._readers) >= limits.THREAD_STREAMS:
            raise OverloadedError(f"{limits.THREAD_STREAMS} streams ask for threads already; ask again later")
        waiting: deque[bytes] = deque()
        room, changed = asyncio.Semaphore(limits.IN_FLIGHT), asyncio.Event()
        reader = asyncio.create_task(_read(context, waiting, room, changed))
        reader.add_done_callback(lambda _: changed.set())
        self._readers.add(reader)
        try:
            while waiting or not reader.done():
                if not waiting:
                    changed.clear()
                    await changed.wait()
                    continue
                for response in await self._some(list(waiting)):
                    waiting.popleft()
                    await context.write(response)
                    room.release()
        finally:
            self._readers.discard(reader)
            reader.cancel()
        if reader.cancelled():
            raise StoppingError("the server is stopping; ask again later")
        reader.result()

    async def _some(self, requests: Sequence[bytes]) -> list[bytes]:
        """The responses to the first of some requests, one at least."""
        try:
            given = await self._quick.call(lambda reader: _answer_some(reader, requests), limits.CALL_SECONDS)
            if not given:
                large = await self._slow.call(lambda reader: get_large_thread(reader, requests[0]), limits.CALL_SECONDS)
                given = [_wrapped(large)]
        except WeftError as error:
            given = [_failure(error)]
        return given


async def _read(context: Context, waiting: deque[bytes], room: asyncio.Semaphore, changed: asyncio.Event) -> None:
    """Take requests, as many as there is room for."""
    while True:
        await room.acquire()
        request = await context.read()
        if request is END:
            return
        waiting.append(_unwrapped(request))
        changed.set()


def _answer_some(reader: IndexReader, requests: Sequence[bytes]) -> list[bytes]:
    """The responses up to a thread that is large, a failure of the server, or the bytes of a page."""
    given: list[bytes] = []
    left = limits.PAGE_BYTES
    with reader.snapshot():
        for request in requests:
            try:
                response = _wrapped(get_thread(reader, request))
            except LargeError:
                break
            except WeftError as error:
                if given and is_ours(error):  # it comes again as the first one, alone
                    break
                response = _failure(error)
            given.append(response)
            left -= len(response)
            if left <= 0:
                break
    return given


def _failure(error: WeftError) -> bytes:
    """What a client is told of a request that failed; raised again if that is the server's own affair."""
    if is_ours(error):
        raise error
    found = wire.RequestError.FromString(Failure.of(error).status().SerializeToString())
    return wire.GetThreadsResponse(error=found).SerializeToString()


def _unwrapped(data: bytes) -> bytes:
    """The `GetThreadRequest` in a `GetThreadsRequest`; what is none is told to be none where that is read."""
    try:
        return wire.GetThreadsRequest.FromString(data).request.SerializeToString()
    except DecodeError:
        return data


def _wrapped(data: bytes) -> bytes:
    """A `GetThreadsResponse` with the bytes of a `GetThreadResponse`, which are not parsed for it."""
    return _THREAD_TAG + varint(len(data)) + data
