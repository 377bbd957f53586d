"""The standard health service of both ports of a server: readiness by the names of services, and liveness apart.

The empty name and those of the services say whether the server can answer now; `LIVENESS` says that it lives, as long
as anybody can ask.  It remembers nothing of services that are none: their names are whatever callers like.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH_NAME
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]  # the stubs are of a release before

__all__ = ["HEALTH_NAME", "LIVENESS", "Health"]

LIVENESS = "liveness"
"""The name by which to ask whether a server lives, be it ready or not."""
Response = health_pb2.HealthCheckResponse


class Health(health.HealthServicer):  # type: ignore[misc]  # as above
    """Says whether the server takes calls."""

    def __init__(self, services: Sequence[str]) -> None:
        """``services``: by their full names; the empty name stands for the server as a whole."""
        super().__init__()
        self._services = ("", *services)
        self._stopping = False
        self._ended = asyncio.Event()

    async def begin(self) -> None:
        """The server lives, and is not ready yet."""
        await self.set(LIVENESS, Response.SERVING)
        await self.show(ready=False)

    async def show(self, *, ready: bool) -> None:
        """Whether the server is ready; from `stop` on it never is."""
        for name in self._services:
            await self.set(name, Response.SERVING if ready and not self._stopping else Response.NOT_SERVING)

    async def stop(self) -> None:
        """The server is about to stop; it lives as long as calls in flight are answered."""
        self._stopping = True
        await self.show(ready=False)

    def end(self) -> None:
        """End the streams of those who watch."""
        self._ended.set()

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:  # noqa: ANN401, N802 - `grpc.aio.ServicerContext`
        """The health of a service, each time that it changes."""
        if request.service not in (*self._services, LIVENESS):
            await context.write(Response(status=Response.SERVICE_UNKNOWN))
            return
        watching = asyncio.create_task(super().Watch(request, context))
        ended = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait((watching, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            ended.cancel()
            await asyncio.gather(watching, ended, return_exceptions=True)
        if self._ended.is_set():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping; watch again later")

    def add_to(self, server: grpc.aio.Server) -> None:
        """Answer at this server."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    def add_check_to(self, server: grpc.aio.Server) -> None:
        """The same without streams, where whoever likes may call and calls are few."""
        check = grpc.unary_unary_rpc_method_handler(
            self.Check,
            request_deserializer=health_pb2.HealthCheckRequest.FromString,
            response_serializer=Response.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(HEALTH_NAME, {"Check": check}),))
