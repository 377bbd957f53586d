"""HTTP/1.1 beside a gRPC server: uvicorn within a loop that runs already, and connections that cost nothing to keep.

Theory of operation
-------------------
uvicorn reads requests and writes responses (by h11).  What it has no limits for stands here, in its protocol: a request
has to be there within `HEAD_SECONDS` of its first byte, or of the connection; who takes less than `LEAST_BYTES` in
`STALL_SECONDS` of a response that waits is cut off; one client has at most `CONNECTIONS` connections, all of them
together at most `MOST_CONNECTIONS`.  Of a proxy on this machine, or one that is trusted, all connections are.

To stop: the socket is closed, requests in flight get their answers, idle connections end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from weft.errors import WeftError
from weft.tls.address import join_address, split_address
from weft.tls.client_address import TrustedProxies, client_network
from weft.web.client_gate import end_of

HEAD_SECONDS = 10.0
"""How long a client may take for the head of a request."""
IDLE_SECONDS = 15
"""How long a connection stays open without a request."""
STALL_SECONDS = 10.0
LEAST_BYTES = 8192
"""What a client takes of a response at least in so many seconds."""
CONNECTIONS = 64
"""Of one client."""
MOST_CONNECTIONS = 1024
HEAD_BYTES = 32 << 10
"""The head of a request."""
_BACKLOG = 256
DRAIN_SECONDS = 10
"""How long requests in flight may take when the server stops."""


class ConnectionCounts:
    """How many connections each client has."""

    def __init__(self, proxies: TrustedProxies) -> None:
        self._proxies = proxies
        self._open: Counter[str] = Counter()

    def take(self, client: tuple[str, int] | None) -> str | None:
        """Count a connection, and the name of its client; None: there are too many."""
        end = end_of(client)
        if self._open.total() >= MOST_CONNECTIONS:
            return None
        is_known = end is None or end.address.is_loopback or self._proxies.has(end)
        name = "" if is_known or end is None else client_network(end.address)
        if name and self._open[name] >= CONNECTIONS:
            return None
        self._open[name] += 1
        return name

    def give_back(self, name: str) -> None:
        """A connection of a client has ended."""
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]


class LimitedConnection(H11Protocol):
    """One connection of uvicorn, with limits for those who send or take nothing."""

    counts: ConnectionCounts

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and wait for a request."""
        super().connection_made(transport)
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._counted = self.counts.take(self.client)
        if self._counted is None:
            transport.abort()
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        self._cancel("_late", "_stalled")
        if self._counted is not None:
            self.counts.give_back(self._counted)
            self._counted = None

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request."""
        if self._late is None and not self._is_busy():
            self._wait_for_head()
        super().data_received(data)
        if self._is_busy():
            self._cancel("_late")

    def on_response_complete(self) -> None:
        """A response was written, or waits to be taken."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """The client takes less than is written."""
        super().pause_writing()
        self._watch()

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._end)

    def _watch(self) -> None:
        """Look whether the rest of a response is taken."""
        left = self.transport.get_write_buffer_size()
        if left and self._stalled is None:
            self._stalled = self.loop.call_later(STALL_SECONDS, self._look, left)

    def _look(self, before: int) -> None:
        self._stalled = None
        left = self.transport.get_write_buffer_size()
        if left and left > before - LEAST_BYTES:
            self._end()
        else:
            self._watch()

    def _end(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def _cancel(self, *names: str) -> None:
        for name in names:
            timer: asyncio.TimerHandle | None = getattr(self, name, None)
            if timer is not None:
                timer.cancel()
                setattr(self, name, None)


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are those of the whole program."""
        yield


class HttpServer:
    """Serves an application; to be made, started and stopped within one event loop."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        connection = type("Connection", (LimitedConnection,), {"counts": ConnectionCounts(proxies)})
        self._server = _Uvicorn(
            uvicorn.Config(
                app, http=connection, ws="none", lifespan="off", interface="asgi3", log_config=None, access_log=False,
                server_header=False, proxy_headers=False, timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS, h11_max_incomplete_event_size=HEAD_BYTES,
            )
        )  # fmt: skip
        self._task: asyncio.Task[Any] | None = None

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._server.server_state.connections)

    async def start(self, address: str) -> str:
        """Listen; the address with the port that was taken.  `WeftError` if that cannot be."""
        host, port = split_address(address)
        listener = _listener(address, host, port)
        taken = join_address(host, listener.getsockname()[1])
        self._task = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.01)
        return taken

    async def stop(self) -> None:
        """Take no more requests, and wait for those in flight, `DRAIN_SECONDS` at most."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
            self._task = None


def _listener(address: str, host: str, port: int) -> socket.socket:
    """A socket that listens; `WeftError` if that cannot be.

    It says that it is TCP, by which asyncio knows that what is written goes out at once (TCP_NODELAY): else the second
    part of a response waits 40 ms for the acknowledgement of the first.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise WeftError(f"{address}: cannot listen there: {error.strerror or error}") from None
    return found
