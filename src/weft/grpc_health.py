"""The standard health service of both ports of a server.

It remembers nothing of services that are none: their names are whatever callers like.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH_NAME
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]  # the stubs are of a release before

__all__ = ["HEALTH_NAME", "Health"]

Response = health_pb2.HealthCheckResponse


class Health(health.HealthServicer):  # type: ignore[misc]  # as above
    """Says whether the server takes calls."""

    def __init__(self, services: Sequence[str]) -> None:
        """``services``: by their full names; the empty name stands for the server as a whole."""
        super().__init__()
        self._services = ("", *services)

    async def begin(self) -> None:
        """The server takes calls."""
        for name in self._services:
            await self.set(name, Response.SERVING)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:  # noqa: ANN401, N802 - `grpc.aio.ServicerContext`
        """The health of a service, each time that it changes."""
        if request.service in self._services:
            await super().Watch(request, context)
        else:
            await context.write(Response(status=Response.SERVICE_UNKNOWN))

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
