"""Servers of a world, honest ones and liars: what is theirs, and what of it outlives a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.store.making import Origin
from weft.core.claim import Claim, Withdrawal, parse
from weft.core.feed import Feed
from weft.core.policy import Policy
from weft.rpc.desk import Desk
from weft.store.base import Held, NewClaim, Part
from weft.store.memory import MemoryStore


@dataclass(frozen=True, slots=True)
class Backup:
    """What a server was, to be restored."""

    log: Sequence[Part]
    kept: dict[bytes, bytes]


@dataclass(slots=True, eq=False)
class Host:
    """A server.  All in it but sessions outlives a crash."""

    name: str
    origin: Origin
    honest: bool = True
    policy: Policy = field(default_factory=Policy)
    store: MemoryStore = field(default_factory=MemoryStore)
    kept: dict[bytes, bytes] = field(default_factory=dict)
    """By peer."""
    refused: set[bytes] = field(default_factory=set)
    acknowledged: set[bytes] = field(default_factory=set)
    """Elements of claims that it said are on its disk."""
    up: bool = True
    doubtful: bool = False
    """It was restored without what it kept of its peers."""
    backups: list[Backup] = field(default_factory=list)

    def desk(self) -> Desk:
        """Answers out of its store as it is now."""
        return Desk(self.store)

    def put(self, part: Part) -> None:
        """Commit claims."""
        with self.store.transaction():
            self.store.put([part])

    def log(self) -> list[Held]:
        """All claims, in order of arrival."""
        return self.store.log(0, self.store.position())

    def feed(self, held: Held) -> Feed:
        """Whose claim it is."""
        signed = self.store.signed(held.batch)[0]
        return Feed(signed.origin, signed.list)

    def claims(self) -> list[tuple[bytes, Feed, Claim | Withdrawal]]:
        """All claims, parsed."""
        feeds: dict[int, Feed] = {}
        found = []
        for held in self.log():
            if held.batch not in feeds:
                feeds[held.batch] = self.feed(held)
            found.append((held.identity, feeds[held.batch], parse(held.octets)))
        return found

    def back_up(self) -> None:
        """Make a backup."""
        parts = []
        for held in self.log():
            signed, tree = self.store.signed(held.batch)
            parts.append(Part(signed, tree, [NewClaim(held.leaf, held.identity, held.octets, parse(held.octets))]))
        self.backups.append(Backup(parts, dict(self.kept)))

    def restore(self, backup: Backup, with_kept: bool) -> None:
        """Go back to a backup of the store, with what was kept of peers then, or leaving that as it is."""
        self.store = MemoryStore()
        with self.store.transaction():
            self.store.put(backup.log)
        self.acknowledged &= {held.identity[:16] for held in self.log()}
        self.doubtful = self.doubtful or not with_kept
        if with_kept:
            self.kept = dict(backup.kept)
