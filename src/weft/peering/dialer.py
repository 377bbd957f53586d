"""Calling a peer: one exchange now, and a live session as long as the policy has an address for it.

A live session ends after `INTERVAL` and begins anew at once: whatever was not offered while it was live, the comparison
of the sets finds.  After a failure comes a pause, and each time a longer one.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import grpc

from weft.core.signing import fingerprint
from weft.errors import (
    ChangedPolicyError,
    DeniedError,
    LostPeerError,
    RemoteProtocolError,
    UnreachableError,
    WeftError,
)
from weft.exchange.events import Ended, SessionReport
from weft.grpc_status import WRITTEN_TOO_LATE, error_of
from weft.peering.driver import MESSAGE_BYTES, SERVICE, SessionDriver
from weft.peering.index_backend import BackendThreads
from weft.peering.registry import SessionRegistry
from weft.policy.rows import Mode
from weft.policy.rules import Policy
from weft.tls.address import join_address, split_address
from weft.tls.connection_limits import PEER_KEEPALIVE
from weft.tls.handshake import fetch_certificate
from weft.tls.identity import NAME, Identity, channel_credentials, origin_of
from weft.tls.transport import introduced

INTERVAL = 300.0
"""Seconds that a session is live before it is begun anew, and between two with a peer that does not stay."""
FIRST = 5.0
"""Seconds after one failure; twice as many after each further one."""
MOST = 3600.0
"""The most, after failures that are the peer's fault; `INTERVAL` if it is only out of reach."""
STEADY = 60.0
"""A session that was in sync for so long was no failure, however it ended."""
_JITTER = 0.2
_GOODBYE = 10.0
_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    *PEER_KEEPALIVE,
    ("grpc.ssl_target_name_override", NAME),
    ("grpc.enable_http_proxy", 0),  # certificates are fetched without one
)


@dataclass(frozen=True, slots=True)
class Dialer:
    """Who calls: our identity and our index."""

    identity: Identity
    backend_threads: BackendThreads

    async def exchange(self, address: str, peer: bytes, policy: Policy, mode: Mode | None = None) -> SessionReport:
        """One exchange with a peer at an address, to its end; a `WeftError` says why it did not come to it.

        ``mode``: how we take what it hands us; None: as its row says.
        """
        driver = SessionDriver(self.backend_threads, policy, peer, caller=True, mode=mode)
        ended = await self.call(address, driver)
        first = ended.report
        if ended.error is None and driver.recovers:
            ended = await self.call(address, SessionDriver(self.backend_threads, policy, peer, caller=True, mode=mode))
            _add(first, ended.report)
        if ended.error is not None:
            raise ended.error
        return ended.report

    async def call(self, address: str, driver: SessionDriver) -> Ended:
        """A session with its peer at an address, to its end; `WeftError` if it did not begin."""
        host, port = split_address(address)
        certificate = await asyncio.to_thread(fetch_certificate, (host, port), fingerprint(driver.peer))
        credentials = channel_credentials(certificate, introduced(self.identity))
        async with grpc.aio.secure_channel(join_address(host, port), credentials, options=_OPTIONS) as channel:
            stream = _Call(address, channel)
            ended = await driver.run(stream)
        if isinstance(stream.error, DeniedError):
            own = fingerprint(origin_of(self.identity.certificate))
            stream.error.advice = f"its operator has to run: weft peers add {own}"
        if stream.error is None or driver.closed or not isinstance(ended.error, RemoteProtocolError | None):
            return ended
        has_begun = driver.report is not None and driver.report.frames_received > 0
        if isinstance(stream.error, UnreachableError) and has_begun:
            return replace(ended, error=LostPeerError(str(stream.error)))
        return ended if ended.error is None else replace(ended, error=stream.error)


def _add(first: SessionReport, last: SessionReport) -> None:
    """Add to the report of a session what the one before it did, which recovered our own claims."""
    for name in ("bytes_sent", "bytes_received", "frames_sent", "frames_received", "claims_sent", "claims_received",
                 "claim_bytes_sent", "claim_bytes_received", "proof_bytes_received", "gone"):  # fmt: skip
        setattr(last, name, getattr(first, name) + getattr(last, name))


class _Call:
    """A stream that we opened.

    Nothing is written before something was read, as the answerer's hello waits for nothing: grpc forgets the status of
    a call that ends while it is written to, and so why we were turned away.
    """

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self._address = address
        self._call: Any = channel.stream_stream(f"/{SERVICE}/Session")()  # type: ignore[call-arg]
        self.error: WeftError | None = None
        """What the transport says of its end, if it came before ours."""
        self._finishes = False
        self._heard = asyncio.Event()

    async def read(self) -> bytes | None:
        try:
            frame = await self._call.read()
        except grpc.aio.AioRpcError as error:
            if error.details() != WRITTEN_TOO_LATE and not self._finishes:
                self.error = error_of(self._address, error.code(), error.details())
            return None
        finally:
            self._heard.set()
        if isinstance(frame, bytes):
            return frame
        code = await self._call.code()
        if code is not grpc.StatusCode.OK and not self._finishes:
            self.error = error_of(self._address, code, await self._call.details())
        return None

    async def write(self, data: bytes) -> None:
        await self._heard.wait()
        await self._call.write(data)

    async def finish(self, reader: asyncio.Task[bytes | None] | None) -> None:
        """Let the last frames arrive; to cancel a reading would cancel the call before that."""
        self._finishes = True
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._call.done_writing()
                frame = await (reader or self.read())
                while frame is not None:
                    frame = await self.read()
        except (TimeoutError, grpc.RpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            pass  # what both committed stays
        finally:
            self._call.cancel()


class Backoff:
    """How long to wait before the next call."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, driver: SessionDriver, error: Exception | None) -> float:
        """Seconds, after a session, or a call that became none, and how it ended."""
        if driver.closed or isinstance(error, ChangedPolicyError):
            self._failures = 0
            return 0.0
        if error is None and not driver.lived:  # the peer does not stay
            self._failures = 0
            return _about(INTERVAL)
        if driver.synced is not None and time.monotonic() - driver.synced >= STEADY:
            self._failures = 0
        self._failures += 1
        ours = error is not None and not isinstance(error, WeftError)
        most = MOST if ours or isinstance(error, RemoteProtocolError) else INTERVAL
        return _about(min(FIRST * 2.0 ** min(self._failures - 1, 20), most))


async def keep_in_sync(caller: Dialer, registry: SessionRegistry, policy: Callable[[], Policy], peer: bytes) -> None:
    """Have a live session with a peer as long as the policy has an address for it, or until cancelled."""
    pauses = Backoff()
    while True:
        await registry.alone(peer)
        row = policy().peers.get(peer)
        if row is None or not row.address:
            return
        pause = await _once(caller, registry, policy(), peer, pauses)
        if pause:
            await _rest(registry, policy, peer, pause)


async def _once(caller: Dialer, registry: SessionRegistry, policy: Policy, peer: bytes, pauses: Backoff) -> float:
    """One session; the seconds to wait afterwards."""
    driver = SessionDriver(
        caller.backend_threads, policy, peer, caller=True, live_seconds=_about(INTERVAL), observer=registry
    )
    error: Exception | None
    with registry.running(driver):
        try:
            error = (await caller.call(policy.peers[peer].address, driver)).error
        except Exception as failure:  # if it is a defect, the other peers go on, and so does this one later
            error = failure
    registry.over(driver, error)
    return pauses.after(driver, error)


async def _rest(registry: SessionRegistry, policy: Callable[[], Policy], peer: bytes, seconds: float) -> None:
    """Wait, unless the row of the peer changes."""
    row = policy().peers.get(peer)
    try:
        async with asyncio.timeout(seconds):
            while policy().peers.get(peer) == row:
                await registry.news()
    except TimeoutError:
        pass


def _about(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
