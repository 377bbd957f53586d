"""One world: who lives there, what happens to them, and the healing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from tests.exchange.simulation.checks import check_world
from tests.exchange.simulation.failing import ViolationError
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.liars import KINDS, Liar, forged
from tests.exchange.simulation.links import Link, Weather, an_end
from tests.exchange.simulation.schedule import Schedule
from tests.exchange.simulation.talk import deep_chain, forged_headers, some_mail
from tests.exchange.simulation.watch import check_acknowledged
from tests.store.making import Origin
from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed, FeedSet
from weft.core.policy import Policy
from weft.core.policy_rows import Origin as OriginRow
from weft.core.policy_rows import Peer
from weft.store.base import Part

LISTS = ("git", "dev")
DURATION = 300.0
"""Virtual seconds of trouble."""


@dataclass(frozen=True, slots=True)
class Story:
    """What happened, for people."""

    seed: int
    steps: int
    sessions: int
    claims: int
    liars: tuple[str, ...]


class World:
    """Made from a seed, and nothing else."""

    def __init__(self, seed: int, tell: Callable[[str], None] = lambda line: None) -> None:
        self.seed = seed
        self.schedule = Schedule()
        self._tell = tell
        self._random = Random(seed)
        self._signed: dict[bytes, set[bytes]] = defaultdict(set)
        self._batches: list[Part] = []
        self._links: list[Link] = []
        self._sessions = 0
        self._weather = self._some_weather()
        self.honest = [Host(f"server {n}", Origin(f"{n}")) for n in range(self._random.randint(2, 4))]
        kinds = self._random.sample(KINDS, self._random.choice((0, 1, 2, 3)))
        self.liars = [Host(kind, Origin(f"liar {kind}"), honest=False) for kind in kinds]
        self._pairs = self._neighbours()
        for host in [*self.honest, *self.liars]:
            host.policy = self._policy(host)

    def _some_weather(self) -> Weather:
        random = self._random
        lost, doubled = random.choice((0.0, 0.01, 0.05)), random.choice((0.0, 0.0, 0.02))
        return Weather(lost, doubled, random.choice((0.05, 1.0, 5.0)), random.choice((0.01, 0.5, 5.0)))

    def _neighbours(self) -> list[tuple[Host, Host]]:
        """A tree over the honest servers, and some more pairs."""
        random = self._random
        pairs = [(self.honest[random.randrange(at)], self.honest[at]) for at in range(1, len(self.honest))]
        for _ in range(len(self.honest) - 2):
            one, other = random.sample(self.honest, 2)
            if (one, other) not in pairs and (other, one) not in pairs:
                pairs.append((one, other))
        return pairs

    def _policy(self, host: Host) -> Policy:
        """Random rights; liars admit all and let everybody read."""
        random = self._random
        everybody = [*self.honest, *self.liars]
        strict = host.honest and random.random() < 0.3
        origins = {}
        for other in everybody:
            if other is host or (strict and random.random() < 0.25):
                continue
            lists = frozenset([random.choice(LISTS).encode()]) if strict and random.random() < 0.3 else None
            origins[other.origin.public] = OriginRow(random.choice((1, 2)), lists)
        if not host.honest:
            origins[Origin("stranger").public] = OriginRow(1, None)
        peers = {other.origin.public: self._row(strict) for other in everybody if other is not host}
        return Policy(host.origin.public, origins, peers)

    def _row(self, strict: bool) -> Peer:
        return Peer(mode="mirror", may_feed=self._feeds(strict), may_read=self._feeds(strict))

    def _feeds(self, strict: bool) -> FeedSet:
        if not strict or self._random.random() < 0.5:
            return FeedSet(everything=True)
        some = self._random.sample(self.honest, self._random.randint(0, len(self.honest)))
        return FeedSet(
            origins=frozenset(host.origin.public for host in some[1:]),
            feeds=frozenset(Feed(host.origin.public, LISTS[0].encode()) for host in some[:1]),
        )

    # Claims

    def sign(self, origin: Origin, name: str, claims: Iterable[Claim | Withdrawal]) -> Part:
        """A batch that an origin really signs."""
        part = origin.batch(name, *claims)
        self._signed[origin.public].update(claim.identity for claim in part.claims)
        self._batches.append(part)
        return part

    def _ingest(self, host: Host, most: int = 12) -> None:
        if not host.up:
            return
        random = self._random
        claims: list[Claim | Withdrawal] = list(some_mail(random, random.randint(1, most)))
        name = random.choice(LISTS)
        if random.random() < 0.2:
            claims.append(host.origin.withdrawal(name, next(one for one in claims if isinstance(one, Claim))))
        if random.random() < 0.03:
            claims += deep_chain(random)
        host.put(self.sign(host.origin, name, claims))
        self._tell(f"{host.name} sees {len(claims)} mails on {name}")
        self._grew(host)

    def _grew(self, host: Host) -> None:
        for link in self._links:
            link.grew(host)

    def _feed_liar(self, liar: Host) -> None:
        """Give a liar what it lies about."""
        random = self._random
        for part in self._batches:
            liar.put(part)
        liar.put(self.sign(liar.origin, "git", some_mail(random, 4)))
        if liar.name == "true witness":
            liar.put(self.sign(liar.origin, "git", forged_headers(random, 6)))
        if liar.name == "forged signature":
            victim = random.choice(self.honest).origin
            liar.put(forged(victim.batch("git", *some_mail(random, 3))))

    # Sessions

    def _connect(self, one: Host, other: Host, live: bool) -> Link | None:
        if not (one.up and other.up) or any({one, other} == {end.host for end in link.ends} for link in self._living()):
            return None
        keys = [self._random.randbytes(32) for _ in range(2)]
        now = self.schedule.now
        ends = (an_end(one, other, True, live, keys[0], now), an_end(other, one, False, live, keys[1], now))
        link = Link(self.schedule, self._random, self._weather, ends)
        link.on_growth = self._grew  # type: ignore[method-assign]
        for end in ends:
            end.watch.signed = self._signed
            if not end.host.honest:
                Liar(end.host.name, self._random, end.host, self._batches).join(end)
        self._links.append(link)
        self._sessions += 1
        self._tell(f"{one.name} calls {other.name}")
        link.start()
        return link

    def _living(self) -> list[Link]:
        self._links = [link for link in self._links if link.alive]
        return self._links

    def _call_somebody(self) -> None:
        random = self._random
        if self.liars and random.random() < 0.4:
            liar, host = random.choice(self.liars), random.choice(self.honest)
            if liar.name == "two stories":
                liar.store = type(liar.store)()
                liar.put(self.sign(liar.origin, "git", some_mail(random, 3)))
            pair = (liar, host) if random.random() < 0.5 else (host, liar)
        else:
            pair = random.choice(self._pairs)
            pair = pair if random.random() < 0.5 else (pair[1], pair[0])
        self._connect(*pair, live=random.random() < 0.5)

    # Trouble

    def _cut_sessions(self, host: Host) -> None:
        for link in self._living():
            if host in (end.host for end in link.ends):
                link.cut()

    def _crash(self, host: Host, backup: bool = False) -> None:
        if not host.up:
            return
        self._cut_sessions(host)
        host.up = False
        check_acknowledged(host)
        if backup and host.backups:
            host.restore(self._random.choice(host.backups), self._random.random() < 0.5)
            self._tell(f"{host.name} loses its disk and gets a backup")
        self.schedule.after(self._random.random() * 30, lambda: self._restart(host))
        self._tell(f"{host.name} crashes")

    def _restart(self, host: Host) -> None:
        host.up = True
        check_acknowledged(host)
        self._tell(f"{host.name} is back")

    def _change_rights(self, host: Host) -> None:
        self._cut_sessions(host)
        host.policy = self._policy(host)
        self._tell(f"{host.name} changes its policy")

    def _trouble(self) -> None:
        """Plan what happens."""
        random, schedule = self._random, self.schedule

        def some(most: int, act: Callable[[Host], None]) -> None:
            for _ in range(random.randint(0, most)):
                host = random.choice(self.honest)
                schedule.at(random.random() * DURATION, partial(act, host))

        busy = random.random() < 0.15
        for host in self.honest:
            for _ in range(4 if busy else 1):
                self._ingest(host, 60 if busy else random.choice((6, 30)))
        for liar in self.liars:
            schedule.at(random.random() * DURATION / 2, partial(self._feed_liar, liar))
        for _ in range(random.randint(4, 14) * (2 if busy else 1)):
            schedule.at(random.random() * DURATION, self._call_somebody)
        some(80 if busy else 10, partial(self._ingest, most=3 if busy else 12))
        some(2, self._crash)
        some(2, lambda host: host.back_up())
        some(1, lambda host: self._crash(host, backup=True))
        if random.random() < 0.3:
            some(1, self._change_rights)
        some(2, self._cut_sessions)

    def _heal(self) -> None:
        """No more trouble: all are there, liars are gone, and neighbours talk one after the other."""
        self._tell("all is healed")
        for old in self._living():
            old.cut()
        self._weather = replace(self._weather, lost=0.0, doubled=0.0, delay=0.5, store=0.1)
        for host in self.honest:
            host.up = True
            check_acknowledged(host)
        for _ in range(len(self.honest)):
            before = [host.store.position() for host in self.honest]
            for one, other in self._pairs:
                link = self._connect(one, other, live=False)
                self.schedule.run()
                if link is not None and link.alive:
                    raise ViolationError(f"the session of {one.name} and {other.name} does not end")
            if before == [host.store.position() for host in self.honest]:
                return

    def run(self) -> Story:
        """All of it; `ViolationError` if something does not hold."""
        self._trouble()
        self.schedule.run(DURATION + 60)
        self._heal()
        check_world(self.honest, self._pairs, self._signed)
        claims = max(host.store.position() for host in self.honest)
        return Story(self.seed, self.schedule.steps, self._sessions, claims, tuple(liar.name for liar in self.liars))
