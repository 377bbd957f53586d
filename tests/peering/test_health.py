"""The port for peers says whether it takes sessions, to whoever shows a certificate; it streams to none of them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.cli.server_home import Home
from tests.peering.peer_harness import admit, connected, serving
from tests.store.factories import Origin
from weft.peering.admission_limits import AT_ONCE, SECONDS
from weft.tls.identity import load_or_make_identity, make_identity
from weft.tls.transport import introduced

SERVING = health_pb2.HealthCheckResponse.SERVING


def test_the_health_of_the_port_for_peers_can_be_asked_for(far: Home) -> None:
    async def ask(address: str) -> None:
        async with connected(address, far, introduced(make_identity(Origin("monitor").key))) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            for name in ("", "weft.v1.ExchangeService"):
                answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
                assert answer.status == SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Check(health_pb2.HealthCheckRequest(service="weft.v1.ThreadService"))
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                [answer async for answer in stub.Watch(health_pb2.HealthCheckRequest())]
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    with serving(far) as (_, _, peers):
        asyncio.run(ask(peers))


def test_who_is_turned_away_learns_why_as_programs_do(far: Home) -> None:
    async def ask(address: str) -> None:
        async with connected(address, far, introduced(make_identity(Origin("unknown").key))) as channel:
            call = channel.stream_stream("/weft.v1.ExchangeService/Session")()
            with pytest.raises(grpc.aio.AioRpcError, match='this server does not know your key"\n') as caught:
                await call.read()
        metadata: dict[str, bytes] = dict(cast(Any, caught.value.trailing_metadata()))
        status = Status.FromString(metadata["grpc-status-details-bin"])
        info = ErrorInfo()
        assert status.details[0].Unpack(info)
        assert (info.domain, info.reason) == ("weft", "DENIED")

    with serving(far) as (_, _, peers):
        asyncio.run(ask(peers))


def test_who_calls_too_often_learns_when_to_call_again(near: Home, far: Home) -> None:
    async def ask(address: str) -> None:
        identity = introduced(load_or_make_identity(near.index))
        async with connected(address, far, identity) as channel:
            for _ in range(AT_ONCE):
                call = channel.stream_stream("/weft.v1.ExchangeService/Session")()
                assert await call.read()
                call.cancel()
            call = channel.stream_stream("/weft.v1.ExchangeService/Session")()
            with pytest.raises(grpc.aio.AioRpcError, match="calls: 10 at once") as caught:
                await call.read()
        metadata: dict[str, bytes] = dict(cast(Any, caught.value.trailing_metadata()))
        info, retry = Status.FromString(metadata["grpc-status-details-bin"]).details
        assert info.Is(ErrorInfo.DESCRIPTOR)
        found = RetryInfo()
        assert retry.Unpack(found)
        assert 1 < found.retry_delay.ToTimedelta().total_seconds() <= SECONDS

    admit(far, near)
    with serving(far) as (_, _, peers):
        asyncio.run(ask(peers))
