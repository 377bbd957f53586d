"""The claims that decide the trees near new claims, read by climbing and descending edges, not whole components.

Theory of operation
-------------------
A new claim can move its own id, the ghosts in its References, and what hangs below these (`weft.core.forest`, T8).  So
the ids that it may have moved are climbed from, parent by parent, and all that was met is descended from, along every
edge that some claim states, or that the common view or the own view has.  What costs is what lies in these trees, and
who refers to the ids in them; a mail that names the roots of a hundred other trees makes none of them be read, because
an id that is claimed says itself where it stands.

An id is **known** when all claims about it were read and, if there is none, all that name it.  Only of known ids the
edges are right.  A withdrawal is about the id of the claim that it takes back, so a claim counts only once the claims
about its id were read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed
from weft.core.forest import Profile, statement
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rules import Policy
from weft.store.interface import PAGE, Store, StoredClaim, claims_of, read_claim

_AT_A_TIME = 500
"""Ids that the store is asked about at a time."""
_WORST = 254
"""The rank of what the policy does not rank."""

FeedOf = Callable[[int], Feed]
"""The feed of a batch."""


@dataclass(frozen=True, slots=True)
class Read:
    """A claim that was read: its id, itself, and the rank of its feed here."""

    identity: bytes
    claim: Claim | Withdrawal
    tier: int


class ReadableClaims:
    """A store, as far as some feeds go."""

    def __init__(self, store: Store, feed_of: FeedOf, feeds: FeedRanges, policy: Policy) -> None:
        """``policy`` ranks feeds."""
        self._store, self._feed_of, self._feeds, self._policy = store, feed_of, feeds, policy
        self._tiers: dict[int, int | None] = {}

    def log(self, after: int, upto: int) -> Iterator[Read]:
        """The claims in a piece of the log."""
        for held in claims_of(self._store, self._feeds.lists, after, upto):
            yield from self.read(held)

    def about(self, ids: Sequence[bytes]) -> Iterator[StoredClaim]:
        """The claims about some ids."""
        for start in range(0, len(ids), _AT_A_TIME):
            after = 0
            while page := self._store.claims_about(ids[start : start + _AT_A_TIME], after, PAGE):
                after = page[-1].position
                yield from page

    def concerning(self, ids: Sequence[bytes], seen: Collection[int]) -> Iterator[StoredClaim]:
        """The claims about some ids, or that name one, but for those at positions that were ``seen``."""
        for start in range(0, len(ids), _AT_A_TIME):
            after = 0
            some = ids[start : start + _AT_A_TIME]
            while positions := self._store.positions_concerning(some, after, PAGE):
                after = positions[-1]
                batches = self._store.batches_at([position for position in positions if position not in seen])
                yield from self._store.at([at for at, batch in batches.items() if self._rank_in(batch) is not None])

    def read(self, held: StoredClaim) -> Iterator[Read]:
        """The claim, if it is of one of the feeds, and can be read."""
        tier = self._rank_in(held.batch)
        if tier is not None and (claim := read_claim(held)) is not None:
            yield Read(held.identity, claim, tier)

    def _rank_in(self, batch: int) -> int | None:
        """The rank of a batch's feed; None if it is none of the feeds."""
        if batch not in self._tiers:
            feed = self._feed_of(batch)
            tier = self._policy.tier(feed)
            self._tiers[batch] = (_WORST if tier is None else tier) if feed in self._feeds else None
        return self._tiers[batch]


def ids_of(claim: Claim | Withdrawal) -> tuple[bytes, ...]:
    """All message ids in a claim."""
    if isinstance(claim, Withdrawal):
        return (claim.message_id,)
    return claim.message_id, *claim.in_reply_to, *claim.references


@dataclass(slots=True)
class Near:
    """What was read, the ids that are known, and those from which all below them is known."""

    claims: dict[int, Read] = field(default_factory=dict)
    """By position."""
    known: set[bytes] = field(default_factory=set)
    climbed: set[bytes] = field(default_factory=set)


def near(readable: ReadableClaims, after: int, upto: int, profile: Profile) -> Near:
    """All that decides the trees which claims in a piece of the log have touched; ``profile``: of the own view."""
    region = _Region(readable, profile)
    region.descend(region.climb(region.moved(after, upto)))
    return region.found


class _Region:
    def __init__(self, readable: ReadableClaims, profile: Profile) -> None:
        self.found = Near()
        self._readable, self._profile = readable, profile
        self._about: dict[bytes, list[Read]] = {}
        self._naming: dict[bytes, list[Read]] = {}
        self._about_read: set[bytes] = set()
        self._withdrawn: set[tuple[bytes, Feed, bytes]] = set()

    # Reading

    def _take(self, helds: Iterable[StoredClaim]) -> list[Read]:
        """Note claims that were not read before."""
        taken = []
        for held in helds:
            if held.position in self.found.claims:
                continue
            for read in self._readable.read(held):
                self.found.claims[held.position] = read
                taken.append(read)
                claim = read.claim
                self._about.setdefault(claim.message_id, []).append(read)
                if isinstance(claim, Withdrawal):
                    self._withdrawn.add((claim.target, claim.feed, claim.message_id))
                else:
                    for name in {*claim.in_reply_to, *claim.references}:
                        self._naming.setdefault(name, []).append(read)
        return taken

    def _read_about(self, ids: Iterable[bytes]) -> None:
        fresh = [name for name in dict.fromkeys(ids) if name not in self._about_read]
        self._about_read.update(fresh)
        self._take(self._readable.about(fresh))

    def _know(self, ids: Iterable[bytes]) -> None:
        fresh = [name for name in dict.fromkeys(ids) if name not in self.found.known]
        self.found.known.update(fresh)
        self._about_read.update(fresh)
        self._take(self._readable.concerning(fresh, self.found.claims.keys()))
        self._read_about(read.claim.message_id for name in fresh for read in self._naming.get(name, ()))

    def _counts(self, read: Read) -> bool:
        return (read.identity, read.claim.feed, read.claim.message_id) not in self._withdrawn

    def _claims_about(self, name: bytes) -> list[tuple[Claim, int]]:
        return self._counted(self._about.get(name, []))

    def _claims_naming(self, name: bytes) -> list[tuple[Claim, int]]:
        return self._counted(self._naming.get(name, []))

    def _counted(self, reads: list[Read]) -> list[tuple[Claim, int]]:
        """Those that count, and what they say beside the claims about their weak ids."""
        counted = [(read.claim, read.tier) for read in reads if isinstance(read.claim, Claim) and self._counts(read)]
        if any(claim.doubtful for claim, _ in counted):
            self._read_about(name for claim, _ in counted for name in claim.weak_ids)
            counted = [(claim.counting(self._is_claimed), tier) for claim, tier in counted]
        return counted

    def _is_claimed(self, name: bytes) -> bool:
        return any(isinstance(read.claim, Claim) and self._counts(read) for read in self._about.get(name, ()))

    # Edges

    def _edges(self, name: bytes) -> set[bytes]:
        """The parents of an id: all that some claim about it states, or where References of others place it."""
        about = self._claims_about(name)
        if not about:
            self._know([name])
            return self._placed(name)
        profiles: tuple[Profile, ...] = ("weft", self._profile)
        stated = (_stated(claim, profile) for claim, _ in about for profile in profiles)
        return {parent for parent in stated if parent is not None}

    def _placed(self, name: bytes) -> set[bytes]:
        """The parents of a ghost in the common view and in the own one."""
        common: dict[int, set[bytes | None]] = {}
        own: dict[tuple[int, int], set[bytes | None]] = {}
        for claim, tier in self._claims_naming(name):
            chain = claim.references
            if name not in chain:
                continue
            place = chain.index(name)
            gap, above = len(chain) - 1 - place, chain[place - 1] if place else None
            if statement(claim.in_reply_to, claim.sane, chain, "weft")[1]:
                common.setdefault(gap, set()).add(above)
            if statement(claim.in_reply_to, claim.sane, chain, self._profile)[1]:
                own.setdefault((tier, gap), set()).add(above)
        nearest = [common[min(common)] if common else set(), own[min(own)] if own else set()]
        return {parent for parents in nearest if len(parents) == 1 for parent in parents if parent is not None}

    # Walking

    def moved(self, after: int, upto: int) -> list[bytes]:
        """The ids that the claims in a piece of the log may have moved."""
        new = [read.claim for read in self._readable.log(after, upto)]
        ids = dict.fromkeys(name for claim in new for name in ids_of(claim))
        self._read_about(ids)
        targets = {claim.target for claim in new if isinstance(claim, Withdrawal)}
        taken_back = [
            read.claim for claim in new for read in self._about.get(claim.message_id, ()) if read.identity in targets
        ]
        ids.update(dict.fromkeys(name for claim in taken_back for name in ids_of(claim)))
        self._read_about(ids)
        abouts = dict.fromkeys(claim.message_id for claim in new)
        self._know(abouts)
        for read in [read for name in abouts for read in self._naming.get(name, ())]:
            if isinstance(read.claim, Claim) and read.claim.doubtful:  # it may say something else now
                ids.update(dict.fromkeys(read.claim.references))
                abouts[read.claim.message_id] = None
        self._read_about(ids)
        moved = abouts | dict.fromkeys(name for name in ids if not self._claims_about(name))
        return list(moved)

    def climb(self, ids: Sequence[bytes]) -> list[bytes]:
        """These ids and all above them: in either view, and wherever else some claim puts them."""
        above = dict.fromkeys(ids)
        level = list(ids)
        while level:
            self._know(level)
            higher = dict.fromkeys(parent for name in level for parent in sorted(self._edges(name)))
            level = [parent for parent in higher if parent not in above]
            above.update(dict.fromkeys(level))
        self.found.climbed.update(above)
        return list(above)

    def descend(self, ids: Sequence[bytes]) -> None:
        """Know all that stands below some ids."""
        below = set(ids)
        level = list(ids)
        while level:
            self._know(level)
            beneath = {name: self._beneath(name) for name in level}
            self._read_about(name for names in beneath.values() for name in names)
            self._know(name for names in beneath.values() for name in names if not self._claims_about(name))
            lower = dict.fromkeys(
                name for above, names in beneath.items() for name in names
                if name not in below and above in self._edges(name)
            )  # fmt: skip
            below.update(lower)
            level = list(lower)

    def _beneath(self, name: bytes) -> set[bytes]:
        """The ids that may stand directly below one."""
        found = set()
        for claim, _ in self._claims_naming(name):
            found.add(claim.message_id)
            chain = claim.references
            if name in chain[:-1]:
                found.add(chain[chain.index(name) + 1])
        return found


def _stated(claim: Claim, profile: Profile) -> bytes | None:
    parent = statement(claim.in_reply_to, claim.sane, claim.references, profile)[0]
    return parent if isinstance(parent, bytes) else None
