"""What a server tells the service manager that started it (systemd, ``Type=notify``): sd_notify(3).

Where nobody asked to be told (``NOTIFY_SOCKET`` is not set), nothing is.  What was asked is taken out of the
environment, so that no other process of ours speaks for the server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping

log = logging.getLogger("weft.serve")


class ServiceManager:
    """Whoever started the server, if it listens."""

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        """``address``: of its socket; ``watchdog_seconds``: it wants a sign of life so often; 0: it does not."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_seconds = watchdog_seconds
        self._status = ""

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> ServiceManager:
        """As `systemd` says it, and nobody after us hears."""
        address = environment.pop("NOTIFY_SOCKET", "")
        period, process = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        ours = process in ("", str(os.getpid()))
        return cls(address, int(period) / 1e6 if ours and period.isdecimal() else 0.0)

    def ready(self, status: str) -> None:
        """The server listens, or goes by a policy again that was read anew."""
        self._send("READY=1", status)

    def status(self, text: str) -> None:
        """One line about how it is."""
        if text != self._status:
            self._send("", text)

    def reloading(self) -> None:
        """It reads its policy anew; `ready` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}", "")

    def stopping(self) -> None:
        """It ends when calls in flight are answered."""
        self._send("STOPPING=1", "stopping: calls in flight end first")

    async def watchdog(self, is_alive: Callable[[], bool]) -> None:
        """Give a sign of life as often as is wanted, as long as ``is_alive``; until cancelled."""
        if not (self._address and self._watchdog_seconds):
            return
        while True:
            if is_alive():
                self._send("WATCHDOG=1", "")
            await asyncio.sleep(self._watchdog_seconds / 3)

    def _send(self, line: str, status: str) -> None:
        self._status = status or self._status
        if not self._address:
            return
        lines = [line, f"STATUS={' '.join(status.split())}"] if status else [line]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto("\n".join(filter(None, lines)).encode("utf-8", "backslashreplace"), self._address)
            except OSError as error:
                log.debug("the service manager cannot be told: %s", error)
