"""Which trees are our own, and what stands in them: the forest over some feeds, as far as new claims can have moved it.

Theory of operation
-------------------
A claim can move only what is connected with it by references of any kind: its component.  So the components of the
claims beyond a position are collected by what the store says of ids, and woven; those of their trees that hold a
message of our own are the answer.  From the beginning of the log it is the whole log at once, without questions.

Claims that their origin withdrew do not count, as in any view.  So a message whose claims disagree about its parent may
become part of a tree when one of them is withdrawn; the withdrawal is about that message, and nothing else would lead
to it.  Therefore each rival parent's tree asks about such a message too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed
from weft.core.forest import Weaver, root_of_each
from weft.core.id_digest import id_digest
from weft.exchange.events import Tree, Trees
from weft.exchange.feeds import Feeds
from weft.index.resolving import read_claim
from weft.store.base import PAGE, Held, Store

_AT_A_TIME = 500
"""Ids that the store is asked about at a time."""

FeedOf = Callable[[int], Feed]
"""The feed of a batch."""
Identified = tuple[bytes, Claim | Withdrawal]
"""A claim with its id."""


def own_trees(store: Store, feed_of: FeedOf, feeds: Feeds, own: bytes | None, after: int, most: int) -> Trees:
    """The answer to `weft.exchange.events.FindTrees`."""
    position = store.position()
    if own is None or after >= position:
        return Trees(position, ())
    readable = _Readable(store, feed_of, feeds)
    if after:
        claims = list(readable.connected(after, position))
        return Trees(position, _trees(lambda: claims, own, most))
    return Trees(position, _trees(lambda: readable.log(0, position), own, most))


class _Readable:
    """A store, as far as some feeds go."""

    def __init__(self, store: Store, feed_of: FeedOf, feeds: Feeds) -> None:
        self._store, self._feed_of, self._feeds = store, feed_of, feeds

    def log(self, after: int, upto: int) -> Iterator[Identified]:
        """The claims in a piece of the log."""
        while after < upto and (page := self._store.log(after, min(PAGE, upto - after))):
            yield from self._read(page)
            after = page[-1].position

    def connected(self, after: int, upto: int) -> Iterator[Identified]:
        """The claims in a piece of the log, and all that are connected with them by ids."""
        ids: dict[bytes, None] = {}
        for _, claim in self.log(after, upto):
            ids.update(dict.fromkeys(ids_of(claim)))
        frontier = list(ids)
        seen: set[int] = set()
        while frontier:
            some = frontier[-_AT_A_TIME:]
            del frontier[-_AT_A_TIME:]
            for page in self._concerning(some, seen):
                for identified in self._read(page):
                    fresh = [octets for octets in ids_of(identified[1]) if octets not in ids]
                    ids.update(dict.fromkeys(fresh))
                    frontier += dict.fromkeys(fresh)
                    yield identified

    def _concerning(self, ids: Sequence[bytes], seen: set[int]) -> Iterator[list[Held]]:
        after = 0
        while positions := self._store.positions_concerning(ids, after, PAGE):
            after = positions[-1]
            fresh = [position for position in positions if position not in seen]
            seen.update(fresh)
            yield self._store.at(fresh)

    def _read(self, page: Iterable[Held]) -> Iterator[Identified]:
        for held in page:
            if self._feed_of(held.batch) in self._feeds and (claim := read_claim(held)) is not None:
                yield held.identity, claim


def ids_of(claim: Claim | Withdrawal) -> tuple[bytes, ...]:
    """All message ids in a claim."""
    if isinstance(claim, Withdrawal):
        return (claim.message_id,)
    return claim.message_id, *claim.in_reply_to, *claim.references


def _trees(claims: Callable[[], Iterable[Identified]], own: bytes, most: int) -> list[Tree]:
    """The trees with a message of ``own`` in the common view of claims, which are read again if some were withdrawn."""
    weaver, ours, withdrawals = _weave(claims(), own, frozenset())
    if withdrawals:
        weaver, ours, _ = _weave(claims(), own, withdrawals)
    forest = weaver.forest()
    roots = root_of_each(forest.parents)
    members: dict[int, list[int]] = {roots[node]: [] for node in ours}
    for node, root in enumerate(roots):
        if root in members:
            members[root].append(node)
    for node, rivals in forest.contested.items():
        for root in {roots[rival] for rival in rivals if rival >= 0} & members.keys() - {roots[node]}:
            members[root].append(node)
    ids = forest.ids
    return [
        Tree(ids[root], [id_digest(ids[node]) for node in nodes] if len(nodes) <= most else None)
        for root, nodes in members.items()
    ]


_Withdrawn = tuple[bytes, Feed, bytes]
"""(claim id, feed, message id)."""


def _weave(
    claims: Iterable[Identified], own: bytes, withdrawn: frozenset[_Withdrawn]
) -> tuple[Weaver, set[int], frozenset[_Withdrawn]]:
    """The forest, the nodes that are our own, and what is withdrawn."""
    weaver, ours, withdrawals = Weaver(), set(), set()
    for identity, claim in claims:
        if isinstance(claim, Withdrawal):
            withdrawals.add((claim.target, claim.feed, claim.message_id))
        elif not withdrawn or (identity, claim.feed, claim.message_id) not in withdrawn:
            [[node], replies, references] = weaver.nodes(([claim.message_id], claim.in_reply_to, claim.references))
            weaver.add(node, replies, claim.sane, references)
            if claim.origin == own:
                ours.add(node)
    return weaver, ours, frozenset(withdrawals)
