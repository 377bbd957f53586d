"""Answering peers: the service ``weft.v1.ExchangeService`` on a port of its own, always with mutual TLS.

Who calls is what the binding in its certificate says.  Who has no row in the policy gets PERMISSION_DENIED, before
anything is read of the call, and stands in the log by that fingerprint alone, as nothing else of it is proved; who has
a row gets as many sessions at a time as the row says, and may call so often (`weft.peering.admission_limits`).  The
peers whose address the policy knows are called.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import grpc

from weft.errors import DeniedError, LostPeerError, OverloadedError, StoppingError, WeftError
from weft.grpc_failure import Failure
from weft.grpc_health import Health
from weft.grpc_status import is_ours
from weft.peering.admission_limits import KEY_SECONDS, CallRate, UnknownCallers
from weft.peering.dialer import Dialer, keep_in_sync
from weft.peering.driver import ALWAYS, MESSAGE_BYTES, SERVICE, SessionDriver
from weft.peering.index_backend import BackendThreads
from weft.peering.registry import SessionMeter, SessionRegistry
from weft.policy.rules import Policy
from weft.tls.address import join_address, split_address
from weft.tls.connection_limits import PEER_KEEPALIVE, connection_options, most_connections
from weft.tls.identity import caller, load_or_make_identity
from weft.tls.idle_connections import IdleConnections
from weft.tls.port_closing import close_port
from weft.tls.transport import exchange_credentials
from weft.wire import limits

_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", 16),
    ("grpc.max_metadata_size", 16 << 10),
    *PEER_KEEPALIVE,
)
_SESSIONS = 256
"""At a time; most of them live, with nothing to do."""
_CALLS = 2 * _SESSIONS
"""At a time, with those that are told that they are too many; what is beyond that, gRPC refuses without a word."""
_SESSION_SECONDS = 10.0
"""After which a peer should call again where there are too many sessions."""

_LAST_STATUS = 0.2
"""Seconds in which the last calls end, each with its status."""
_LINGER = 1.0
"""Seconds for the caller to end the call."""

log = logging.getLogger("weft.exchange")


class ExchangeServer:
    """Answers peers, and calls those whose address the policy knows.  To be used within one event loop."""

    def __init__(
        self,
        path: Path,
        policy: Policy,
        *,
        look: Callable[[], Awaitable[None]] | None = None,
        meter: SessionMeter | None = None,
    ) -> None:
        """``look`` is called before each session: should the policy have changed, it calls `use`."""
        self._identity = load_or_make_identity(path)
        self._backend_threads = BackendThreads(path, policy)
        self._policy = policy
        self._look = look
        self.registry = SessionRegistry(policy, meter)
        self._sessions: Counter[bytes] = Counter()
        self._rate, self._keys = CallRate(), CallRate(KEY_SECONDS)
        self._unknown_callers = UnknownCallers()
        self._connections = IdleConnections(most_connections())
        self._calls: dict[bytes, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False
        self._address = ""
        self._server = grpc.aio.server(options=[*connection_options(), *_OPTIONS], maximum_concurrent_rpcs=_CALLS)
        handler = grpc.stream_stream_rpc_method_handler(self._session)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Session": handler}),))
        self._health = Health([SERVICE])
        self._health.add_check_to(self._server)

    async def start(self, address: str) -> str:
        """Listen; the address with the port that was taken."""
        host, port = split_address(address)
        try:
            taken = self._server.add_secure_port(join_address(host, port), exchange_credentials(self._identity))
        except RuntimeError:
            taken = 0
        if not taken:
            raise WeftError(f"{address}: cannot listen there; it is in use, or not an address of this machine")
        self._address = join_address(host, taken)
        await self._health.begin()
        await self._health.show(ready=True)
        await self._server.start()
        self._looking = asyncio.create_task(self.registry.look(self._backend_threads))
        self._watching = asyncio.create_task(self._connections.run(taken))
        self._call_peers()
        return self._address

    async def show_health(self, *, ready: bool) -> None:
        """Whether the index can be used, as the health service of this port tells it."""
        await self._health.show(ready=ready)

    async def use(self, policy: Policy) -> None:
        """Go by another policy: first sessions whose peer's rights are others are cut."""
        gone = self._policy.peers.keys() - policy.peers.keys()
        self._policy = policy
        self.registry.use(policy)
        for peer in gone:
            self._rate.forget(peer)
            self._keys.forget(peer)
        await self._backend_threads.use(policy)
        self._call_peers()

    async def stop(self, seconds: float = limits.DRAIN_SECONDS) -> None:
        """Call nobody any more, and let sessions end; those that do not within ``seconds`` are cut."""
        self._stopping = True
        await self._health.stop()
        ends = time.monotonic() + seconds
        for peer in self._calls.keys() - {driver.peer for driver in self.registry.calling()}:
            self._calls[peer].cancel()
        await self.registry.stop(seconds)
        tasks = [*self._calls.values(), *filter(None, [self._looking, self._watching])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._address:
            await asyncio.sleep(min(_LAST_STATUS, max(0.0, ends - time.monotonic())))
            await asyncio.to_thread(close_port, self._address)
        await self._server.stop(max(0.0, ends - time.monotonic()))
        await self._backend_threads.close()

    def _call_peers(self) -> None:
        """Begin to call those peers that have an address and are not called yet; those without one are left alone."""
        calling = Dialer(self._identity, self._backend_threads)
        for peer, row in self._policy.peers.items():
            task = self._calls.get(peer)
            if row.address and not self._stopping and (task is None or task.done()):
                call = keep_in_sync(calling, self.registry, lambda: self._policy, peer)
                self._calls[peer] = asyncio.create_task(call)

    async def _session(self, _: Any, context: Any) -> None:  # noqa: ANN401 - the stubs know no grpc.aio here
        try:
            with self._connections.in_use(context.peer()):
                await self._answer(await self._known(context), context)
            return
        except Exception as error:  # whatever it was, the peer gets a status and nothing of ours
            failure = Failure.of(error)
            if is_ours(error):
                log.error("a session failed: %s", error, exc_info=failure.code is grpc.StatusCode.INTERNAL)
        await context.abort(*failure.arguments())

    async def _known(self, context: Any) -> bytes:  # noqa: ANN401 - as above
        """The peer that calls, if it may; else the error that says why it may not, which is counted."""
        peer: bytes | None = None
        try:
            if self._look:
                await self._look()
            key = caller(context)
            row = self._policy.peers.get(key)
            if row is None:
                self._turn_away(key)
            peer = key
            if self._stopping:
                raise StoppingError("the server is stopping; call again later")
            self._rate.take(peer, time.monotonic())
            if self._sessions[peer] >= row.streams:
                raise OverloadedError(f"streams: you have {row.streams} sessions already", _SESSION_SECONDS)
            if self._sessions.total() >= _SESSIONS:
                raise OverloadedError(f"streams: {_SESSIONS} sessions run already; call again later", _SESSION_SECONDS)
        except Exception as error:
            self.registry.count(peer, "answerer", error)
            raise
        return peer

    def _turn_away(self, key: bytes) -> NoReturn:
        line = self._unknown_callers.called(key, time.monotonic())
        if line is not None:
            log.warning(line)
        raise DeniedError("this server does not know your key")

    async def _answer(self, peer: bytes, context: Any) -> None:  # noqa: ANN401 - as above
        policy = self._policy
        driver = SessionDriver(
            self._backend_threads, policy, peer, caller=False, live_seconds=ALWAYS, observer=self.registry,
            takes_new_key=self._keys.may(peer, time.monotonic()),
        )  # fmt: skip
        self._sessions[peer] += 1
        error: Exception | None = None
        try:
            with self.registry.running(driver):
                error = (await driver.run(_AnsweredStream(context))).error
        except asyncio.CancelledError:  # the transport's way to say that the caller has gone
            error = LostPeerError("the connection was lost")
            raise
        except Exception as failure:
            error = failure
            raise
        finally:
            self._sessions[peer] -= 1
            if driver.report is not None and driver.report.new_key and self._keys.may(peer, time.monotonic()):
                self._keys.take(peer, time.monotonic())
            self.registry.over(driver, error)


class _AnsweredStream:
    """A stream that a peer opened."""

    def __init__(self, context: Any) -> None:  # noqa: ANN401 - as above
        self._context = context

    async def read(self) -> bytes | None:
        frame = await self._context.read()
        return frame if isinstance(frame, bytes) else None

    async def write(self, data: bytes) -> None:
        await self._context.write(data)

    async def finish(self, reader: asyncio.Task[bytes | None] | None) -> None:
        """The call ends when its method returns: soon after the caller knows why, or it might not learn it."""
        try:
            async with asyncio.timeout(_LINGER):
                frame = await (reader or self.read())
                while frame is not None:
                    frame = await self.read()
        except (TimeoutError, grpc.RpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            pass
