"""Deadlines: when a silent or slow peer has used up its time.

The time is what the shell says it is, in seconds from any start; it never goes back.
"""

from __future__ import annotations

from weft.errors import RemoteProtocolError
from weft.exchange.limits import Limits


class Timeouts:
    """Watches how long we wait for the peer."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._started = self._waits_since = now
        self._bytes = 0

    def heard(self, data: int) -> None:
        """So many bytes came."""
        self._bytes += data

    def rest(self, now: float) -> None:
        """There was a moment in which we did not wait for the peer."""
        self._waits_since, self._bytes = now, 0

    def check(self, now: float, synced: bool) -> None:
        """`RemoteProtocolError` if the peer is too slow; called when we wait for it."""
        limits = self._limits
        if not synced and now - self._started > limits.sync_seconds:
            raise RemoteProtocolError("time: both should be done by now", "sync_seconds")
        waited = now - self._waits_since
        if waited >= limits.idle_seconds:
            if not self._bytes:
                raise RemoteProtocolError("time: the peer owes something and is silent", "idle_seconds")
            if self._bytes < limits.least_rate * waited:
                raise RemoteProtocolError("time: the peer sends too slowly", "least_rate")
            self.rest(now)
