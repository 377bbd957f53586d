"""Calling a peer: one exchange now, and exchanges at intervals with all peers that have an address."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from weft.core.policy import Policy
from weft.core.signing import fingerprint, short_fingerprint
from weft.errors import RemoteProtocolError, WeftError
from weft.exchange.events import Report
from weft.rpc.addresses import join_address, split_address
from weft.rpc.credentials import NAME, Identity, channel_credentials, fetch_certificate
from weft.rpc.exchange_desk import Workplace
from weft.rpc.exchange_tls import introduced
from weft.rpc.exchanging import MESSAGE_OCTETS, SERVICE, Talk, printable
from weft.rpc.failures import error_of

INTERVAL = 300.0
"""Seconds between two exchanges with a peer."""
MOST = 3600.0
"""The same after many that failed."""
_JITTER = 0.2
_GOODBYE = 10.0
_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_OCTETS),
    ("grpc.max_send_message_length", MESSAGE_OCTETS),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.ssl_target_name_override", NAME),
)

log = logging.getLogger("weft.exchange")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: our identity and our index."""

    identity: Identity
    workplace: Workplace

    async def exchange(self, address: str, peer: bytes, policy: Policy) -> Report:
        """One exchange with a peer at an address, to its end; a `WeftError` says why it did not come to it."""
        host, port = split_address(address)
        certificate = await asyncio.to_thread(fetch_certificate, (host, port), fingerprint(peer))
        credentials = channel_credentials(certificate, introduced(self.identity))
        async with grpc.aio.secure_channel(join_address(host, port), credentials, options=_OPTIONS) as channel:
            stream = _Call(address, channel)
            ended = await Talk(self.workplace, policy, peer, caller=True).run(stream)
            await stream.finish()
        if isinstance(ended.error, RemoteProtocolError) and stream.error is not None:
            raise stream.error
        if ended.error is not None:
            raise ended.error
        return ended.report


class _Call:
    """A stream that we opened."""

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self._address = address
        self._call: Any = channel.stream_stream(f"/{SERVICE}/Session")()  # type: ignore[call-arg]
        self.error: WeftError | None = None
        """What the transport says of its end."""

    async def read(self) -> bytes | None:
        try:
            frame = await self._call.read()
        except grpc.aio.AioRpcError as error:
            self.error = error_of(self._address, error.code(), error.details())
            return None
        if isinstance(frame, bytes):
            return frame
        code = await self._call.code()
        if code is not grpc.StatusCode.OK:
            self.error = error_of(self._address, code, await self._call.details())
        return None

    async def write(self, octets: bytes) -> None:
        await self._call.write(octets)

    async def finish(self) -> None:
        """Let the last frames arrive."""
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._call.done_writing()
                while await self.read() is not None:
                    pass
        except (TimeoutError, grpc.RpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            pass  # what both committed stays
        finally:
            self._call.cancel()


async def keep_exchanging(caller: Caller, policy: Callable[[], Policy], peer: bytes, address: str) -> None:
    """Exchange with a peer at once and then at intervals, longer ones after failures, until cancelled."""
    pause = INTERVAL
    while True:
        try:
            await caller.exchange(address, peer, policy())
            pause = INTERVAL
        except WeftError as error:
            log.warning("no exchange with %s: %s", short_fingerprint(peer), printable(str(error)))
            pause = min(2 * pause, MOST)
        except Exception:  # a defect; the other peers go on, and so does this one later
            log.exception("the exchange with %s failed", short_fingerprint(peer))
            pause = MOST
        await asyncio.sleep(pause * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - no secret
