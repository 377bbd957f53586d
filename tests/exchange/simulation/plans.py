"""What a world is to be like: who knows whom, who may do what, what is written, and what must hold in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from random import Random
from typing import Protocol

from tests.exchange.simulation.checks import check_world
from tests.exchange.simulation.hosts import Host
from tests.exchange.simulation.liars import KINDS
from tests.exchange.simulation.links import LIMITS
from tests.exchange.simulation.mail import deep_chain, long_conversation, some_mail, threads_mail
from tests.exchange.simulation.threads_checks import check_digests, check_taken, check_threads
from tests.exchange.simulation.threads_liars import THREADS_KINDS
from weft.core.claim import Claim
from weft.core.feed import FeedSet
from weft.exchange.limits import Limits
from weft.policy.rows import Mode, Peer

Pairs = list[tuple[Host, Host]]
Signed = dict[bytes, set[bytes]]

EVERYTHING = FeedSet(everything=True)


class Plan(Protocol):
    """A plan of a world."""

    limits: Limits
    kinds: Sequence[str]
    """Of liars."""
    strict: float
    """The chance that a server restricts rights."""
    busy: float
    """The chance that very much is written."""
    relapses: int
    """How often a store becomes another one of the same length, at most."""

    def count(self) -> int:
        """How many honest servers there are."""

    def neighbours(self, hosts: Sequence[Host]) -> Pairs:
        """Who calls whom."""

    def row(self, host: Host, peer: Host, feeds: Callable[[], FeedSet]) -> Peer:
        """What a server lets another one do; ``feeds`` draws some."""

    def mail(self, host: Host, count: int) -> list[Claim]:
        """What a server sees."""

    def long_mail(self, host: Host) -> list[Claim]:
        """Mail that is a long way to go."""

    def check(self, hosts: Sequence[Host], pairs: Pairs, signed: Signed, calm: bool) -> None:
        """`ViolationError` if something does not hold in the healed world; ``calm``: nobody lied or changed rights."""


def a_tree(random: Random, hosts: Sequence[Host], more: int) -> Pairs:
    """A tree over the servers, and some more pairs."""
    pairs = [(hosts[random.randrange(at)], hosts[at]) for at in range(1, len(hosts))]
    for _ in range(more):
        one, other = random.sample(hosts, 2)
        if (one, other) not in pairs and (other, one) not in pairs:
            pairs.append((one, other))
    return pairs


class MirrorPlan:
    """All mirror what they may."""

    limits = LIMITS
    kinds: Sequence[str] = KINDS
    strict = 0.3
    busy = 0.15
    relapses = 0

    def __init__(self, random: Random) -> None:
        self._random = random

    def count(self) -> int:
        """Two to four."""
        return self._random.randint(2, 4)

    def neighbours(self, hosts: Sequence[Host]) -> Pairs:
        """A tree and more."""
        return a_tree(self._random, hosts, len(hosts) - 2)

    def row(self, host: Host, peer: Host, feeds: Callable[[], FeedSet]) -> Peer:
        """Mirror."""
        return Peer(mode="mirror", may_feed=feeds(), may_read=feeds())

    def mail(self, host: Host, count: int) -> list[Claim]:
        """All of the same few ids."""
        return some_mail(self._random, count)

    def long_mail(self, host: Host) -> list[Claim]:
        """A chain of references."""
        return deep_chain(self._random)

    def check(self, hosts: Sequence[Host], pairs: Pairs, signed: Signed, calm: bool) -> None:
        """Equal sets and views."""
        check_world(hosts, pairs, signed)


class ThreadsPlan:
    """Most ask for their threads, some mirror; in a mesh, along a path, through a hub, or anyhow."""

    busy = 0.05
    relapses = 1
    kinds: Sequence[str] = (*THREADS_KINDS, "altered claim", "withholds", "foreign feed", "noise")

    def __init__(self, random: Random) -> None:
        self._random = random
        self._shape = random.choice(("mesh", "path", "tree", "hub"))
        self._mixed = random.random() < 0.5
        self._turns = random.choice((9, 9, 60))
        self._bridges = random.choice((0.0, 0.02, 0.1))
        self._conversations = [f"c{n}" for n in range(random.randint(2, 8))]
        self._subscribed: dict[str, list[str]] = {}
        self._hub: Host | None = None
        self.strict = random.choice((0.0, 0.0, 0.5))
        self.limits = replace(LIMITS, open_offers=random.choice((1, 2, 4)))
        if random.random() < 0.25:
            self.limits = replace(self.limits, tree_ids=random.choice((8, 25)), tree_claims=random.choice((16, 60)))

    def count(self) -> int:
        """Two to five."""
        return self._random.randint(2, 5)

    def neighbours(self, hosts: Sequence[Host]) -> Pairs:
        """By the shape."""
        if self._shape == "mesh":
            return list(combinations(hosts, 2))
        if self._shape == "path":
            return list(pairwise(hosts))
        if self._shape == "hub":
            self._hub = hosts[0]
            return [(host, hosts[0]) for host in hosts[1:]]
        return a_tree(self._random, hosts, len(hosts) - 2)

    def row(self, host: Host, peer: Host, feeds: Callable[[], FeedSet]) -> Peer:
        """A hub mirrors what each has itself; the others draw their mode."""
        if host is self._hub and peer.honest:
            own = FeedSet(origins=frozenset([peer.origin.public]))
            return Peer(mode="mirror", may_feed=own, may_read=feeds())
        mode: Mode = "mirror" if self._mixed and self._random.random() < 0.4 else "threads"
        return Peer(mode=mode, may_feed=feeds(), may_read=feeds())

    def mail(self, host: Host, count: int) -> list[Claim]:
        """Of the conversations that this server takes part in."""
        if host.name not in self._subscribed:
            some = self._random.randint(1, max(1, len(self._conversations) // 2))
            self._subscribed[host.name] = self._random.sample(self._conversations, some)
        return threads_mail(self._random, count, self._subscribed[host.name], self._turns, self._bridges)

    def long_mail(self, host: Host) -> list[Claim]:
        """Replies of which nobody can name more than the next."""
        return long_conversation(self._random, self._random.choice(self._conversations))

    def check(self, hosts: Sequence[Host], pairs: Pairs, signed: Signed, calm: bool) -> None:
        """Equal sets where mirrored, whole threads elsewhere."""
        check_world(hosts, pairs, signed)
        for one, other in pairs:
            check_threads(one, other, caller=True)
            check_threads(other, one, caller=False)
        if calm:
            for host in hosts:
                check_taken(host, host.got, hosts)
        if calm and not self.strict and self._shape in ("mesh", "hub") and not any(host.cut_any for host in hosts):
            for one, other in combinations(hosts, 2):
                check_digests(one, other)


PLANS: dict[str, Callable[[Random], Plan]] = {"mirror": MirrorPlan, "threads": ThreadsPlan}
