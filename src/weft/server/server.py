"""A server: gRPC on a socket, health and reflection beside the services, and a stop that loses no call.

Theory of operation
-------------------
All of it runs in one event loop, which never waits for the index (`weft.server.reader_pool`).  Health says whether the
server can answer now (`weft.server.health_monitor`).  To stop: health says NOT_SERVING, calls that come are refused,
streams end, calls in flight get their answers, and then the socket closes.

Plain text is spoken on loopback and on unix sockets only, where whoever can connect can run programs on this machine;
anywhere else the server needs credentials (`weft.server.access`).  That is refused here, whoever asks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine, Sequence
from contextlib import closing
from pathlib import Path

import grpc

from weft.errors import LockedStoreError, UsageError, WeftError
from weft.grpc_health import HEALTH_NAME, Health
from weft.index.index import Index
from weft.policy.rules import Policy
from weft.server.access import Access
from weft.server.client_limits import ClientLedger, ClientLimits
from weft.server.health_monitor import HealthMonitor, Readiness
from weft.server.limit_interceptor import ClientLimiter
from weft.server.reader_pool import ReaderPool
from weft.server.reflection import add_reflection
from weft.server.service import DIGESTS, NAME, TREES, CallMeter, ThreadsService
from weft.server.socket_file import SOCKET_MODE, socket_file
from weft.server.watch import ChangeWatch
from weft.tls.address import UNIX, is_loopback, join_address, socket_path, split_address
from weft.tls.client_address import TrustedProxies
from weft.tls.connection_limits import connection_options, most_connections
from weft.tls.idle_connections import IdleConnections
from weft.tls.port_closing import close_port
from weft.wire import limits

_SLOW_THREADS = 3
_FILL_SECONDS = 3600.0
_FILL_AGAIN = 30.0
"""Seconds after which words that could not be put into the search table are tried again."""
_FILL_LONG = 1.0
"""Seconds after which it is worth a line in the log."""
_LAST_ANSWERS = 0.2
"""Seconds in which the last answers leave, and who calls meanwhile is told that the server stops."""
_STEPS = 20_000
"""Instructions of SQLite between two looks at whether the server ends."""
_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", limits.REQUEST_BYTES),
    ("grpc.max_send_message_length", limits.ANSWER_BYTES),
    ("grpc.max_concurrent_streams", limits.STREAMS),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
)

NO_PROXIES = TrustedProxies()
CLIENT_LIMITS = ClientLimits(streams={DIGESTS: 2, TREES: 2})

log = logging.getLogger("weft.server")


class Server:
    """Serves one index.  To be made, started and stopped within one event loop."""

    def __init__(
        self,
        path: Path,
        policy: Policy,
        *,
        meter: CallMeter | None = None,
        access: Access | None = None,
        shared: bool = False,
        proxies: TrustedProxies = NO_PROXIES,
        client_limits: ClientLimits = CLIENT_LIMITS,
        writes: bool = True,
    ) -> None:
        """`StoreError` and others if the index cannot be served; may take long if its view has to be made first.

        ``shared``: other processes listen at the same address (`weft.server.workers`).
        ``proxies``: who is believed about clients; ``client_limits`` hold where clients are not those of this machine.
        ``writes``: whether it may write to the index, as it does to make a view, and to have words found.
        """
        self._writes = writes
        self._prepare(path, policy)
        self._path = path
        self._policy = policy
        self._view_policies = [policy]
        """Those that the view may be of: while that of a new one is made, the old one answers."""
        self._quick = ReaderPool(path, policy, 1, "quick", writes=writes)  # more would only wait for each other
        self._slow = ReaderPool(path, policy, _SLOW_THREADS, "slow", writes=writes)
        self._log = ReaderPool(path, policy, 1, "log", writes=writes)
        self._keeper = ReaderPool(path, policy, 1, "keeper", writes=writes)
        self._pools = (self._quick, self._slow, self._log, self._keeper)
        self.watching = ChangeWatch(self._log, self._fill_search)
        self._credentials = access.credentials if access else None
        self._service = ThreadsService(self._quick, self._slow, self.watching, meter, access)
        self._health = Health([NAME])
        self.monitor = HealthMonitor(path, lambda: tuple(self._view_policies), self._quick, fills_search=writes)
        self.monitor.follow(lambda found: self._health.show(ready=found.is_ready))
        self.monitor.follow(self._fill_again)
        self._shared = shared
        self._connections = IdleConnections(most_connections())
        self._limiter = None
        self.ledger: ClientLedger | None = None
        """The accounts of clients; None where there are no limits."""
        if self._credentials is not None or proxies:
            origin_of = access.origin_of if access else lambda _: None
            self.ledger, refused = ClientLedger(client_limits), meter.refused if meter else lambda _: None
            self._limiter = ClientLimiter(self.ledger, self._connections, proxies, origin_of, refused)
        self._server = grpc.aio.server(
            options=[("grpc.so_reuseport", int(shared)), *connection_options(), *_OPTIONS],
            interceptors=[self._limiter] if self._limiter else [],
            maximum_concurrent_rpcs=limits.CALLS,
        )
        self._server.add_generic_rpc_handlers((self._service.handler(),))
        self._health.add_to(self._server)
        add_reflection(self._server, (NAME, HEALTH_NAME))
        self._address = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._filling, self._filled = False, float("-inf")
        self._ending = threading.Event()

    @property
    def readers(self) -> ReaderPool:
        """The threads that make long answers, for other ways to ask this server."""
        return self._slow

    async def start(self, address: str, socket_mode: int = SOCKET_MODE) -> str:
        """Listen; the address with the port that was taken.  `UsageError` for an address that cannot be meant.

        ``socket_mode``: of the file, if it is ``unix:PATH``.
        """
        path = socket_path(address)
        taken = self._bind(*split_address(address)) if path is None else self._bind_socket(path, socket_mode)
        self._address = taken
        await self._health.begin()
        await self._server.start()
        await self.monitor.look()
        self._start_task(self.monitor.run())
        self._start_task(self.watching.run())
        if self._limiter is not None and path is None:
            self._start_task(self._connections.run(split_address(taken)[1]))
        return taken

    def _bind(self, host: str, port: int) -> str:
        if self._credentials is None and not is_loopback(host):
            raise UsageError(f"{join_address(host, port)}: plain text is spoken on loopback only; use credentials")
        taken = self._port(join_address(host, port))
        if not taken:
            raise _taken(join_address(host, port))
        return join_address(host, taken)

    def _bind_socket(self, path: Path, mode: int) -> str:
        if self._credentials is not None or self._shared:
            raise UsageError(f"{UNIX}{path}: a unix socket has one process and speaks plain text")
        with socket_file(path, mode):
            if not self._port(f"{UNIX}{path}"):
                raise _taken(f"{UNIX}{path}")
        return f"{UNIX}{path}"

    def _port(self, target: str) -> int:
        """Begin to listen; 0 if that cannot be."""
        try:
            if self._credentials is None:
                return self._server.add_insecure_port(target)
            return self._server.add_secure_port(target, self._credentials)
        except RuntimeError:
            return 0

    async def stop(self, seconds: float = limits.DRAIN_SECONDS) -> bool:
        """Stop as the module says; whether all calls in flight ended within ``seconds``."""
        await self._health.stop()
        ended = await self._service.drain(seconds)
        self._health.end()
        self._ending.set()
        for task in self._tasks:
            task.cancel()
        if self._address:
            await asyncio.sleep(_LAST_ANSWERS if ended else 0)
            await asyncio.to_thread(close_port, self._address)
        await self._server.stop(0)
        self.monitor.close()
        for pool in self._pools:
            await asyncio.to_thread(pool.close)
        return ended

    async def use(self, policy: Policy) -> None:
        """Answer by another policy from now on; returns when its view is made."""
        self._policy = policy
        self._view_policies.append(policy)
        for pool in self._pools:
            pool.use(policy)
        while self._policy is policy:
            try:
                if self._writes:
                    await asyncio.to_thread(Index.prepare, self._path, policy)
                    self._view_policies = [one for one in self._view_policies if one is policy or one is self._policy]
                self._view_policies = self._view_policies[-2:]
                return
            except LockedStoreError as error:
                log.warning("the view of the new policy has to wait: %s", error)

    def waiting(self) -> dict[str, int]:
        """How many calls are in each queue, those that are being worked on too."""
        return {pool.name: pool.waiting for pool in self._pools} | {"batch": self._service.waiting}

    async def wait(self) -> None:
        """Until it has been stopped."""
        await self._server.wait_for_termination()

    def _start_task(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _prepare(self, path: Path, policy: Policy) -> None:
        """Make the view if it is not there, or see that it is."""
        if self._writes:
            Index.prepare(path, policy)
        else:
            with closing(Index.reader(path, policy, writes=False)) as index, index.snapshot():
                pass

    async def _fill_again(self, found: Readiness) -> None:
        """What kept the words from the search table may be over."""
        if found.condition and found.search_lag > _FILL_AGAIN and time.monotonic() - self._filled > _FILL_AGAIN:
            await self._fill_search(found.condition.log_position)

    async def _fill_search(self, end: int) -> None:
        """The log has grown: its new words go into the search table, meanwhile."""
        if self._writes and not self._filling:
            self._filling = True
            self._start_task(self._fill(end))

    async def _fill(self, end: int) -> None:
        started = time.monotonic()
        try:
            await self._keeper.call(lambda _: fill_search(self._path, self._policy, self._ending), _FILL_SECONDS)
            took = time.monotonic() - started
            level = logging.INFO if took > _FILL_LONG else logging.DEBUG
            log.log(level, "search follows the log to %d, in %.1f s", end, took)
        except WeftError as error:
            log.warning("search lags behind: %s", error)
        finally:
            self._filling, self._filled = False, time.monotonic()


def _taken(address: str) -> WeftError:
    return WeftError(f"{address}: cannot listen there; it is in use, or not an address of this machine")


def fill_search(path: Path, policy: Policy, ending: threading.Event) -> None:
    """Bring the search table up to the end of the log; `StoreError` if ``ending`` is set before that."""
    with Index.open(path, policy=policy, create=False) as index:
        index.store.connection.set_progress_handler(ending.is_set, _STEPS)
        index.search("weft", limit=1)
