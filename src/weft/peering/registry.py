"""The sessions of one server: who is told what, and what is remembered of those that are over.

Theory of operation
-------------------
A session that puts claims into the index, or another process that does, is news for all other sessions.  So the log is
looked at once a second, and at once after each commit of our own, and every session is told when it has grown.

Two servers that call each other need only one live session, as it goes both ways, whoever called.  So nobody calls a
peer whose own session is live here (`SessionRegistry.alone`).  If both have called at the same time, the server with
the greater key ends the session that it has called itself, when both are in sync: one of the two stays.  Sessions that
are not live (``weft sync``) do not count, nor is anybody refused: each session ends at most one other, so this comes to
an end.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from weft._text import count
from weft.core.signing import short_fingerprint
from weft.errors import (
    ChangedPolicyError,
    DeniedError,
    LostPeerError,
    OverloadedError,
    RemoteProtocolError,
    StoppingError,
    StoreError,
    UnreachableError,
    WeftError,
)
from weft.exchange.events import SessionReport
from weft.peering.arrival_log import ArrivalLog
from weft.peering.driver import SessionDriver, printable
from weft.peering.index_backend import BackendThreads, IndexBackend
from weft.policy.feed_ranges import admitted, served
from weft.policy.rules import Policy

LOOK_SECONDS = 1.0
"""Between two looks at the log."""
_GRACE = (1.0, 3.0)
"""Seconds in which a peer may begin its session anew, before we call it instead."""

Role = Literal["caller", "answerer"]
Outcome = Literal["well", "policy", "peer", "store", "denied", "refused", "unreachable", "lost", "stopped", "failed"]

_OUTCOMES: tuple[tuple[type[BaseException] | type[None], Outcome], ...] = (
    (type(None), "well"),
    (RemoteProtocolError, "peer"),
    (StoreError, "store"),
    (DeniedError, "denied"),
    (OverloadedError, "refused"),
    (LostPeerError, "lost"),
    (UnreachableError, "unreachable"),
    (StoppingError, "stopped"),
    (asyncio.CancelledError, "stopped"),
)

log = logging.getLogger("weft.exchange")


class SessionMeter(Protocol):
    """Counts sessions.  ``peer`` is a name of our own for it."""

    def began(self, peer: str, role: Role) -> None:
        """A session began."""

    def moved(self, peer: str, before: SessionReport, after: SessionReport) -> None:
        """It did so much."""

    def ended(self, peer: str, role: Role) -> None:
        """It is over."""

    def came_to(self, peer: str, role: Role, outcome: Outcome) -> None:
        """What came of it, or of the call that did not become one."""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """How we stand with a peer, for whoever watches this server."""

    peer: str
    """Our name for it, or the beginning of its fingerprint."""
    seconds: float
    """Since both were last in sync; infinite if they never were."""
    lag: int | None
    """Claims that came into our log since then and were not offered to it, if they are for it at all."""
    key_age: float | None
    """Seconds since the key of the pair was new."""


class SessionRegistry:
    """The sessions that run, an `weft.peering.driver.SessionObserver` of each."""

    def __init__(self, policy: Policy, meter: SessionMeter | None = None) -> None:
        self._policy = policy
        self._before: dict[bytes, str] = {}
        """The names of those who were peers, for what is left to tell of them."""
        self._meter = meter
        self._running: dict[SessionDriver, SessionReport] = {}
        self._arrivals: dict[SessionDriver, ArrivalLog] = {}
        """Of those that are live."""
        self._news = asyncio.Event()
        self._end = 0
        self._synced: dict[bytes, float] = {}
        self._covered: dict[bytes, int] = {}
        self._born: Mapping[bytes, float] = {}

    @contextmanager
    def running(self, driver: SessionDriver) -> Iterator[None]:
        """A session runs as long as this does."""
        name, role = self.name(driver.peer), _role(driver)
        self._running[driver] = SessionReport()
        if self._meter:
            self._meter.began(name, role)
        try:
            yield
        finally:
            self.moved(driver)
            self._tell(driver, last=True)
            del self._running[driver]
            self._arrivals.pop(driver, None)
            if self._meter:
                self._meter.ended(name, role)
            self.wake()

    def moved(self, driver: SessionDriver) -> None:
        """See `SessionObserver`."""
        if driver.report is not None and driver in self._running:
            now = replace(driver.report, refused=dict(driver.report.refused))
            if self._meter:
                self._meter.moved(self.name(driver.peer), self._running[driver], now)
            self._running[driver] = now
        if driver.covered is not None and driver.synced is not None:
            self._covered[driver.peer] = max(self._covered.get(driver.peer, 0), driver.covered)

    def committed(self) -> None:
        """See `SessionObserver`."""
        for driver in self._running:
            driver.grew()

    def synced(self, driver: SessionDriver) -> None:
        """See `SessionObserver`; of two live sessions with a peer one ends."""
        self._synced[driver.peer] = time.monotonic()
        log.info("in sync with %s", self.name(driver.peer), extra={"fields": self.fields(driver)})
        if driver.live and driver in self._running:
            self._arrivals[driver] = ArrivalLog((driver.report or SessionReport()).claims_received)
        rivals = [other for other in self._live(driver.peer) if other.caller is not driver.caller]
        if rivals and (self._policy.own or b"") > driver.peer:
            for spare in [one for one in (driver, *rivals) if one.caller]:
                spare.close()

    def over(self, driver: SessionDriver, error: Exception | None) -> None:
        """A session is over, or a call became none; one line in the log."""
        outcome = self.count(driver.peer, _role(driver), error)
        fields = {**self.fields(driver), "outcome": outcome}
        report, name = driver.report or SessionReport(), self.name(driver.peer)
        if error is None:
            text = f"exchanged with {name}: {report.claims_received} claims in, {report.claims_sent} out"
            log.info(text, extra={"fields": fields})
            return
        reason = printable(error.advised if isinstance(error, WeftError) else str(error))
        defect = None if isinstance(error, WeftError) else error
        text = f"the exchange with {name} ended: {reason}"
        ours = isinstance(error, ChangedPolicyError)
        level = logging.ERROR if defect else logging.INFO if ours else logging.WARNING
        log.log(level, text, exc_info=defect, extra={"fields": {**fields, "reason": reason}})

    def count(self, peer: bytes | None, role: Role, error: BaseException | None) -> Outcome:
        """What came of a call; None: of somebody who is no peer."""
        outcome = _outcome(error)
        if self._meter:
            self._meter.came_to("unknown" if peer is None else self.name(peer), role, outcome)
        return outcome

    def name(self, peer: bytes) -> str:
        """Our own name for a peer, or the beginning of its fingerprint; strangers have none."""
        row = self._policy.peers.get(peer)
        return self._before.get(peer, "unknown") if row is None else row.name or short_fingerprint(peer)

    def fields(self, driver: SessionDriver) -> dict[str, object]:
        """What the log says of a session, for programs."""
        report = driver.report or SessionReport()
        return {
            "peer": short_fingerprint(driver.peer),
            "name": self.name(driver.peer),
            "role": _role(driver),
            "live": driver.live,
            "octets_in": report.bytes_received,
            "octets_out": report.bytes_sent,
            "claims_in": report.claims_received,
            "claims_out": report.claims_sent,
            "refused": sum(report.refused.values()),
        }

    def standings(self) -> list[PeerStatus]:
        """How we stand with each peer; from any thread."""
        now, clock, policy = time.monotonic(), time.time(), self._policy
        synced, covered, born = dict(self._synced), dict(self._covered), self._born
        return [
            PeerStatus(
                row.name or short_fingerprint(peer),
                now - synced[peer] if peer in synced else float("inf"),
                max(0, self._end - covered[peer]) if peer in covered else None,
                clock - born[peer] if peer in born else None,
            )
            for peer, row in policy.peers.items()
        ]

    async def look(self, backend_threads: BackendThreads) -> None:
        """Look at the log now and then, and tell all sessions when it has grown; until cancelled."""
        while True:
            try:
                end, born = await backend_threads.run(_looked)
            except Exception as error:  # the index cannot be read; it may be later
                log.warning("the log cannot be looked at: %s", error)
            else:
                self._born = born
                if end != self._end:
                    self._end = end
                    self.committed()
                self._still_synced()
            for driver in self._running:
                self._tell(driver)
            await asyncio.sleep(LOOK_SECONDS)

    def _still_synced(self) -> None:
        """Peers of live sessions that were offered all of our log are in sync now."""
        for driver in self._running:
            if driver.live and driver.covered is not None and driver.covered >= self._end:
                self._synced[driver.peer] = time.monotonic()

    def _tell(self, driver: SessionDriver, *, last: bool = False) -> None:
        """Claims came in while it was live; one line in the log now and then."""
        arrivals, report = self._arrivals.get(driver), driver.report
        if arrivals is not None and report is not None:
            more = arrivals.look(report.claims_received, time.monotonic(), last=last)
            if more:
                text = f"{count(more, 'claim')} in from {self.name(driver.peer)}"
                log.info(text, extra={"fields": self.fields(driver)})

    async def alone(self, peer: bytes) -> None:
        """Until no session that the peer has called is live."""
        while self._called_by(peer):
            await self.news()
            if not self._called_by(peer):
                await asyncio.sleep(random.uniform(*_GRACE))  # noqa: S311 - no secret

    async def news(self) -> None:
        """Until a session ends, or the policy is another one."""
        await self._news.wait()

    def wake(self) -> None:
        """Who waits shall look again."""
        self._news.set()
        self._news = asyncio.Event()

    def use(self, policy: Policy) -> None:
        """Cut the sessions of peers whose rights are others under a policy."""
        self._before.update((peer, self.name(peer)) for peer in self._policy.peers)
        self._policy = policy
        for driver in self._running:
            if _rights(driver.policy, driver.peer) != _rights(policy, driver.peer):
                driver.forbid(ChangedPolicyError("the policy changed"))
        self.wake()

    async def stop(self, seconds: float) -> None:
        """End what is live at once, and the others after half of the time; what then still runs is the caller's."""
        for driver in [driver for driver in self._running if driver.synced is not None]:
            driver.stop()
        await self._drain(seconds / 2)
        for driver in list(self._running):
            driver.stop()
        await self._drain(seconds / 2)

    async def _drain(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    await self.news()
        except TimeoutError:
            pass

    def calling(self) -> list[SessionDriver]:
        """The sessions that we called, or are about to."""
        return [driver for driver in self._running if driver.caller]

    def _live(self, peer: bytes) -> list[SessionDriver]:
        return [driver for driver in self._running if driver.peer == peer and driver.live]

    def _called_by(self, peer: bytes) -> bool:
        return any(not driver.caller for driver in self._live(peer))


def _looked(backend: IndexBackend) -> tuple[int, dict[bytes, float]]:
    return backend.position(), dict(backend.born)


def _rights(policy: Policy, peer: bytes) -> object:
    """What a session with a peer depends on."""
    row = policy.peers.get(peer)
    return row and (replace(row, name=""), served(policy, peer), admitted(policy, peer))


def _role(driver: SessionDriver) -> Role:
    return "caller" if driver.caller else "answerer"


def _outcome(error: BaseException | None) -> Outcome:
    if isinstance(error, ChangedPolicyError):
        return "policy"
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), "failed")
