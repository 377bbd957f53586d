"""The trees of a server, worked out the plain way: from all it holds, woven at once.

What is looked at here is what threads mode promises, so nothing of the machine's own way to the trees is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tests.exchange.simulation import view
from tests.exchange.simulation.hosts import Host
from weft.core.claim import Claim, Withdrawal
from weft.policy.feed_ranges import FeedRanges
from weft.policy.rules import Policy, thread_digest

Known = tuple[bytes, Claim | Withdrawal]
"""A claim and its id."""


def names(claim: Claim | Withdrawal) -> set[bytes]:
    """All ids in a claim."""
    more = (*claim.in_reply_to, *claim.references) if isinstance(claim, Claim) else ()
    return {claim.message_id, *more}


def groups(links: Iterable[tuple[bytes, bytes]]) -> dict[bytes, frozenset[bytes]]:
    """Ids that are linked, directly or not: for each all with which it is."""
    near: dict[bytes, set[bytes]] = defaultdict(set)
    for one, other in links:
        near[one].add(other)
        near[other].add(one)
    found: dict[bytes, frozenset[bytes]] = {}
    for start in near:
        if start in found:
            continue
        together, todo = {start}, [start]
        while todo:
            fresh = near[todo.pop()] - together
            together |= fresh
            todo += fresh
        found.update(dict.fromkeys(together, frozenset(together)))
    return found


def known(host: Host, feeds: FeedRanges) -> list[Known]:
    """The claims of some feeds that a server holds, in order."""
    return [(identity, claim) for identity, feed, claim in host.claims() if feed in feeds]


def own_trees(claims: list[Known], own: bytes) -> set[frozenset[bytes]]:
    """The trees of the common view of claims that hold a message of ``own``, as the ids in them."""
    return _holding(claims, own, view.weave(claims))


def asked_trees(claims: list[Known], policy: Policy, most: int = 1 << 30) -> set[frozenset[bytes]]:
    """The trees of the common and of the own view that hold a message of our own, as the ids in them.

    With each id that a claim puts below one of them and another claim elsewhere, and all below it in either view; of
    these at most ``most``.  With the weak ids in the claims about all these.
    """
    assert policy.own is not None
    seen, ranked = view.weave(claims), view.weave(claims, policy.tier)
    below: dict[bytes, set[bytes]] = defaultdict(set)
    for child, parent in (*seen.edges, *ranked.edges):
        below[parent].add(child)
    for message, rivals in seen.contested:
        for rival in rivals:
            below[rival].add(message)
    ours = {claim.message_id for claim in view.standing(claims) if claim.origin == policy.own}
    roots = {_root(name, dict(edges)) for edges in (seen.edges, ranked.edges) for name in ours}
    weak: dict[bytes, set[bytes]] = defaultdict(set)
    for claim in view.standing(claims):
        weak[claim.message_id].update(claim.weak_ids)
    trees = {_all_below(root, below) for root in roots}
    return {tree.union(*(weak[name] for name in tree & weak.keys())) for tree in trees if len(tree) <= most}


def _root(name: bytes, parents: Mapping[bytes, bytes]) -> bytes:
    while name in parents:
        name = parents[name]
    return name


def _all_below(root: bytes, below: Mapping[bytes, set[bytes]]) -> frozenset[bytes]:
    found, todo = {root}, [root]
    while todo:
        fresh = below.get(todo.pop(), set()) - found
        found |= fresh
        todo += fresh
    return frozenset(found)


def own_digests(claims: list[Known], own: bytes) -> dict[frozenset[bytes], bytes]:
    """The same trees as `own_trees`, with their thread digests."""
    seen = view.weave(claims)
    about: dict[bytes, list[bytes]] = defaultdict(list)
    for identity, claim in claims:
        about[claim.message_id].append(identity)
    edges: dict[bytes, list[tuple[bytes, bytes]]] = defaultdict(list)
    for edge in seen.edges:
        edges[edge[0]].append(edge)
    return {
        tree: thread_digest((i for name in tree for i in about[name]), (edge for name in tree for edge in edges[name]))
        for tree in _holding(claims, own, seen)
    }


def _holding(claims: list[Known], own: bytes, seen: view.View) -> set[frozenset[bytes]]:
    trees = groups(seen.edges)
    ours = {claim.message_id for claim in view.standing(claims) if claim.origin == own}
    return {trees.get(name, frozenset([name])) for name in ours}
