"""Which trees are our own, and what stands in them: the forest over some feeds, as far as new claims can have moved it.

Theory of operation
-------------------
A tree is our own if it holds a message of our own in the common view, or in the own view, which ranks claims by the
policy.  The common view is what servers have in common; but in it any origin that is admitted can make a message a root
by one claim, and a question that ended there would lose all that is answered below it.  So both are asked about, and
whatever some claim puts into such a tree and another one elsewhere (a **contested** id), with all below it.

``most`` bounds a tree.  What is contested is left out first: nobody can make us ask less about a tree by putting a
large one below it.  If that is not enough, what is near our own messages is asked about: these, all above them, and as
much as fits of what stands below, the nearest first.  So a flood of replies cuts off what is far away, and never the
answers to our own mail.

From the beginning it is all that the log holds of these feeds at once; later what is near the new claims
(`weft.exchange.near_threads`). Claims that their origin withdrew do not count, as in any view.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed
from weft.core.forest import Forest, ForestBuilder, Profile, root_of_each
from weft.core.id_digest import id_digest
from weft.exchange.events import FindTrees, OwnTree, OwnTrees
from weft.exchange.near_threads import FeedOf, Read, ReadableClaims, near
from weft.store.interface import Store


def own_trees(store: Store, feed_of: FeedOf, request: FindTrees) -> OwnTrees:
    """The answer to `weft.exchange.events.FindTrees`."""
    position, policy, after = store.position(), request.policy, request.after
    if policy.own is None or after >= position:
        return OwnTrees(position, ())
    readable = ReadableClaims(store, feed_of, request.feeds, policy)
    built = _OwnForest(policy.own, policy.view.profile)
    if not after:
        built.weave(lambda: readable.log(0, position))
        return OwnTrees(position, built.trees(request.most))
    around = near(readable, after, position, policy.view.profile)
    claims = [around.claims[at] for at in sorted(around.claims)]
    built.weave(lambda: claims)
    return OwnTrees(position, built.trees(request.most, around.known, around.climbed))


_Withdrawn = tuple[bytes, Feed, bytes]
"""(claim id, feed, message id)."""


@dataclass(slots=True)
class _OwnForest:
    """Claims in the common view and in the own view, whose nodes are the same."""

    own: bytes
    profile: Profile
    common: ForestBuilder = field(default_factory=ForestBuilder)
    ranked: ForestBuilder = field(default_factory=ForestBuilder)
    ours: set[int] = field(default_factory=set)
    """The nodes that claims of our own are about."""
    weak: dict[int, list[bytes]] = field(default_factory=dict)
    """The weak ids in the claims about a node: another server may hold what they name."""

    def weave(self, claims: Callable[[], Iterable[Read]]) -> None:
        """Take in all claims that count; they are read again if some were withdrawn."""
        withdrawn = self._weave(claims(), frozenset())
        if withdrawn:
            self._weave(claims(), withdrawn)

    def _weave(self, claims: Iterable[Read], withdrawn: frozenset[_Withdrawn]) -> frozenset[_Withdrawn]:
        self.common, self.ranked, self.ours = ForestBuilder(), ForestBuilder(self.profile), set()
        self.weak.clear()
        withdrawals = set()
        for read in claims:
            claim = read.claim
            if isinstance(claim, Withdrawal):
                withdrawals.add((claim.target, claim.feed, claim.message_id))
            elif not withdrawn or (read.identity, claim.feed, claim.message_id) not in withdrawn:
                self._add(claim, read.tier)
        return frozenset(withdrawals)

    def _add(self, claim: Claim, tier: int) -> None:
        if claim.doubtful:
            self._add_doubtful(claim, tier)
            return
        chains = [claim.message_id], claim.in_reply_to, claim.references
        [[node], replies, references] = self.common.nodes(chains)
        self.ranked.nodes(chains)
        self.common.add(node, replies, claim.sane, references)
        self.ranked.add(node, replies, claim.sane, references, tier)
        if claim.origin == self.own:
            self.ours.add(node)

    def _add_doubtful(self, claim: Claim, tier: int) -> None:
        node, in_reply_to, references = self.common.node(claim.message_id), *claim.marked
        self.ranked.node(claim.message_id)
        self.common.add_doubtful(node, in_reply_to, claim.sane, references)
        self.ranked.add_doubtful(node, in_reply_to, claim.sane, references, tier)
        self.weak.setdefault(node, []).extend(claim.weak_ids)
        if claim.origin == self.own:
            self.ours.add(node)

    def trees(
        self, most: int, known: Collection[bytes] | None = None, roots: Collection[bytes] = frozenset()
    ) -> list[OwnTree]:
        """Our own trees; with ``known`` only those that have one of ``roots``, and edges only of known ids."""
        ids = self.common.ids
        only = None if known is None else {node for node, name in enumerate(ids) if name in known}
        common, ranked = self.common.forest(only), self.ranked.forest(only)
        own_roots: dict[int, None] = {}
        for forest in (common, ranked):
            above = root_of_each(forest.parents)
            own_roots.update(dict.fromkeys(above[node] for node in sorted(self.ours) if only is None or node in only))
        below = _Below(common, ranked)
        chosen = [root for root in own_roots if known is None or ids[root] in roots]
        return [self._tree(root, below, most) for root in chosen]

    def _tree(self, root: int, below: _Below, most: int) -> OwnTree:
        """All ids of a tree, or as many as may be asked about."""
        for contested in (True, False):
            nodes = _at_most(below.walk([root], contested=contested), most)
            if nodes is not None:
                return OwnTree(self.common.ids[root], self._digests(nodes), contested)
        return OwnTree(self.common.ids[root], self._digests(self._near(root, below, most)), whole=False)

    def _near(self, root: int, below: _Below, most: int) -> Iterable[int]:
        """The nodes of a tree that are nearest to our own messages, as many as may be asked about."""
        tree = list(below.walk([root], contested=False))
        above: dict[int, list[int]] = {}
        for node in tree:
            for lower in below.placed.get(node, ()):
                above.setdefault(lower, []).append(node)
        ours = [node for node in tree if node in self.ours] or [root]
        line = walk(ours, lambda node: above.get(node, ()), nearest_first=True)
        return islice(below.walk(list(line), contested=False, nearest_first=True), most)

    def _digests(self, nodes: Iterable[int]) -> list[bytes]:
        ids, nodes = self.common.ids, list(nodes)
        named = dict.fromkeys(ids[node] for node in nodes)
        named.update(dict.fromkeys(name for node in nodes for name in self.weak.get(node, ())))
        return list(map(id_digest, named))


class _Below:
    """What stands directly below a node."""

    def __init__(self, common: Forest, ranked: Forest) -> None:
        self.placed: dict[int, list[int]] = {}
        """In one of the two views."""
        self.contested: dict[int, list[int]] = {}
        """By some claim only."""
        for node, (one, other) in enumerate(zip(common.parents, ranked.parents, strict=True)):
            if one >= 0:
                self.placed.setdefault(one, []).append(node)
            if other >= 0 and other != one:
                self.placed.setdefault(other, []).append(node)
        for node, rivals in common.contested.items():
            for rival in rivals:
                if rival >= 0:
                    self.contested.setdefault(rival, []).append(node)

    def walk(self, start: Sequence[int], *, contested: bool, nearest_first: bool = False) -> Iterator[int]:
        """Some nodes and all below them, each once."""
        if not contested:
            return walk(start, lambda node: self.placed.get(node, ()), nearest_first=nearest_first)
        return walk(start, lambda node: (*self.placed.get(node, ()), *self.contested.get(node, ())))


def walk(
    start: Sequence[int], following: Callable[[int], Sequence[int]], *, nearest_first: bool = False
) -> Iterator[int]:
    """Some nodes and all that follow from them, each once; one line after the other, or in the order of distance."""
    seen, todo = set(start), deque(start)
    while todo:
        node = todo.popleft() if nearest_first else todo.pop()
        yield node
        fresh = [one for one in dict.fromkeys(following(node)) if one not in seen]
        seen.update(fresh)
        todo += fresh


def _at_most(nodes: Iterator[int], most: int) -> list[int] | None:
    """The nodes; None if there are more."""
    found: list[int] = []
    for node in nodes:
        if len(found) >= most:
            return None
        found.append(node)
    return found
