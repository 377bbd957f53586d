"""Answering peers: the service ``weft.v1.Exchange`` on a port of its own, always with mutual TLS.

Who calls is what the binding in its certificate says.  Who has no row in the policy gets PERMISSION_DENIED, before
anything is read of the call; who has one gets as many sessions at a time as the row says.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from weft.core.policy import Policy
from weft.errors import PolicyError, StoreError, WeftError
from weft.rpc import limits
from weft.rpc.addresses import join_address, split_address
from weft.rpc.credentials import caller, load_or_make_identity
from weft.rpc.exchange_client import Caller, keep_exchanging
from weft.rpc.exchange_desk import Workplace
from weft.rpc.exchange_tls import exchange_credentials
from weft.rpc.exchanging import MESSAGE_OCTETS, SERVICE, Talk
from weft.rpc.failures import DeniedError, OverloadedError, is_ours, status_of

_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_OCTETS),
    ("grpc.max_send_message_length", MESSAGE_OCTETS),
    ("grpc.max_concurrent_streams", 16),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
)
_SESSIONS = 64

log = logging.getLogger("weft.exchange")


class ExchangeServer:
    """Answers peers, and calls those whose address the policy knows.  To be used within one event loop."""

    def __init__(self, path: Path, policy: Policy, current: Callable[[], Policy] | None = None) -> None:
        """``current`` gives the policy whose rows of peers hold for the next session."""
        self._identity = load_or_make_identity(path)
        self._workplace = Workplace(path, policy)
        self._current = current or (lambda: policy)
        self._sessions: Counter[bytes] = Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_SESSIONS)
        handler = grpc.stream_stream_rpc_method_handler(self._session)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Session": handler}),))

    async def start(self, address: str) -> str:
        """Listen; the address with the port that was taken."""
        host, port = split_address(address)
        try:
            taken = self._server.add_secure_port(join_address(host, port), exchange_credentials(self._identity))
        except RuntimeError:
            taken = 0
        if not taken:
            raise WeftError(f"{address}: cannot listen there; it is in use, or is no address of this machine")
        await self._server.start()
        calling = Caller(self._identity, self._workplace)
        for peer, row in self._current().peers.items():
            if row.address:
                self._tasks.append(asyncio.create_task(keep_exchanging(calling, self._current, peer, row.address)))
        return join_address(host, taken)

    async def stop(self, seconds: float = limits.DRAIN_SECONDS) -> None:
        """Call nobody any more, and let sessions end; those that do not within ``seconds`` are cut."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.stop(seconds)
        await self._workplace.close()

    def _policy(self) -> Policy:
        """As it is now; what is wrong with it is not for a peer to read."""
        try:
            return self._current()
        except PolicyError as error:
            raise StoreError(str(error)) from None

    async def _session(self, _: Any, context: Any) -> None:  # noqa: ANN401 - the stubs know no grpc.aio here
        try:
            peer = caller(context)
            policy = self._policy()
            row = policy.peers.get(peer)
            if row is None:
                raise DeniedError("this server does not know your key")
            if self._sessions[peer] >= row.streams:
                raise OverloadedError(f"streams: you have {row.streams} sessions already")
            self._sessions[peer] += 1
            try:
                await Talk(self._workplace, policy, peer, caller=False).run(_Answering(context))
                return
            finally:
                self._sessions[peer] -= 1
        except Exception as error:  # whatever it was, the peer gets a status and nothing of ours
            code, details = status_of(error)
            if is_ours(error):
                log.error("a session failed: %s", error, exc_info=code is grpc.StatusCode.INTERNAL)
        await context.abort(code, details)


class _Answering:
    """A stream that a peer opened."""

    def __init__(self, context: Any) -> None:  # noqa: ANN401 - as above
        self._context = context

    async def read(self) -> bytes | None:
        frame = await self._context.read()
        return frame if isinstance(frame, bytes) else None

    async def write(self, octets: bytes) -> None:
        await self._context.write(octets)
