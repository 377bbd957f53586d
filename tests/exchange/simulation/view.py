"""The common view of a set of claims: its forest, without anybody's tiers and mutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed
from weft.core.forest import ForestBuilder


class View(NamedTuple):
    """What must be equal where claims are equal."""

    edges: frozenset[tuple[bytes, bytes]]
    contested: frozenset[tuple[bytes, tuple[bytes, ...]]]
    depth: int
    """Of the deepest id."""


new_builder: Callable[[], ForestBuilder] = ForestBuilder


def depth(parents: Iterable[int]) -> int:
    """How many ids stand above each other at most."""
    above = list(parents)
    depths = [0] * len(above)
    for start in range(len(above)):
        path, node = [], start
        while node >= 0 and not depths[node]:
            path.append(node)
            node = above[node]
        level = depths[node] if node >= 0 else 0
        for node in reversed(path):
            level += 1
            depths[node] = level
    return max(depths, default=0)


def standing(claims: Iterable[tuple[bytes, Claim | Withdrawal]]) -> list[Claim]:
    """The claims that are not withdrawn, in order."""
    given = list(claims)
    withdrawals = {(claim.target, claim.feed, claim.message_id) for _, claim in given if isinstance(claim, Withdrawal)}
    mails = [(identity, claim) for identity, claim in given if isinstance(claim, Claim)]
    return [claim for identity, claim in mails if (identity, claim.feed, claim.message_id) not in withdrawals]


def counted(claims: Iterable[tuple[bytes, Claim | Withdrawal]]) -> list[Claim]:
    """The same as they count beside each other: without weak ids that none of them is about."""
    there = standing(claims)
    claimed = {claim.message_id for claim in there}
    return [claim.counting(claimed.__contains__) for claim in there]


def weave(
    claims: Iterable[tuple[bytes, Claim | Withdrawal]], tier: Callable[[Feed], int | None] = lambda feed: 0
) -> View:
    """The view of claims, given in the order in which they came."""
    builder = new_builder()
    for claim in counted(claims):
        nodes = [builder.node(name) for name in (claim.message_id, *claim.in_reply_to, *claim.references)]
        replies = 1 + len(claim.in_reply_to)
        builder.add(nodes[0], nodes[1:replies], claim.sane, nodes[replies:], tier(claim.feed) or 0)
    forest = builder.forest()
    ids = [*forest.ids, b""]
    contested = frozenset(
        (ids[node], tuple(ids[rival] for rival in rivals)) for node, rivals in forest.contested.items()
    )
    return View(frozenset(forest.edges()), contested, depth(forest.parents))
