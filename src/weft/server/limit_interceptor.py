"""Limits for each client, around all calls of a server: those of its services, of health and of reflection.

A client is the origin whose certificate a caller shows, if the policy knows it; or else its address, behind trusted
proxies the one that they name (`weft.tls.client_address`).
"""

from __future__ import annotations

import inspect
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import lru_cache
from typing import Any

import grpc

from weft.core.signing import fingerprint
from weft.errors import OverloadedError
from weft.grpc_failure import Failure
from weft.server.client_limits import CALLS, ClientLedger
from weft.server.limited_client import CLIENT, LimitedClient
from weft.tls.client_address import FORWARDED, RemoteEnd, TrustedProxies, parse_peer
from weft.tls.idle_connections import IdleConnections

Context = Any
"""`grpc.aio.ServicerContext`."""
Handler = Any
"""`grpc.RpcMethodHandler`, of which the stubs do not know what it is in grpc.aio."""
_FORMS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
_TOLD_SECONDS = 60.0
"""Between two lines of the log about calls that were refused."""
_NAMED = 1000
"""Clients whose refused calls are counted one by one."""

log = logging.getLogger("weft.server")


class ClientLimiter(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # they are no classes with arguments
    """Counts the calls of each client, and refuses those that are too many."""

    def __init__(
        self,
        ledger: ClientLedger,
        connections: IdleConnections,
        proxies: TrustedProxies,
        origin_of: Callable[[Context], bytes | None],
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``connections`` is told which are in use; ``origin_of`` says who calls, if that is known.

        ``refused`` is told the method of each call that is refused.
        """
        self._ledger = ledger
        self._connections = connections
        self._proxies = proxies
        self._origin_of = origin_of
        self._refused = refused
        self._refusals = RefusalLog()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler of a call, within the limits."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method.rpartition("/")[2]
        kind = method if handler.response_streaming else CALLS
        [(name, inner)] = [(name, found) for name in _FORMS if (found := getattr(handler, name)) is not None]
        wrap = self._generator if inspect.isasyncgenfunction(inner) else self._coroutine
        make = getattr(grpc, f"{name}_rpc_method_handler")
        return make(wrap(inner, method, kind), handler.request_deserializer, handler.response_serializer)

    def _coroutine(self, inner: Handler, method: str, kind: str) -> Handler:
        async def call(request: object, context: Context) -> object:
            with self._connections.in_use(context.peer()):
                client = await self._begin(context, method, kind)
                try:
                    return await inner(request, context)
                finally:
                    self._ledger.end(client, kind)

        return call

    def _generator(self, inner: Handler, method: str, kind: str) -> Handler:
        async def call(request: object, context: Context) -> AsyncGenerator[object, None]:
            with self._connections.in_use(context.peer()):
                client = await self._begin(context, method, kind)
                try:
                    async with aclosing(inner(request, context)) as responses:
                        async for response in responses:
                            yield response
                finally:
                    self._ledger.end(client, kind)

        return call

    async def _begin(self, context: Context, method: str, kind: str) -> str:
        """Count a call; the client whose it is.  It is ended here if there are too many."""
        client, now = self._client_of(context), time.monotonic()
        try:
            self._ledger.begin(client, kind, now)
        except OverloadedError as error:
            self._refused(method)
            line = self._refusals.refused(client, now)
            if line is not None:
                log.info(line)
            await context.abort(*Failure.of(error).arguments())
        CLIENT.set(LimitedClient(client, self._ledger))
        return client

    def _client_of(self, context: Context) -> str:
        origin = self._origin_of(context)
        if origin is not None:
            return fingerprint(origin)
        forwarded = [text(value) for name, value in context.invocation_metadata() or () if name == FORWARDED]
        return self._proxies.client_of(end_of(context.peer()), forwarded)


class RefusalLog:
    """Lines of the log about calls that were refused: one a minute, for all clients together."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._more = 0
        self._told = float("-inf")

    def refused(self, client: str, now: float) -> str | None:
        """The line that is to be logged, if one is; ``now``: seconds of a clock that never goes back."""
        if client in self._refused or len(self._refused) < _NAMED:
            self._refused[client] += 1
        else:
            self._more += 1
        if now - self._told < _TOLD_SECONDS:
            return None
        [(most, count)] = self._refused.most_common(1)
        calls, clients = self._refused.total() + self._more, len(self._refused)
        others = "" if clients == 1 and not self._more else f", {count} of them by {most}"
        by = most if not others else f"{clients}{' and more' if self._more else ''} clients"
        self._refused.clear()
        self._more, self._told = 0, now
        return f"calls beyond the limits of a client: {calls} by {by}{others}"


@lru_cache(maxsize=4096)
def end_of(peer: str) -> RemoteEnd | None:
    """The other end of a connection, as gRPC names it; of the many calls of one it is worked out once."""
    return parse_peer(peer)


def text(value: str | bytes) -> str:
    """A value of metadata."""
    return value if isinstance(value, str) else value.decode("ascii", "replace")
