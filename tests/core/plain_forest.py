"""The forest a second time, as plainly as it can be said: sets of claims in, a parent map out.

This is written from the rules and shares nothing with Weft's own code, so that each can be checked against the other.
It is quadratic, recomputes everything, and keeps every statement and every witness until the end:

* A claim states one parent: its sane In-Reply-To, else the last of its References, else the first id of its
  In-Reply-To, else none.
* A claim witnesses the order of its References, unless a sane In-Reply-To differs from the last of them: each id has
  the one before it as its parent, at gap 0 for the last pair and one more for each pair before; the first has none.
* An id with claims: those of the best tier decide if they all state the same, else it is contested and has no parent.
* An id without claims: the witnesses of the best tier, of these those of the smallest gap, decide if they are one.
* A weak id counts only if some claim is about it; else it is as if it were in no header, nor the sane In-Reply-To.
* Where an id counts as another (a rule), all that is said of it is said of the other; a claim about it stays about it.
  What would put an id above itself says nothing, and a claim that states its own message as its parent states none.
* A cycle is cut once: a ghost before a claimed id, then the worst tier, the largest gap, the smallest id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Claim(NamedTuple):
    """One message on one list: its id, what its headers name, and how much its list is trusted (0 is best)."""

    mid: str
    references: tuple[str, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    sane: bool = False
    tier: int = 0
    weak: frozenset[str] = frozenset()
    """Ids in it that count only if some claim is about them."""

    @property
    def named(self) -> frozenset[str]:
        """Every id in it, its own too."""
        return frozenset({self.mid, *self.references, *self.in_reply_to})


class Witness(NamedTuple):
    """Somebody's References put ``parent`` (or nothing) before an id; compares as the rules rank it."""

    tier: int
    gap: int
    parent: str | None


class PlainForest(NamedTuple):
    """``uncut`` is the parent map before cycles are cut, ``parents`` after; ``rivals`` of each contested id."""

    parents: dict[str, str | None]
    uncut: dict[str, str | None]
    rivals: dict[str, set[str | None]]
    cuts: dict[str, str]


def stated_parent(claim: Claim) -> str | None:
    """The one parent that the claim states for its own id."""
    if claim.sane:
        return claim.in_reply_to[0]
    if claim.references:
        return claim.references[-1]
    return claim.in_reply_to[0] if claim.in_reply_to else None


def witnesses(claim: Claim) -> list[tuple[str, Witness]]:
    """What the claim's References say about the ids in them."""
    chain = claim.references
    if not chain or (claim.sane and claim.in_reply_to[0] != chain[-1]):
        return []
    last = len(chain) - 1
    return [(mid, Witness(claim.tier, last - i, chain[i - 1] if i else None)) for i, mid in enumerate(chain)]


def counting(claims: Iterable[Claim], rules: Mapping[str, str] = {}) -> set[Claim]:
    """What the claims say beside each other: without weak ids that no claim is about."""
    claims = set(claims)
    claimed = {claim.mid for claim in claims}
    found = set()
    for claim in claims:
        idle = {mid for mid in claim.weak if rules.get(mid, mid) not in claimed}
        references = tuple(mid for mid in claim.references if mid not in idle)
        replies = tuple(mid for mid in claim.in_reply_to if mid not in idle)
        sane = claim.sane and bool(replies)
        found.add(Claim(claim.mid, references, replies, sane, claim.tier))
    return found


def plain_forest(claims: Iterable[Claim], rules: Mapping[str, str] = {}) -> PlainForest:
    """The forest of a set of claims; ``rules``: ids that count as others, which have no rule themselves."""
    known = counting(claims, rules)

    def meant(mid: str | None) -> str | None:
        return None if mid is None else rules.get(mid, mid)

    def places(claim: Claim) -> list[tuple[str | None, Witness]]:
        said = [(meant(mid), one._replace(parent=meant(one.parent))) for mid, one in witnesses(claim)]
        return [(mid, one) for mid, one in said if mid != one.parent]

    named = {claim.mid for claim in known} | {str(meant(mid)) for claim in known for mid in claim.named - {claim.mid}}
    uncut: dict[str, str | None] = {}
    rivals: dict[str, set[str | None]] = {}
    ground: dict[str, tuple[bool, int, int, str]] = {}
    for mid in named:
        about = [claim for claim in known if claim.mid == mid]
        if about:
            tier = min(claim.tier for claim in about)
            stated = {meant(stated_parent(claim)) for claim in about if claim.tier == tier}
            stated = {None if parent == mid else parent for parent in stated}
            if len(stated) > 1:
                rivals[mid] = stated
            uncut[mid] = stated.pop() if len(stated) == 1 else None
            ground[mid] = (True, -tier, 0, mid)
            continue
        said = {witness for claim in known for name, witness in places(claim) if name == mid}
        if not said:
            uncut[mid] = None
            continue
        tier, gap = min((witness.tier, witness.gap) for witness in said)
        best = {witness.parent for witness in said if (witness.tier, witness.gap) == (tier, gap)}
        uncut[mid] = best.pop() if len(best) == 1 else None
        ground[mid] = (False, -tier, -gap, mid)
    cuts: dict[str, str] = {}
    for cycle in cycles(uncut):
        weakest = min(cycle, key=lambda mid: ground[mid])
        parent = uncut[weakest]
        assert parent is not None
        cuts[weakest] = parent
    return PlainForest({mid: None if mid in cuts else uncut[mid] for mid in uncut}, uncut, rivals, cuts)


def cycles(parents: dict[str, str | None]) -> set[frozenset[str]]:
    """Every cycle of the parent map: an id is on one if climbing from it comes back to it."""
    found = set()
    for start in parents:
        path = [start]
        while (above := parents[path[-1]]) is not None and above not in path:
            path.append(above)
        if above == start:
            found.add(frozenset(path))
    return found


def component(claims: Iterable[Claim], mid: str) -> set[str]:
    """The ids that are connected with ``mid`` by any reference at all, in any direction."""
    reached = {mid}
    while True:
        more = reached.union(*(claim.named for claim in claims if claim.named & reached))
        if more == reached:
            return reached
        reached = more
