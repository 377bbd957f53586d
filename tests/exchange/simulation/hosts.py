"""Servers of a world, honest ones and liars: what is theirs, and what of it outlives a crash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tests.store.factories import Origin
from weft.core.claim import Claim, Withdrawal, parse
from weft.core.feed import ALL_LISTS, Feed
from weft.core.id_digest import id_digest
from weft.exchange.events import CoverageGained, NamedEntry
from weft.exchange.near_threads import ids_of
from weft.exchange.store_backend import StoreBackend
from weft.policy.feed_ranges import FeedRanges, carried_by
from weft.policy.rules import Policy
from weft.store.interface import Store, StoredClaim, VerifiedClaim, VerifiedPart
from weft.testing import MemoryStore

parsed = lru_cache(100_000)(parse)
"""Worlds look at the same claims again and again."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a server was, to be restored."""

    log: Sequence[VerifiedPart]
    kept: dict[bytes, bytes]


class LaterBackend(StoreBackend):
    """That of a server that reads its own claims, also those of a later version."""

    def __init__(self, store: Store, odd: Mapping[bytes, Claim | Withdrawal]) -> None:
        super().__init__(store)
        self._odd = odd

    def _named(self, held: StoredClaim) -> NamedEntry:
        claim = self._odd.get(held.identity)
        if claim is None:
            return super()._named(held)
        return NamedEntry(held.position, self._feed(held.batch), list(map(id_digest, ids_of(claim))))


@dataclass(slots=True, eq=False)
class Host:
    """A server.  All in it but sessions outlives a crash."""

    name: str
    origin: Origin
    honest: bool = True
    policy: Policy = field(default_factory=Policy)
    new_store: Callable[[], MemoryStore] = MemoryStore
    store: MemoryStore = field(init=False)
    _backend: StoreBackend = field(init=False)
    _feeds: dict[int, Feed] = field(init=False)
    kept: dict[bytes, bytes] = field(default_factory=dict)
    """By peer."""
    refused: dict[bytes, dict[bytes, Feed]] = field(default_factory=lambda: defaultdict(dict))
    """By peer: elements of claims that were refused for what they say, with their feeds."""
    acknowledged: set[bytes] = field(default_factory=set)
    """Elements of claims that it said are on its disk."""
    up: bool = True
    doubtful: bool = False
    """It was restored without what it kept of its peers."""
    asked: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """By peer: digests of all ids that it ever asked about."""
    cut: dict[bytes, frozenset[bytes]] = field(default_factory=dict)
    """By peer: roots of the trees of which not all was asked, as the newest report says."""
    got: set[bytes] = field(default_factory=set)
    """Ids of claims that it got by asking."""
    covered: dict[bytes, CoverageGained] = field(default_factory=dict)
    """By peer: what it was asked, as the newest session says."""
    odd: dict[bytes, Claim | Withdrawal] = field(default_factory=dict)
    """Claims of its own that only it can read, being of a later version."""
    backups: list[Backup] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self.store = self.new_store()
        self._backend = LaterBackend(self.store, self.odd)
        self._feeds = {}

    def backend(self) -> StoreBackend:
        """Answers out of its store as it is now."""
        return self._backend

    @property
    def cut_any(self) -> bool:
        """Some tree is not asked for in full."""
        return any(self.cut.values())

    def put(self, part: VerifiedPart) -> None:
        """Commit claims."""
        with self.store.transaction():
            self.store.put([part])

    def log(self) -> list[StoredClaim]:
        """All claims, in order of arrival."""
        return self.store.log(0, self.store.position())

    def feed(self, held: StoredClaim) -> Feed:
        """Whose claim it is."""
        if held.batch not in self._feeds:
            signed = self.store.signed(held.batch)[0]
            self._feeds[held.batch] = Feed(signed.origin, signed.list)
        return self._feeds[held.batch]

    def claims(self) -> list[tuple[bytes, Feed, Claim | Withdrawal]]:
        """All claims that others can read too, parsed."""
        read = [(held, parsed(held.data)) for held in self.log() if held.identity not in self.odd]
        return [(held.identity, self.feed(held), claim) for held, claim in read]

    def all_claims(self) -> list[tuple[bytes, Feed, Claim | Withdrawal]]:
        """All claims that it can read itself, parsed."""
        later = [
            (held.identity, self.feed(held), self.odd[held.identity])
            for held in self.log()
            if held.identity in self.odd
        ]
        return [*self.claims(), *later]

    def carried(self) -> FeedRanges:
        """The feeds that it carries whole; a liar says so of all."""
        if not self.honest:
            return FeedRanges(dict.fromkeys((self.origin.public, *self.policy.origins), ALL_LISTS))
        feeds = FeedRanges({self.origin.public: ALL_LISTS})
        for peer, covered in self.covered.items():
            if covered.asked is None:
                feeds |= covered.feeds & carried_by(self.policy, peer)
        return feeds

    def back_up(self) -> None:
        """Make a backup."""
        parts = []
        for held in self.log():
            signed, tree = self.store.signed(held.batch)
            claim = self.odd.get(held.identity) or parsed(held.data)
            parts.append(VerifiedPart(signed, tree, [VerifiedClaim(held.leaf, held.identity, held.data, claim)]))
        self.backups.append(Backup(parts, dict(self.kept)))

    def restore(self, backup: Backup, with_kept: bool) -> None:
        """Go back to a backup of the store, with what was kept of peers then, or leaving that as it is."""
        self._open()
        with self.store.transaction():
            self.store.put(backup.log)
        self.acknowledged &= {held.identity[:16] for held in self.log()}
        self.doubtful = self.doubtful or not with_kept
        if with_kept:
            self.kept = dict(backup.kept)
