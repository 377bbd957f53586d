"""Stopping, with a call that takes its time: it gets its answer, others are refused, and then the server is gone."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import weft
from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from tests.server.server_harness import SECONDS, Served, serving
from weft.errors import UnreachableError, UsageError
from weft.index.index import Index
from weft.server import service
from weft.server.reader_pool import IndexReader
from weft.server.server import Server
from weft.v1 import threads_pb2 as wire
from weft.v1 import threads_pb2_grpc


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """An explanation takes its time."""
    explain = service._ANSWERS["ExplainMessage"]

    def later(reading: IndexReader, request: bytes) -> bytes:
        time.sleep(0.5)
        return explain(reading, request)

    monkeypatch.setitem(service._ANSWERS, "ExplainMessage", later)


async def serve(home: Home) -> tuple[Server, str]:
    """A server in this process."""
    with Index.open(home.index) as index:
        server = Server(home.index, index.policy)
    return server, await server.start("127.0.0.1:0")


@pytest.mark.usefixtures("slow")
def test_a_call_in_flight_is_answered_and_others_are_refused(home: Home) -> None:
    async def run() -> None:
        server, address = await serve(home)
        async with weft.connect_async(address) as peer, grpc.aio.insecure_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            assert await peer.thread(ROOT)
            flying = asyncio.create_task(peer.explain(ROOT))
            await asyncio.sleep(0.2)
            stopping = asyncio.create_task(server.stop())
            await asyncio.sleep(0.05)
            answer = await health.Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
            answer = await health.Check(health_pb2.HealthCheckRequest(service="liveness"))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            with pytest.raises(UnreachableError, match="stopping"):
                await peer.thread(ROOT)
            assert not flying.done()
            assert (await flying).message_id == ROOT
            assert await stopping
            with pytest.raises(UnreachableError):
                await peer.thread(ROOT)

    asyncio.run(run())


@pytest.mark.usefixtures("slow")
def test_a_server_does_not_wait_for_ever(home: Home) -> None:
    async def run() -> None:
        server, address = await serve(home)
        async with weft.connect_async(address) as peer:
            flying = asyncio.create_task(peer.explain(ROOT))
            await asyncio.sleep(0.2)
            assert not await server.stop(0.05)
            with pytest.raises(UnreachableError):
                await flying
        async with grpc.aio.insecure_channel(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as gone:
                await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert gone.value.code() is grpc.StatusCode.UNAVAILABLE

    asyncio.run(run())


def test_a_server_does_not_speak_plain_text_to_others(home: Home) -> None:
    async def run() -> None:
        with Index.open(home.index) as index:
            server = Server(home.index, index.policy)
        for address in ("0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:0"):
            with pytest.raises(UsageError, match="loopback only"):
                await server.start(address)
        await server.stop(0)

    asyncio.run(run())


Codes = Counter[str]
Stub: TypeAlias = Any
Stream: TypeAlias = Any
"""The generated stub, and the calls that it makes, of which the stubs of types know nothing."""
REQUESTS: dict[str, Any] = {
    "GetThread": wire.GetThreadRequest(message_id=ROOT.encode()),
    "SearchMessages": wire.SearchMessagesRequest(query="re"),
    "ExplainMessage": wire.ExplainMessageRequest(message_id=ROOT.encode()),
}


async def hammer(stub: Stub, method: str, codes: Codes) -> None:
    """Call again and again, until nobody is there any more."""
    while True:
        try:
            await getattr(stub, method)(REQUESTS[method])
        except grpc.aio.AioRpcError as error:
            codes[error.code().name] += 1
            if "connect" in (error.details() or ""):
                return


async def listen(call: Stream, heard: asyncio.Event, codes: Codes) -> None:
    """Read a stream to its end."""
    try:
        async for _ in call:
            heard.set()
    except grpc.aio.AioRpcError as error:
        codes[error.code().name] += 1


async def endless(first: Message) -> AsyncIterator[Message]:
    yield first
    await asyncio.sleep(60)


def streams(channel: grpc.aio.Channel) -> list[Any]:
    """One of each kind, none of which the client ends."""
    stub: Any = threads_pb2_grpc.ThreadServiceStub(channel)  # type: ignore[no-untyped-call]
    reflection = reflection_pb2.ServerReflectionRequest(list_services="")
    return [
        stub.WatchChanges(wire.WatchChangesRequest()),
        stub.GetThreads(endless(wire.GetThreadsRequest(request=REQUESTS["GetThread"]))),
        health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()),
        reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(endless(reflection)),
    ]


@pytest.mark.parametrize("hurried", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("socket", [False, True], ids=["port", "socket"])
def test_whoever_calls_while_it_stops_is_told_unavailable_and_never_cancelled(
    home: Home, tmp_path: Path, hurried: bool, socket: bool
) -> None:
    async def run(served: Served) -> Codes:
        codes: Codes = Counter()
        async with grpc.aio.insecure_channel(served.address) as channel:
            stub: Any = threads_pb2_grpc.ThreadServiceStub(channel)  # type: ignore[no-untyped-call]
            heard = [(call, asyncio.Event()) for call in streams(channel)]
            tasks = [asyncio.create_task(listen(call, event, codes)) for call, event in heard]
            await asyncio.gather(*(event.wait() for _, event in heard))
            tasks += [asyncio.create_task(hammer(stub, method, codes)) for method in REQUESTS for _ in range(8)]
            await asyncio.sleep(0.2)
            for _ in range(2 if hurried else 1):
                served.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(asyncio.gather(*tasks), SECONDS)
        return codes

    with serving(home, listen=f"unix:{tmp_path / 'socket'}" if socket else "127.0.0.1:0") as served:
        codes = asyncio.run(run(served))
        served.process.communicate(timeout=SECONDS)
        assert served.process.returncode == 0
    assert codes.keys() == {"UNAVAILABLE"}
    assert codes["UNAVAILABLE"] >= 4 + 8 * len(REQUESTS)
