"""Stopping, with a call that takes its time: it gets its answer, others are refused, and then the server is gone."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import weft
from tests.cli.command_runner import ROOT
from tests.cli.server_home import Home
from weft.errors import UnreachableError, UsageError
from weft.index.index import Index
from weft.server import service
from weft.server.reader_pool import IndexReader
from weft.server.server import Server


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
