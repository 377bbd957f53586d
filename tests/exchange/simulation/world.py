"""One world: who lives there, what happens to them, and the healing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from tests.exchange.simulation.coverage_checks import check_coverage
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.liars import LATER_KINDS, Liar, forged
from tests.exchange.simulation.links import Link, Weather, an_end
from tests.exchange.simulation.mail import bomb, forged_headers, some_mail
from tests.exchange.simulation.plans import MirrorPlan, Plan
from tests.exchange.simulation.schedule import Schedule
from tests.exchange.simulation.session_watch import check_acknowledged
from tests.exchange.simulation.shards import ShardedStore
from tests.exchange.simulation.violation import ViolationError
from tests.store.factories import Origin, mail
from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed, FeedSet
from weft.core.signing import sign_root
from weft.policy.rows import Origin as OriginRow
from weft.policy.rows import Peer
from weft.policy.rules import Policy
from weft.store.interface import VerifiedPart
from weft.testing import MemoryStore

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

    def __init__(
        self,
        seed: int,
        tell: Callable[[str], None] = lambda line: None,
        *,
        plan: Callable[[Random], Plan] = MirrorPlan,
        sharded: bool = False,
    ) -> None:
        """``sharded``: the first server's store is in two pieces."""
        self.seed = seed
        self.schedule = Schedule()
        self._tell = tell
        self._random = Random(seed)
        self._plan = plan(self._random)
        self._calm = True
        """Nobody lied, and no rights have changed."""
        self._signed: dict[bytes, set[bytes]] = defaultdict(set)
        self._batches: list[VerifiedPart] = []
        self._links: list[Link] = []
        self._sessions = 0
        self._weather = self._some_weather()
        stores = [ShardedStore if sharded else MemoryStore, *[MemoryStore] * 8]
        self.honest = [Host(f"server {n}", Origin(f"{n}"), new_store=stores[n]) for n in range(self._plan.count())]
        kinds = self._random.sample(self._plan.kinds, self._random.choice((0, 1, 2, 3)))
        self._later = later = Random(f"{seed} later")
        kinds += [kind for kind in LATER_KINDS if later.random() < 0.15]
        self._odd = later.random() < 0.2
        """Some claims are of a later version."""
        self.liars = [Host(kind, Origin(f"liar {kind}"), honest=False) for kind in kinds]
        self._pairs = self._plan.neighbours(self.honest)
        for host in [*self.honest, *self.liars]:
            host.policy = self._policy(host)

    def _some_weather(self) -> Weather:
        random = self._random
        lost, doubled = random.choice((0.0, 0.01, 0.05)), random.choice((0.0, 0.0, 0.02))
        return Weather(lost, doubled, random.choice((0.05, 1.0, 5.0)), random.choice((0.01, 0.5, 5.0)))

    def _policy(self, host: Host) -> Policy:
        """Random rights; liars admit all and let everybody read."""
        random = self._random
        everybody = [*self.honest, *self.liars]
        strict = host.honest and random.random() < self._plan.strict
        origins = {}
        for other in everybody:
            if other is host or (strict and random.random() < 0.25):
                continue
            lists = frozenset([random.choice(LISTS).encode()]) if strict and random.random() < 0.3 else None
            origins[other.origin.public] = OriginRow(random.choice((1, 2)), lists)
        if not host.honest:
            origins[Origin("stranger").public] = OriginRow(1, None)
        peers = {
            other.origin.public: self._believed(self._plan.row(host, other, lambda: self._feeds(strict)))
            for other in everybody
            if other is not host
        }
        return Policy(host.origin.public, origins, peers)

    def _believed(self, row: Peer) -> Peer:
        """Half of all are believed when they say that they carry a feed whole."""
        return replace(row, mirror_of=FeedSet(everything=True)) if self._later.random() < 0.5 else row

    def _feeds(self, strict: bool) -> FeedSet:
        if not strict or self._random.random() < 0.5:
            return FeedSet(everything=True)
        some = self._random.sample(self.honest, self._random.randint(0, len(self.honest)))
        return FeedSet(
            origins=frozenset(host.origin.public for host in some[1:]),
            feeds=frozenset(Feed(host.origin.public, LISTS[0].encode()) for host in some[:1]),
        )

    # Claims

    def sign(self, origin: Origin, name: str, claims: Iterable[Claim | Withdrawal]) -> VerifiedPart:
        """A batch that an origin really signs."""
        part = origin.batch(name, *claims)
        self._signed[origin.public].update(claim.identity for claim in part.claims)
        self._batches.append(part)
        return part

    def _ingest(self, host: Host, most: int = 12, least: int = 0) -> None:
        """``least``: so that this server holds as many claims."""
        if not host.up:
            return
        random = self._random
        count = max(random.randint(1, most), least - host.store.position())
        claims: list[Claim | Withdrawal] = list(self._plan.mail(host, count))
        name = random.choice(LISTS)
        if random.random() < 0.2:
            claims.append(host.origin.withdrawal(name, next(one for one in claims if isinstance(one, Claim))))
        if random.random() < 0.03:
            claims += self._plan.long_mail(host)
        for start in range(0, len(claims), 256):
            host.put(self.sign(host.origin, name, claims[start : start + 256]))
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
        for host in self.honest:
            liar.odd |= host.odd
        liar.put(self.sign(liar.origin, "git", some_mail(random, 4)))
        if liar.name == "plants refusals":
            self._plant(liar)
        if liar.name in ("claimed bomb", "ghost bomb", "bridges", "cuts trees"):
            self._lay(liar)
        if liar.name == "true witness":
            liar.put(self.sign(liar.origin, "git", forged_headers(random, 6)))
        if liar.name == "forged signature":
            victim = random.choice(self.honest).origin
            liar.put(forged(victim.batch("git", *some_mail(random, 3))))

    def _plant(self, liar: Host) -> None:
        """Sign a batch, for a feed of the liar's own, over the ids of claims that an honest server will make."""
        victim = self._later.choice(self.honest)
        claims = self._plan.mail(victim, 3)
        theirs = victim.origin.batch("git", *claims)
        own = liar.origin.public
        made = [claim._replace(parsed=claim.parsed._replace(origin=own, list=b"git")) for claim in theirs.claims]
        liar.put(VerifiedPart(sign_root(liar.origin.key, b"git", len(made), theirs.tree.root), theirs.tree, made))
        self.schedule.after(self._later.random() * DURATION / 2, partial(self._take_in, victim, claims))

    def _take_in(self, host: Host, claims: Sequence[Claim], odd: bool = False) -> None:
        if host.up:
            part = self.sign(host.origin, "git", claims)
            host.put(part)
            if odd:
                host.odd.update((claim.identity, claim.parsed) for claim in part.claims)
            self._tell(f"{host.name} sees {len(claims)} more mails")
            self._grew(host)

    def _take_in_odd(self, host: Host) -> None:
        """Claims that say what only a later version understands."""
        claims = [one._replace(references=one.references * 2) for one in self._plan.mail(host, 4) if one.references]
        if claims:
            self._take_in(host, claims, odd=True)

    def _lay(self, liar: Host) -> None:
        """Give a liar true claims that make others' threads grow."""
        random = self._random
        claims = [claim.parsed for part in self._batches for claim in part.claims if isinstance(claim.parsed, Claim)]
        about = [claim.message_id.decode() for claim in claims]
        ghosts = [name.decode() for claim in claims for name in claim.references]
        if liar.name == "bridges":
            pairs = [(random.choice(about), random.choice(ghosts or about)) for _ in range(10)]
            more = [mail(f"{random.randrange(1 << 30)}@bridge", *dict.fromkeys(pair)) for pair in pairs]
        elif liar.name == "cuts trees":
            more = [mail(name) for name in random.sample(sorted(set(about)), min(12, len(set(about))))]
        else:
            roots = about if liar.name == "claimed bomb" else ghosts or about
            more = bomb(random, random.choice(roots), 60)
        liar.put(self.sign(liar.origin, "git", more))

    # Sessions

    def _connect(self, one: Host, other: Host, live: bool) -> Link | None:
        if not (one.up and other.up) or any({one, other} == {end.host for end in link.ends} for link in self._living()):
            return None
        keys = [self._random.randbytes(32) for _ in range(2)]
        now, limits = self.schedule.now, self._plan.limits
        ends = (
            an_end(one, other, True, live, keys[0], now, limits),
            an_end(other, one, False, live, keys[1], now, limits),
        )
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
            self._calm = False
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
        if self._later.random() < 0.3:
            host.refused.clear()
        check_acknowledged(host)
        if backup and host.backups:
            host.restore(self._random.choice(host.backups), self._random.random() < 0.5)
            self._tell(f"{host.name} loses its disk and gets a backup")
        self.schedule.after(self._random.random() * 30, lambda: self._restart(host))
        self._tell(f"{host.name} crashes")

    def _relapse(self, host: Host) -> None:
        """Talk with all neighbours, then a backup from before, with as many other claims soon as were lost."""
        host.back_up()
        self._ingest(host)
        for pair in self._pairs:
            if host in pair:
                self._connect(*pair, live=False)
        self.schedule.after(60, lambda: self._fall_back(host))

    def _fall_back(self, host: Host) -> None:
        if not host.up:
            return
        self._cut_sessions(host)
        lost = host.store.position()
        host.restore(host.backups[-1], with_kept=False)
        self._tell(f"{host.name} falls back to a backup")
        self._ingest(host, least=lost)

    def _restart(self, host: Host) -> None:
        host.up = True
        check_acknowledged(host)
        self._tell(f"{host.name} is back")

    def _change_rights(self, host: Host) -> None:
        self._cut_sessions(host)
        host.policy = self._policy(host)
        self._calm = False
        self._tell(f"{host.name} changes its policy")

    def _trouble(self) -> None:
        """Plan what happens."""
        random, schedule = self._random, self.schedule

        def some(most: int, act: Callable[[Host], None]) -> None:
            for _ in range(random.randint(0, most)):
                host = random.choice(self.honest)
                schedule.at(random.random() * DURATION, partial(act, host))

        busy = random.random() < self._plan.busy
        for host in self.honest:
            for _ in range(4 if busy else 1):
                self._ingest(host, 60 if busy else random.choice((6, 30)))
        for liar in self.liars:
            schedule.at(random.random() * DURATION / 2, partial(self._feed_liar, liar))
        for _ in range(random.randint(4, 14) * (2 if busy else 1)):
            schedule.at(random.random() * DURATION, self._call_somebody)
        some(80 if busy else 10, partial(self._ingest, most=3 if busy else 12))
        if self._odd:
            for _ in range(3):
                odd = partial(self._take_in_odd, self._later.choice(self.honest))
                schedule.at(self._later.random() * DURATION, odd)
        some(2, self._crash)
        some(2, lambda host: host.back_up())
        some(1, lambda host: self._crash(host, backup=True))
        if self._plan.relapses:
            some(self._plan.relapses, self._relapse)
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
            host.covered.clear()
            check_acknowledged(host)
        for _ in range(4 * len(self.honest)):
            before = [host.store.position() for host in self.honest]
            for one, other in self._pairs:
                link = self._connect(one, other, live=False)
                self.schedule.run()
                if link is not None and link.alive:
                    raise ViolationError(f"the session of {one.name} and {other.name} does not end")
            if before == [host.store.position() for host in self.honest]:
                return
        raise ViolationError("neighbours meet and meet, and there is always more")

    def run(self) -> Story:
        """All of it; `ViolationError` if something does not hold."""
        self._trouble()
        self.schedule.run(DURATION + 60)
        self._heal()
        for host in self.honest:
            check_coverage(host, [other for other in self.honest if other is not host])
        self._plan.check(self.honest, self._pairs, self._signed, self._calm)
        claims = max(host.store.position() for host in self.honest)
        return Story(self.seed, self.schedule.steps, self._sessions, claims, tuple(liar.name for liar in self.liars))
