"""LMTP (RFC 2033): a mail server hands over messages, and each recipient is a list.

Theory of operation
-------------------
aiosmtpd speaks the protocol.  Which list a recipient is, the configuration says, never a header.  Messages of all
connections wait in one line; a thread takes all that wait at once, so that many cost one transaction, and each is
answered when its claim is on disk.  Every recipient has an answer of its own, also where aiosmtpd gives one for the
whole message, as SMTP does: otherwise the client would wait for the others for ever.  Whatever goes wrong here is
answered as temporary, so that the client keeps the message.

Who can lie: whoever may connect, about the recipients.  So it listens on a unix socket or on loopback only.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from weft.delivery.deliverer import Deliverer, HandedOver, Outcome, Status
from weft.errors import UsageError
from weft.server.socket_file import socket_file
from weft.tls.address import is_local, join_address, socket_path, split_address

_MOST_RECIPIENTS = 100
_AT_ONCE = 256
"""Messages in one transaction."""
_REPLIES = {
    Status.DELIVERED: "250 2.0.0 delivered",
    Status.REFUSED: "554 5.6.0",
    Status.FULL: "452 4.3.1",
    Status.LATER: "451 4.3.0",
}
_WHOLE = ("552 ", "500 Line too long")
"""How the answers begin that aiosmtpd gives for a whole message after its data."""

log = logging.getLogger("weft.lmtp")


@dataclass(frozen=True, slots=True)
class LmtpLimits:
    """``size`` in bytes of a message, ``rate`` in messages a minute for a list (0: any), ``connections`` at once."""

    size: int = 50 << 20
    rate: int = 0
    connections: int = 64
    waiting: int = 256 << 20
    """Bytes of messages that wait for the index."""


@dataclass(slots=True)
class _Rate:
    """How many more messages a list may have now."""

    a_minute: int
    clock: Callable[[], float]
    left: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.at = float(self.a_minute), self.clock()

    def take(self) -> bool:
        now = self.clock()
        self.left = min(self.a_minute, self.left + (now - self.at) * self.a_minute / 60)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class LmtpServer:
    """One server: ``lists`` says which list an address is, in lower case."""

    def __init__(
        self,
        deliverer: Deliverer,
        lists: Mapping[str, str],
        limits: LmtpLimits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deliverer = deliverer
        self._lists = lists
        self._limits = limits
        self._rates = {name: _Rate(limits.rate, clock) for name in lists.values()} if limits.rate else {}
        self._line: list[tuple[HandedOver, asyncio.Future[Outcome]]] = []
        self._waiting = 0
        self._come = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "weft-lmtp")
        self._task: asyncio.Task[None] | None = None
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.BaseTransport] = set()

    async def start(self, address: str, mode: int) -> str:
        """Listen; the address with the port that was taken.  `UsageError` for one that others may reach."""
        if not is_local(address):
            raise UsageError(f"{address}: LMTP knows nobody's name; listen on a unix socket or on loopback")
        loop = asyncio.get_running_loop()
        new = await loop.run_in_executor(
            self._thread, self._deliverer.catch_up, list(dict.fromkeys(self._lists.values()))
        )
        if new:
            log.info("%d claims of kept mail that was not read yet", new)
        self._task = asyncio.create_task(self._deliver())
        path = socket_path(address)
        if path is not None:
            with socket_file(path, mode):
                self._servers.append(await loop.create_unix_server(self._connection, str(path)))
            return f"unix:{path}"
        host, port = split_address(address)
        server = await loop.create_server(self._connection, host, port)
        self._servers.append(server)
        return join_address(*server.sockets[0].getsockname()[:2])

    async def stop(self) -> None:
        """Take nothing more, and answer what was taken."""
        for server in self._servers:
            server.close()
        while self._line or self._waiting:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        for transport in list(self._connections):
            transport.close()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._thread.submit(self._deliverer.close)
        self._thread.shutdown()

    def _connection(self) -> SMTP:
        return _Connection(self, data_size_limit=self._limits.size)

    def connected(self, transport: asyncio.BaseTransport) -> bool:
        """Whether there is room for one more connection."""
        if len(self._connections) >= self._limits.connections:
            return False
        self._connections.add(transport)
        return True

    def disconnected(self, transport: asyncio.BaseTransport) -> None:
        """One ended."""
        self._connections.discard(transport)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
        address: str,
        options: Sequence[str],  # noqa: ARG002
    ) -> str:
        """Whether a recipient is a list here."""
        name = self._lists.get(address.lower())
        if name is None:
            return "550 5.1.1 not a list here"
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        if self._rates and not self._rates[name].take():
            return "450 4.2.1 too many messages a minute for this list"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Deliver to all recipients; an answer for each."""
        data = bytes(envelope.original_content or b"")
        names = [self._lists[address.lower()] for address in envelope.rcpt_tos]
        if self._waiting + len(data) > self._limits.waiting:
            return "\r\n".join(["451 4.3.2 too much mail waits; try again"] * len(names))
        loop = asyncio.get_running_loop()
        results = {name: loop.create_future() for name in names}
        self._line += [(HandedOver(name, data), result) for name, result in results.items()]
        self._waiting += len(data)
        self._come.set()
        try:
            outcomes = dict(zip(results, await asyncio.gather(*results.values()), strict=True))
        finally:
            self._waiting -= len(data)
        return "\r\n".join(_reply(outcomes[name]) for name in names)

    async def handle_exception(self, error: Exception) -> str:
        """What aiosmtpd could not do is not the fault of the message."""
        log.error("%s: %s", type(error).__name__, error)
        return "451 4.3.0 internal error; try again"

    async def _deliver(self) -> None:
        """Deliver what waits, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._come.wait()
            now, self._line = self._line[:_AT_ONCE], self._line[_AT_ONCE:]
            if not now:
                self._come.clear()
                continue
            try:
                outcomes = await loop.run_in_executor(self._thread, self._deliverer.deliver, [one for one, _ in now])
            except Exception as error:
                log.exception("a delivery failed")
                outcomes = [Outcome(Status.LATER, type(error).__name__)] * len(now)
            _log_problems(outcomes)
            for (_, result), outcome in zip(now, outcomes, strict=True):
                if not result.done():
                    result.set_result(outcome)


def _reply(outcome: Outcome) -> str:
    text = _REPLIES[outcome.status]
    why = "".join(char if " " <= char <= "~" else "?" for char in outcome.reason)[:200]
    return f"{text} {why}" if why else text


def _log_problems(outcomes: Sequence[Outcome]) -> None:
    for reason in dict.fromkeys(one.reason for one in outcomes if one.status is not Status.DELIVERED):
        log.warning("not delivered: %s", reason)


class _Connection(LMTP):
    """One connection, with an answer for each recipient and lines as long as a message may be."""

    def __init__(self, lmtp: LmtpServer, data_size_limit: int) -> None:
        self.line_length_limit = data_size_limit
        self._lmtp = lmtp
        super().__init__(
            lmtp, data_size_limit=data_size_limit, enable_SMTPUTF8=True, hostname="localhost", ident="Weft",
            timeout=300, loop=asyncio.get_running_loop(),
        )  # fmt: skip

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as aiosmtpd has it
        """Begin, unless there are too many."""
        if self._lmtp.connected(transport):
            super().connection_made(transport)
        else:
            transport.write(b"421 4.3.2 too many connections\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        if self.transport is not None:
            self._lmtp.disconnected(self.transport)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:  # noqa: ANN401 - as aiosmtpd has it
        """Answer."""
        text = status.decode() if isinstance(status, bytes) else status
        if text.startswith(_WHOLE) and self.envelope is not None and len(self.envelope.rcpt_tos) > 1:
            text = "\r\n".join([text] * len(self.envelope.rcpt_tos))
        await super().push(text)
