"""How much one client may have of a server: calls, streams, and seconds of work, whatever others have.

Theory of operation
-------------------
A client is whoever `weft.tls.client_address` takes for one, or the origin of a certificate.  It has two token buckets,
one of calls and one of seconds in which a thread worked for it; the second is charged afterwards, with what it really
cost, so one call may take it below zero, and the next one waits until it is above.  A call that comes too early is
refused, with the time after which it is not; a stream that goes on waits instead.  Besides, a client has only so many
calls and streams in flight.

There is no input or output and no clock here.  `MOST_CLIENTS` are remembered; then the one that has been silent longest
is forgotten, and has full buckets when it comes again.  Who has calls in flight is never forgotten.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from weft.errors import OverloadedError

MOST_CLIENTS = 16_384
"""Clients that are remembered, beside those with calls in flight."""
CALLS = "calls"
"""The kind of a call with one response; other kinds are streams, each with a limit of its own."""


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What one client may have."""

    calls_at_once: int = 1000
    """Calls after a pause, and then"""
    calls_per_second: float = 200.0
    work_at_once: float = 20.0
    """Seconds of a thread's work after a pause, and then"""
    work_per_second: float = 0.5
    """The share of a processor that one client has for as long as it likes."""
    calls_in_flight: int = 64
    streams_in_flight: int = 32
    """Of each kind that is not named in ``streams``."""
    streams: Mapping[str, int] = field(default_factory=dict)

    def in_flight(self, kind: str) -> int:
        """The calls of a kind that may be in flight."""
        return self.calls_in_flight if kind == CALLS else self.streams.get(kind, self.streams_in_flight)


@dataclass(slots=True)
class _Account:
    """What a client has left, at some time."""

    calls: float
    work: float
    since: float
    open: Counter[str] = field(default_factory=Counter)


class ClientLedger:
    """The accounts of all clients.  ``now`` is always in seconds of a clock that never goes back."""

    def __init__(self, limits: ClientLimits, most: int = MOST_CLIENTS) -> None:
        self.limits = limits
        self._most = most
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        """The one that was silent longest is first."""

    def __len__(self) -> int:
        return len(self._accounts)

    def begin(self, client: str, kind: str, now: float) -> None:
        """A call begins; `OverloadedError` says which limit it passes, and after how many seconds it would not."""
        account, limits = self._current(client, now), self.limits
        most = limits.in_flight(kind)
        if account.open[kind] >= most:
            raise OverloadedError(f"{kind}: you have {most} in flight already; wait until some have ended", 1.0)
        if account.calls < 1:
            often = f"{limits.calls_at_once} at once, then {limits.calls_per_second:g} a second"
            raise OverloadedError(f"calls: {often}", (1 - account.calls) / limits.calls_per_second)
        wait = self._wait(account)
        if wait:
            share = f"{limits.work_at_once:g} seconds at once, then {limits.work_per_second:g} a second"
            raise OverloadedError(f"work: what you asked for has taken more than {share}", wait)
        account.calls -= 1
        account.open[kind] += 1

    def end(self, client: str, kind: str) -> None:
        """It has ended."""
        account = self._accounts[client]
        account.open[kind] -= 1
        if not account.open[kind]:
            del account.open[kind]

    def charge(self, client: str, seconds: float, now: float) -> None:
        """A thread has worked for a client."""
        self._current(client, now).work -= seconds

    def pause(self, client: str, now: float) -> float:
        """For how many seconds a stream should wait before more is done for it."""
        return self._wait(self._current(client, now))

    def _wait(self, account: _Account) -> float:
        return max(0.0, -account.work / self.limits.work_per_second)

    def _current(self, client: str, now: float) -> _Account:
        account, limits = self._accounts.get(client), self.limits
        if account is None:
            account = self._accounts[client] = _Account(limits.calls_at_once, limits.work_at_once, now)
            self._forget()
            return account
        passed = now - account.since
        account.calls = min(limits.calls_at_once, account.calls + passed * limits.calls_per_second)
        account.work = min(limits.work_at_once, account.work + passed * limits.work_per_second)
        account.since = now
        self._accounts.move_to_end(client)
        return account

    def _forget(self) -> None:
        """Let go of those that were silent longest; who has calls in flight is looked at again later."""
        for _ in range(len(self._accounts)):
            if len(self._accounts) <= self._most:
                return
            client, account = self._accounts.popitem(last=False)
            if account.open:
                self._accounts[client] = account
