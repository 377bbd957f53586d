"""Servers that anybody may call: what one client cannot have, and that others still get their answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

import weft
from tests.cli.command_runner import DRAFTS, ROOT
from tests.cli.server_home import Home
from tests.server.server_harness import local, own, serving
from weft.client.aio import AsyncClient
from weft.errors import OverloadedError, UsageError
from weft.index.index import Index
from weft.server import call_cost, service
from weft.server.client_limits import ClientLimits
from weft.server.limit_interceptor import RefusalLog
from weft.server.reader_pool import IndexReader
from weft.server.server import Server
from weft.tls.client_address import FORWARDED, TrustedProxies
from weft.tls.handshake import fetch_certificate
from weft.tls.identity import channel_credentials, load_or_make_identity
from weft.tls.transport import introduced
from weft.v1 import threads_pb2 as wire
from weft.v1 import threads_pb2_grpc

PROXY = TrustedProxies.parse(["127.0.0.1"])
FEW = ClientLimits(calls_at_once=3, calls_per_second=0.001, streams_in_flight=2, streams={"ServerReflectionInfo": 1})


@dataclass(frozen=True)
class Caller:
    """A client, as a proxy says."""

    address: str
    channel: grpc.aio.Channel

    async def check(self) -> None:
        """A call that costs nothing."""
        stub = health_pb2_grpc.HealthStub(self.channel)
        await stub.Check(health_pb2.HealthCheckRequest(), metadata=((FORWARDED, self.address),), timeout=10)

    async def checks(self, count: int) -> list[str]:
        """The statuses of some calls."""
        return [await status(self.check()) for _ in range(count)]

    def watch(self) -> grpc.aio.UnaryStreamCall[object, object]:
        """A stream that does not end."""
        stub = health_pb2_grpc.HealthStub(self.channel)
        call: grpc.aio.UnaryStreamCall[object, object] = stub.Watch(
            health_pb2.HealthCheckRequest(), metadata=((FORWARDED, self.address),), timeout=10
        )
        return call


async def status(call: Awaitable[object]) -> str:
    """With which status a call ends."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


def retry_seconds(error: grpc.aio.AioRpcError) -> float:
    """After how long a client should call again, as the details of a status say."""
    metadata: Any = error.trailing_metadata()  # the stubs know no pairs
    data = dict(metadata)["grpc-status-details-bin"]
    for detail in Status.FromString(data).details:
        if detail.Is(RetryInfo.DESCRIPTOR):
            found = RetryInfo()
            detail.Unpack(found)
            return float(found.retry_delay.ToTimedelta().total_seconds())
    raise AssertionError("nothing is said of when to call again")


def against(home: Home, limits: ClientLimits, work: Callable[[Callable[[str], Caller], str], Awaitable[None]]) -> None:
    """Run ``work`` with callers of a server, and its address."""

    async def run() -> None:
        with Index.open(home.index, create=False) as index:
            server = Server(home.index, index.policy, proxies=PROXY, client_limits=limits)
        address = await server.start("127.0.0.1:0")
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                await work(lambda client: Caller(client, channel), address)
        finally:
            await server.stop(0)

    asyncio.run(run())


def test_a_client_has_so_many_calls_and_others_have_their_own(ingested: Home) -> None:
    async def work(caller: Callable[[str], Caller], _address: str) -> None:
        one = caller("192.0.2.1")
        assert await one.checks(5) == ["OK"] * 3 + ["RESOURCE_EXHAUSTED"] * 2
        assert await caller("192.0.2.2").checks(1) == ["OK"]
        assert await caller("2001:db8::1").checks(2) == ["OK"] * 2
        assert await caller("2001:db8::2").checks(2) == ["OK", "RESOURCE_EXHAUSTED"], "they are one network"
        with pytest.raises(grpc.aio.AioRpcError, match=r"calls: 3 at once, then 0\.001 a second") as refused:
            await one.check()
        assert 0 < retry_seconds(refused.value) <= 1000

    against(ingested, FEW, work)


def test_what_a_client_writes_into_the_header_of_proxies_says_nothing(ingested: Home) -> None:
    async def work(caller: Callable[[str], Caller], _address: str) -> None:
        statuses = [status for n in range(5) for status in await caller(f"198.51.100.{n}, 192.0.2.1").checks(1)]
        assert statuses == ["OK"] * 3 + ["RESOURCE_EXHAUSTED"] * 2

    against(ingested, FEW, work)


def test_streams_of_any_service_are_bounded_for_each_client(ingested: Home) -> None:
    async def work(caller: Callable[[str], Caller], _address: str) -> None:
        one, other = caller("192.0.2.1"), caller("192.0.2.2")
        streams = [one.watch() for _ in range(2)]
        for stream in streams:
            assert await stream.read()
        assert await status(one.watch().read()) == "RESOURCE_EXHAUSTED"
        assert await other.watch().read()
        streams[0].cancel()
        for _ in range(100):
            if await status(one.watch().read()) == "OK":
                return
            await asyncio.sleep(0.05)
        raise AssertionError("a stream that has ended still counts")

    against(ingested, ClientLimits(streams_in_flight=2), work)


def test_watching_for_changes_is_such_a_stream(ingested: Home) -> None:
    async def work(_caller: Callable[[str], Caller], address: str) -> None:
        async with weft.connect_async(address) as client:
            streams = [asyncio.ensure_future(anext(client.watch())) for _ in range(3)]
            done, waiting = await asyncio.wait(streams, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            [error] = [one.exception() for one in done]
            assert isinstance(error, OverloadedError)
            assert "you have 2 in flight already" in str(error)
            assert (await client.status()).origin
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    against(ingested, ClientLimits(streams_in_flight=2), work)


def test_a_client_whose_questions_cost_too_much_has_to_wait(ingested: Home) -> None:
    async def work(_caller: Callable[[str], Caller], address: str) -> None:
        async with weft.connect_async(address) as client:
            with pytest.raises(OverloadedError, match="work: what you asked for has taken more than"):
                await _search_again_and_again(client)

    against(ingested, ClientLimits(work_at_once=0.001, work_per_second=1e-6), work)


async def _search_again_and_again(client: AsyncClient) -> None:
    for _ in range(200):
        await client.search("smtp")


def test_a_public_server_has_limits_and_one_for_this_machine_has_none(home: Home) -> None:
    (home.path / "config.toml").write_text('public = ["own"]\n')
    assert home.weft("ingest", "-q", DRAFTS).code == 0
    for options, listen, refused in ((("--public",), "0.0.0.0:0", True), ((), "127.0.0.1:0", False)):
        with serving(home, *options, "--metrics", "127.0.0.1:0", listen=listen) as served:
            fingerprint = own(home) if refused else None
            assert asyncio.run(_refuses(local(served), fingerprint, seconds=30 if refused else 2)) == refused
            counted = 'weft_calls_total{code="RESOURCE_EXHAUSTED",method="WatchChanges"} 1.0'
            assert (counted in urlopen(f"http://{served.metrics}/metrics").read().decode()) == refused
            assert ("calls beyond the limits of a client: 1 by 127.0.0.1" in served.stop()[1]) == refused


def test_who_shows_the_certificate_of_a_peer_is_known_by_it_and_others_by_their_address(
    home: Home, near: Home, far: Home
) -> None:
    home.config.write_text(f'[peer."{own(near)}"]\nname = "ada"\nmay_read = "*"\n')
    with serving(home, listen="0.0.0.0:0") as served:
        pin, address = own(home), local(served)
        assert asyncio.run(_refuses(address, pin, near.index))
        with weft.connect(address, fingerprint=pin, index=near.index) as client:
            assert client.status().origin
        assert f"calls beyond the limits of a client: 1 by {own(near)}" in served.stop()[1]
    with serving(home, listen="0.0.0.0:0") as served:
        assert asyncio.run(_health_watches(local(served), pin, far)) == ClientLimits().streams_in_flight
        assert "calls beyond the limits of a client: 1 by 127.0.0.1" in served.stop()[1]


async def _health_watches(address: str, pin: str, home: Home) -> int:
    """How many streams of health a caller without rights may have, of two more than are allowed."""
    host, _, port = address.rpartition(":")
    certificate = fetch_certificate((host, int(port)), pin)
    shown = introduced(load_or_make_identity(home.index))
    options = [("grpc.ssl_target_name_override", "weft.invalid")]
    async with grpc.aio.secure_channel(address, channel_credentials(certificate, shown), options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        many = ClientLimits().streams_in_flight + 2
        streams = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=20) for _ in range(many)]
        found = [await status(stream.read()) for stream in streams]
        for stream in streams:
            stream.cancel()
    return found.count("OK")


async def _refuses(address: str, fingerprint: str | None, index: Path | None = None, seconds: float = 30.0) -> bool:
    """Whether one of many streams is refused, before any of them has something to say."""
    many = ClientLimits().streams_in_flight + 1
    async with weft.connect_async(address, fingerprint=fingerprint, index=index) as client:
        streams = [asyncio.ensure_future(anext(client.watch())) for _ in range(many)]
        done, waiting = await asyncio.wait(streams, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    errors = [one.exception() for one in done]
    assert all(isinstance(one, OverloadedError) for one in errors)
    return len(errors) == 1


def test_what_names_no_proxy_is_refused_at_once(home: Home) -> None:
    ran = home.weft("serve", "--trusted-proxy", "proxy.example.org")
    assert ran.code == UsageError.exit_code
    assert "give the address of a proxy" in ran.err[0]


def test_any_number_of_refused_calls_costs_a_line_a_minute() -> None:
    log = RefusalLog()
    lines = [
        line
        for number in range(100_000)
        if (line := log.refused(f"192.0.2.{number % 7}" if number % 2 else f"client {number}", number / 500))
    ]
    assert len(lines) == 4
    assert lines[0] == "calls beyond the limits of a client: 1 by client 0"
    assert lines[1].startswith(
        "calls beyond the limits of a client: 30000 by 1000 and more clients, 2143 of them by 192.0.2.1"
    )


def test_a_call_that_costs_much_stands_in_the_log_without_what_was_asked_for(
    ingested: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(_caller: Callable[[str], Caller], address: str) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = threads_pb2_grpc.ThreadServiceStub(channel)  # type: ignore[no-untyped-call]
            await stub.GetStatus(wire.GetStatusRequest())
            assert not [line for line in caplog.messages if line.startswith("slow")], "it costs little"
            monkeypatch.setattr(call_cost, "SLOW_WORK_SECONDS", 1e-9)
            sender = ((FORWARDED, "192.0.2.7"),)
            await stub.GetThread(wire.GetThreadRequest(message_id=ROOT.encode()), metadata=sender)
            await stub.SearchMessages(wire.SearchMessagesRequest(query="introduction"), metadata=sender)
            async for _ in stub.StreamDigests(wire.StreamDigestsRequest(), metadata=sender):
                pass
            monkeypatch.undo()

    with caplog.at_level("INFO", logger="weft.server"):
        against(ingested, ClientLimits(), work)
    records = [record for record in caplog.records if record.message.startswith("slow: ")]
    found = [record.__dict__["fields"] for record in records]
    assert [one["method"] for one in found] == ["GetThread", "SearchMessages", "StreamDigests"]
    for one, record in zip(found, records, strict=True):
        assert (one["client"], one["code"]) == ("192.0.2.7", "OK")
        assert 0 <= one["work_seconds"] <= one["seconds"] + 0.01
        assert record.message.startswith(f"slow: {one['method']} of 192.0.2.7 took ")
        assert "introduction" not in record.message
        assert ROOT not in record.message


def test_the_status_does_not_wait_behind_long_answers(ingested: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    began, end = threading.Event(), threading.Event()

    def long(_reader: IndexReader, _request: bytes) -> bytes:
        began.set()
        end.wait(30)
        return b""

    monkeypatch.setitem(service._ANSWERS, "SearchMessages", long)

    async def work(_caller: Callable[[str], Caller], address: str) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = threads_pb2_grpc.ThreadServiceStub(channel)  # type: ignore[no-untyped-call]
            waiting = [asyncio.ensure_future(stub.SearchMessages(wire.SearchMessagesRequest())) for _ in range(8)]
            await asyncio.to_thread(began.wait, 30)
            assert (await stub.GetStatus(wire.GetStatusRequest())).log_position
            assert (await stub.ListFeeds(wire.ListFeedsRequest())).feeds
            end.set()
            await asyncio.gather(*waiting)

    against(ingested, ClientLimits(), work)
