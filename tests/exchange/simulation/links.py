"""Sessions between two servers of a world, and the network between them.

Frames of one direction arrive in order, each after a time of its own, as on a stream; a lost frame is a lost session.
A store takes time too: a commit is on disk some time after it was asked for, and its answer comes later still, so that
a server can crash before, between and after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from tests.exchange.simulation.delivery_checks import check_delivered
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.schedule import Schedule
from tests.exchange.simulation.session_watch import Watch
from tests.exchange.simulation.violation import ViolationError
from weft.exchange.configuration import Configuration
from weft.exchange.events import (
    Ask,
    CommitParts,
    CoverageGained,
    Delivered,
    Ended,
    KeepState,
    Output,
    Refusal,
    Request,
    Send,
)
from weft.exchange.limits import Limits
from weft.exchange.session import Session

LIMITS = Limits(
    frame_octets=1 << 16, frame_ids=16, open_offers=2, open_claims=2, open_wants=32, offered_ids=20_000,
    session_octets=1 << 23, idle_seconds=60, sync_seconds=900, least_rate=0.2, kept_symbols=32,
)  # fmt: skip
TICK = 20.0


@dataclass(slots=True)
class Weather:
    """How bad the network is: chances a frame, and how long things take at most."""

    lost: float = 0.0
    doubled: float = 0.0
    delay: float = 1.0
    store: float = 0.5


@dataclass(slots=True, eq=False)
class End:
    """One side of a session."""

    host: Host
    session: Session
    watch: Watch
    twist: Callable[[bytes], list[bytes]] | None = None
    """What a liar does to its frames."""
    arrives: float = 0.0
    """When its newest frame arrives at the other side."""
    broken: bool = False
    """A frame of its was lost, and with it all that follow."""
    ended: Ended | None = None


class Link:
    """A session between two servers."""

    def __init__(self, schedule: Schedule, random: Random, weather: Weather, ends: tuple[End, End]) -> None:
        self._schedule, self._random, self._weather = schedule, random, weather
        self.ends = ends
        self.alive = True
        self.disturbed = False
        """Something but the two sides themselves had a hand in it."""

    @property
    def honest(self) -> bool:
        """Both sides are."""
        return all(end.host.honest for end in self.ends)

    def start(self) -> None:
        """Begin."""
        for end in self.ends:
            self.do(end, end.session.start())
        self._schedule.after(TICK, self._tick)

    def do(self, end: End, outputs: list[Output]) -> None:
        """What a session asks for."""
        for output in outputs:
            match output:
                case Send(data):
                    for frame in end.twist(data) if end.twist else [data]:
                        end.watch.sends(frame)
                        self._deliver(end, frame)
                case Ask(number, request):
                    end.watch.asks(request)
                    self._ask(end, number, request)
                case Refusal(identity, _, feed):
                    end.host.refused[self.other(end).host.origin.public][identity[:16]] = feed
                case CoverageGained(_, asked, cut) as covered:
                    peer = self.other(end).host.origin.public
                    end.host.covered[peer] = covered
                    if asked is not None:
                        end.host.cut[peer] = frozenset(cut)
                case Delivered() as delivered:
                    if not end.watch.doubled:
                        check_delivered(end.host, self.other(end).host, end.session.agreement, delivered)
                case Ended() as ended:
                    self._ended(end, ended)

    def _deliver(self, end: End, frame: bytes) -> None:
        random, weather = self._random, self._weather
        if end.broken:
            return
        if random.random() < weather.lost:
            self.disturbed = end.broken = True
            self._schedule.after(random.random(), self.cut)
            return
        end.arrives = max(end.arrives, self._schedule.now + random.random() * weather.delay)
        copies = 1
        if random.random() < weather.doubled:
            self.disturbed = True
            for one in self.ends:
                one.watch.doubled = True
            copies = 2
        for _ in range(copies):
            self._schedule.at(end.arrives, lambda: self._receive(end, frame))

    def _receive(self, sender: End, frame: bytes) -> None:
        receiver = self.other(sender)
        if self.alive and receiver.ended is None:
            receiver.watch.receives(frame, receiver.session)
            self.do(receiver, receiver.session.receive(frame))

    def _ask(self, end: End, number: int, request: Request) -> None:
        delay, again = (self._random.random() * self._weather.store for _ in range(2))
        self._schedule.after(delay, lambda: self._look_up(end, number, request, again))

    def _look_up(self, end: End, number: int, request: Request, delay: float) -> None:
        if not self.alive:
            return
        peer = self.other(end).host.origin.public
        if isinstance(request, KeepState):
            end.host.kept[peer] = request.data
        before = end.host.store.position()
        answer = end.host.backend().answer(request)
        end.watch.answered(request, answer)
        if isinstance(request, CommitParts) and end.host.store.position() > before:
            self.on_growth(end.host)
        self._schedule.after(delay, lambda: self._answer(end, lambda: end.session.answer(number, answer)))

    def on_growth(self, host: Host) -> None:
        """Its store has grown; the world tells all its sessions."""

    def _answer(self, end: End, act: Callable[[], list[Output]]) -> None:
        if self.alive and end.ended is None:
            self.do(end, act())

    def grew(self, host: Host) -> None:
        """The store of one side has grown."""
        for end in self.ends:
            if end.host is host and end.ended is None and self.alive:
                self.do(end, end.session.grew())

    def _tick(self) -> None:
        if not self.alive:
            return
        for end in self.ends:
            if end.ended is None:
                self.do(end, end.session.tick(self._schedule.now))
        self._schedule.after(TICK, self._tick)

    def _ended(self, end: End, ended: Ended) -> None:
        end.ended = ended
        end.watch.ended(ended.report)
        if self.honest and not self.disturbed and ended.error is not None and end.host.honest:
            raise ViolationError(f"{end.host.name} and its honest peer fell out: {ended.error}")
        if all(one.ended for one in self.ends):
            self.alive = False
        else:
            other = self.other(end)
            when = max(end.arrives, self._schedule.now) + 0.001
            self._schedule.at(when, lambda: self._answer(other, other.session.cut))

    def cut(self) -> None:
        """The stream is gone, for both."""
        if not self.alive:
            return
        self.disturbed = True
        for end in self.ends:
            if end.ended is None:
                self.do(end, end.session.cut())
        self.alive = False

    def other(self, end: End) -> End:
        """The opposite side."""
        return self.ends[1] if end is self.ends[0] else self.ends[0]


def an_end(host: Host, peer: Host, caller: bool, live: bool, key: bytes, now: float, limits: Limits) -> End:
    """A side of a new session."""
    setup = Configuration(
        host.policy, peer.origin.public, caller, key, host.kept.get(peer.origin.public, b""), live=live,
        limits=limits, refused=host.refused[peer.origin.public], carries=host.carried(),
    )  # fmt: skip
    if not host.honest:
        setup = replace(setup, refused={})
    session = Session(setup, now)
    return End(host, session, Watch(host, peer, session))
