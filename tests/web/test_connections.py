"""Connections that cost a server something and give nothing: those who send or take too little are cut off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from weft.tls.address import split_address
from weft.tls.client_address import TrustedProxies
from weft.web import http_server
from weft.web.http_server import HttpServer

LARGE = 64 << 20
SECONDS = 60.0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Two pages: a small one and one that no buffer holds."""
    body = b"x" * (LARGE if scope["path"] == "/large" else 10)
    await Response(body)(scope, receive, send)


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[HttpServer, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A server, and a connection to it."""
    server = HttpServer(app, TrustedProxies())
    reader, writer = await asyncio.open_connection(*split_address(await server.start("127.0.0.1:0")), limit=1 << 16)
    try:
        yield server, reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        await server.stop()


async def until_closed(server: HttpServer) -> None:
    """Wait until the server has no connection."""
    async with asyncio.timeout(SECONDS):
        while server.connections:
            await asyncio.sleep(0.01)


async def until_refused(host: str, port: int) -> None:
    """Wait until connections are not taken any more."""
    async with asyncio.timeout(SECONDS):
        with contextlib.suppress(OSError):
            while True:
                _, writer = await asyncio.open_connection(host, port)
                writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_who_does_not_send_a_request_is_cut_off(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.1)

    async def run() -> None:
        async with connected() as (server, reader, writer):
            writer.write(sent)
            async with asyncio.timeout(SECONDS):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            await until_closed(server)

    asyncio.run(run())


def test_a_second_request_has_to_come_whole_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "HEAD_SECONDS", 0.2)

    async def run() -> None:
        async with connected() as (server, reader, writer):
            for _ in range(2):
                writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await reader.readuntil(b"x" * 10)
            writer.write(b"GET / HTTP/1.1\r\nHo")
            async with asyncio.timeout(SECONDS):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            await until_closed(server)

    asyncio.run(run())


def test_who_takes_nothing_of_a_response_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "STALL_SECONDS", 0.1)

    async def run() -> None:
        async with connected() as (server, _, writer):
            writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until_closed(server)

    asyncio.run(run())


def test_who_takes_a_large_response_slowly_gets_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "STALL_SECONDS", 0.3)

    async def run() -> None:
        async with connected() as (_, reader, writer):
            writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            taken = 0
            async with asyncio.timeout(SECONDS):
                while taken < LARGE:
                    taken += len(await reader.read(1 << 20))
                    await asyncio.sleep(0)
            assert taken == LARGE

    asyncio.run(run())


def test_a_server_that_stops_ends_idle_connections() -> None:
    async def run() -> None:
        async with connected() as (server, reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await reader.readuntil(b"x" * 10)
            async with asyncio.timeout(SECONDS):
                await server.stop()
                assert await reader.read() == b""

    asyncio.run(run())


def test_a_server_that_stops_sends_what_it_has_begun() -> None:
    async def run() -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            begun.set()
            await may_end.wait()
            await Response(b"the whole page")(scope, receive, send)

        server = HttpServer(slow, TrustedProxies())
        address = split_address(await server.start("127.0.0.1:0"))
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        await until_refused(*address)
        may_end.set()
        async with asyncio.timeout(SECONDS):
            assert (await reader.read()).endswith(b"the whole page")
            await stopping
        writer.close()

    asyncio.run(run())
