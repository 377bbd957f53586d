"""The client for asyncio: ``async with weft.connect_async("127.0.0.1:7430") as peer: await peer.thread("a@x")``.

All that is said in `weft.client.client` holds here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

import grpc
from google.protobuf.message import Message as Wire

from weft.client import calls
from weft.client.calls import Asking, Call
from weft.client.channel import (
    COMPARE_TIMEOUT,
    PAGE,
    THREADS_OF_STREAM,
    TIMEOUT,
    AnswerChecks,
    Target,
    ask_thread,
    both,
    parsed,
    stream,
    unary,
)
from weft.client.pipeline import PipelinedRequests
from weft.errors import WeftError
from weft.grpc_status import END, error_of
from weft.model import (
    CommonSummary,
    Explanation,
    LogChange,
    SearchResults,
    ServerStatus,
    Thread,
    ThreadDigest,
    ThreadSummary,
)
from weft.policy.rules import Policy
from weft.thread_tree import ThreadTree
from weft.v1 import threads_pb2 as wire
from weft.wire.digests import DigestReader
from weft.wire.trees import TreeJoiner

Answer = TypeVar("Answer")


def connect_async(
    address: str,
    *,
    fingerprint: str | None = None,
    index: str | Path | None = None,
    roots: str | Path | None = None,
    verify: bool = False,
    policy: Policy | None = None,
    timeout: float = TIMEOUT,
) -> AsyncClient:
    """As `weft.client.client.connect`; to be called where an event loop runs."""
    target = Target.of(address, fingerprint, index, roots)
    if target.credentials is None:
        channel = grpc.aio.insecure_channel(target.address, options=target.options)
    else:
        channel = grpc.aio.secure_channel(target.address, target.credentials, options=target.options)
    return AsyncClient(channel, address, AnswerChecks(verify or policy is not None, policy), timeout)


class AsyncClient:
    """Asks one server from an event loop; an asynchronous context manager."""

    def __init__(self, channel: grpc.aio.Channel, address: str, checks: AnswerChecks, timeout: float) -> None:
        """Use `connect_async`."""
        self._channel = channel
        self._address = address
        self._checks = checks
        self._timeout = timeout

    async def thread(self, message_id: str, *, hidden: bool = True) -> Thread:
        """As `Client.thread`."""
        return await self._run(ask_thread(message_id, hidden, self._checks))

    async def threads(
        self,
        *,
        list_name: str | None = None,
        since: int | None = None,
        missing: bool = False,
        page_size: int = PAGE,
    ) -> AsyncIterator[ThreadSummary]:
        """As `Client.threads`."""
        token = ""
        while True:
            page, token = await self._run(
                calls.threads(list_name=list_name, since=since, missing=missing, page_token=token, page_size=page_size)
            )
            for summary in page:
                yield summary
            if not token:
                return

    async def threads_of(self, ids: Iterable[str], *, hidden: bool = True) -> AsyncIterator[Thread | WeftError]:
        """As `Client.threads_of`."""
        left = iter(ids)
        for first in left:
            async with aclosing(self._together(chain((first,), islice(left, THREADS_OF_STREAM - 1)), hidden)) as found:
                async for one in found:
                    yield one

    async def _together(self, ids: Iterator[str], hidden: bool) -> AsyncGenerator[Thread | WeftError, None]:
        together = PipelinedRequests(self._address)
        call = both(self._channel, "GetThreads")(timeout=COMPARE_TIMEOUT)
        try:
            while True:
                for found in together.ready():
                    yield found
                while together.has_room and (name := next(ids, None)) is not None:
                    for request in together.begin(ask_thread(name, hidden, self._checks)):
                        await call.write(request)
                if not together.waits:
                    break
                data = await call.read()
                for request in together.take(None if data is END else data):
                    await call.write(request)
            await call.done_writing()
            await call.code()  # waits for the end
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the latter: it had ended before we wrote
            raise error_of(self._address, await call.code(), await call.details()) from None
        finally:
            call.cancel()

    async def search(
        self,
        words: str,
        *,
        limit: int = 100,
        list_name: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> SearchResults:
        """As `Client.search`."""
        return await self._run(calls.search(words, limit=limit, list_name=list_name, since=since, until=until))

    async def explain(self, message_id: str) -> Explanation:
        """As `Client.explain`."""
        return await self._run(calls.explain(message_id))

    async def status(self, *, digest: bool = False) -> ServerStatus:
        """As `Client.status`."""
        return await self._run(calls.status(digest=digest))

    async def common_view(self) -> CommonSummary:
        """As `Client.common_view`."""
        async with aclosing(self._compared("StreamDigests", wire.StreamDigestsRequest(summary_only=True))) as responses:
            return DigestReader(parsed(wire.StreamDigestsResponse, await anext(responses, b""))).summary

    async def digests(self) -> AsyncIterator[ThreadDigest]:
        """As `Client.digests`."""
        async with aclosing(self._compared("StreamDigests", wire.StreamDigestsRequest())) as responses:
            reader = DigestReader(parsed(wire.StreamDigestsResponse, await anext(responses, b"")))
            async for data in responses:
                for one in reader.take(parsed(wire.StreamDigestsResponse, data)):
                    yield one
            reader.finish()

    async def trees(self, ids: Sequence[str], version: bytes) -> AsyncIterator[ThreadTree]:
        """As `Client.trees`."""
        joiner = TreeJoiner()
        async with aclosing(self._compared("StreamTrees", calls.trees_request(ids, version))) as responses:
            async for data in responses:
                for tree in joiner.take(parsed(wire.StreamTreesResponse, data)):
                    yield tree
        for tree in joiner.finish():
            yield tree

    async def watch(self, *, after: int | None = None, list_name: str | None = None) -> AsyncIterator[LogChange]:
        """What comes into the log, beyond a position or from when this is first awaited."""
        async with aclosing(self._received("WatchChanges", calls.watch_request(after, list_name), None)) as responses:
            async for data in responses:
                for change in calls.changes(parsed(wire.WatchChangesResponse, data)):
                    yield change

    async def close(self) -> None:
        """End the connection, and all watches."""
        await self._channel.close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _compared(self, method: str, request: Wire) -> AsyncGenerator[bytes, None]:
        return self._received(method, request, max(self._timeout, COMPARE_TIMEOUT))

    async def _received(self, method: str, request: Wire, timeout: float | None) -> AsyncGenerator[bytes, None]:
        """The responses of a stream, which ends with this."""
        call = stream(self._channel, method)(request.SerializeToString(), timeout=timeout)
        try:
            async for data in call:
                yield data
        except grpc.aio.AioRpcError as error:
            raise error_of(self._address, error.code(), error.details()) from None
        finally:
            call.cancel()

    async def _run(self, asking_it: Asking[Answer]) -> Answer:
        try:
            call = next(asking_it)
            while True:
                try:
                    response = await self._invoke(call)
                except Exception as error:  # the one who asks may try again
                    call = asking_it.throw(error)
                else:
                    call = asking_it.send(response)
        except StopIteration as end:
            return cast(Answer, end.value)

    async def _invoke(self, call: Call) -> Wire:
        method = unary(self._channel, call.method)
        try:
            data: bytes = await method(call.request.SerializeToString(), timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise error_of(self._address, error.code(), error.details()) from None
        return cast(Wire, parsed(call.response, data))
