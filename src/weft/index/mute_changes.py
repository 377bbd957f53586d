"""Which claims a change of what a policy mutes can hide or show, so that the view need not be made again for it.

A mute names claims, message ids, edges, feeds or authors; all but authors are looked up.  For authors the log is read,
which costs a small part of what a view does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from weft.core.feed import Feed, Lists
from weft.errors import PolicyError
from weft.policy.rows import Mute
from weft.policy.rules import Policy
from weft.policy.toml import TomlTable
from weft.store.interface import PAGE, Store, StoredClaim, claims_of

_VERSION = b"9"
"""Of the rows of the view: another one, and they are made again."""


@dataclass(frozen=True, slots=True)
class MuteChange:
    """Two sets of mutes of one policy."""

    before: Mute
    after: Mute

    def few_candidates(self, store: Store, position: int, most: int) -> list[StoredClaim] | None:
        """The claims up to a position that one of both may hide and the other not, in order of position.

        None if there are more than ``most``, or may be: mutes of all feeds, or of all that an origin says.
        """
        one, two = self.before, self.after
        if (one.feeds.everything, one.feeds.origins) != (two.feeds.everything, two.feeds.origins):
            return None
        found: dict[bytes, StoredClaim] = {}
        for held in self._candidates(store, position):
            if held.position <= position:
                found[held.identity] = held
                if len(found) > most:
                    return None
        return sorted(found.values())

    def children(self) -> set[bytes]:
        """The ids whose parents one of both does not hear of and the other does."""
        return {child for child, _ in self.before.edges ^ self.after.edges}

    def _candidates(self, store: Store, position: int) -> Iterator[StoredClaim]:
        one, two = self.before, self.after
        yield from store.get(sorted(one.claims ^ two.claims))
        ids, after = sorted(one.ids ^ two.ids), 0
        while ids and (page := store.claims_about(ids, after, PAGE)):
            yield from page
            after = page[-1].position
        if feeds := one.feeds.feeds ^ two.feeds.feeds:
            yield from claims_of(store, _lists(feeds), 0, position)
        if authors := one.authors ^ two.authors:
            after = 0
            while page := store.log(after, PAGE):
                yield from (held for held in page if _names_one(held.data, authors))
                after = page[-1].position


class PolicyMarks(NamedTuple):
    """What is kept of the policy that a view is of: digests and tables."""

    state: bytes
    """A digest of all that the view depends on beside the claims."""
    others: bytes
    """A digest of the same without what is muted."""
    mutes: bytes
    """What is muted, as `load_mutes` reads it."""

    @classmethod
    def of(cls, policy: Policy) -> PolicyMarks:
        """Those of a policy."""
        tables = policy.to_tables()
        tables.pop("peer", None)
        tables.pop("retention", None)
        state = sha256(repr((_VERSION, policy.own, tables)).encode()).digest()
        mutes = json.dumps(tables.pop("mute"), sort_keys=True).encode()
        return cls(state, sha256(repr((_VERSION, policy.own, tables)).encode()).digest(), mutes)


def load_mutes(data: bytes, own: bytes | None) -> Mute | None:
    """The mutes whose table `data` is, as JSON; None for what is none."""
    try:
        tables = json.loads(data)
        return Mute.read(TomlTable("mute", tables), own) if isinstance(tables, dict) else None
    except (ValueError, PolicyError):
        return None


def _names_one(data: bytes, addresses: Iterable[bytes]) -> bool:
    text = data.lower()
    return any(address in text for address in addresses)


def _lists(feeds: Iterable[Feed]) -> Mapping[bytes, Lists]:
    found: dict[bytes, frozenset[bytes]] = {}
    for feed in feeds:
        found[feed.origin] = found.get(feed.origin, frozenset()) | {feed.list}
    return {origin: Lists(names) for origin, names in found.items()}
