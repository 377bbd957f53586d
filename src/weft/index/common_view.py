"""The common view of a whole index at one moment: every tree of it, by its root, with the digest of each.

Theory of operation
-------------------
The rows on disk are the view of one policy, whose tiers and mutes are this server's own affair.  Two servers are
compared in the common view (`weft.policy.rules.Policy.common`), which nobody keeps: so it is woven from the log when
somebody asks.  What is kept of it afterwards are integers: about 40 bytes an id and 16 a tree; message ids and claims
are read from the index again.  A `CommonView` stays as it was while the index goes on.

A tree that is one ghost is left out: nothing is claimed about it, and it has no edge.

The name of a whole view: equal if, and only if, two servers count the same claims in the same tiers.

Claim ids are computed from bytes, so they come in the order of the log and have to be sorted; SQLite does that in a
temporary database of its own, so that millions cost no memory.
"""

from __future__ import annotations

import sqlite3
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import NamedTuple, TypeVar

from weft.core.claim import Claim
from weft.core.forest import NONE, Forest, ForestBuilder
from weft.errors import StoreError
from weft.index.claim_filter import ClaimFilter
from weft.index.verify import withdrawn_by
from weft.index.view import View
from weft.policy.rows import NO_MUTES
from weft.policy.rules import Policy, thread_digest, view_id
from weft.store.interface import PAGE, read_claim
from weft.store.sqlite import SqliteStore
from weft.thread_tree import DIGEST_BYTES

_GHOST = 255
_IDS = 10_000
_PAUSE = 32
"""Claims or trees between two pauses: half a millisecond."""

T = TypeVar("T")


class Adjacency(NamedTuple):
    """Lists of numbers, one for each place, end to end: those of place p stand from ``starts[p]`` on."""

    starts: array[int]
    linked: array[int]

    def of(self, place: int) -> array[int]:
        """The numbers of a place."""
        return self.linked[self.starts[place] : self.starts[place + 1]]

    @classmethod
    def by(cls, places: Sequence[int], size: int) -> Adjacency:
        """The indexes of ``places``, by what stands there; negative places are passed over."""
        counts = array("i", bytes(4 * (size + 1)))
        for place in places:
            if place >= 0:
                counts[place + 1] += 1
        starts = array("i", accumulate(counts))
        ends, linked = array("i", starts), array("i", bytes(4 * starts[-1]))
        for index, place in enumerate(places):
            if place >= 0:
                linked[ends[place]] = index
                ends[place] += 1
        return cls(starts, linked)


@dataclass(frozen=True, slots=True)
class CommonView:
    """The forest of the common view; ids are *places*, in the order of their nodes in the index.

    ``identity``   the 32 bytes of `weft.policy.rules.view_id`: equal for equal views
    ``version``    16 bytes: another one for each state of an index
    ``position``   the end of the log when it was made
    ``roots``      the places of the roots, by the bytes of their ids
    ``digests``    `DIGEST_BYTES` for each of them, end to end
    ``withdrawn``  ids of claims that do not count
    """

    policy: Policy
    identity: bytes
    version: bytes
    position: int
    roots: array[int]
    digests: bytes
    withdrawn: frozenset[bytes]
    parents: array[int]
    children: Adjacency
    ghosts: bytearray
    contested: frozenset[int]
    cuts: frozenset[int]
    _nodes: array[int]
    _named: bytearray

    def places_of(self, store: SqliteStore, ids: Sequence[bytes]) -> list[int]:
        """The places of those of the ids that are in this view."""
        places = []
        for node in store.node_numbers(ids):
            place = len(self._nodes) if node is None else bisect_left(self._nodes, node)
            if place < len(self._nodes) and self._nodes[place] == node and self._named[place]:
                places.append(place)
        return places

    def nodes_of(self, places: Sequence[int]) -> list[int]:
        """Their nodes in the index."""
        return [self._nodes[place] for place in places]

    def root_of(self, place: int) -> int:
        """The root of the tree in which a place stands."""
        while (parent := self.parents[place]) >= 0:
            place = parent
        return place

    def tree(self, root: int) -> Iterator[int]:
        """The places of a tree, each before those below it."""
        return _below(root, self.children)

    def threads(self, store: SqliteStore, start: int, count: int) -> list[tuple[bytes, bytes]]:
        """(id of the root, digest) of trees from number ``start`` on."""
        ids = store.ids_of(self.nodes_of(self.roots[start : start + count]))
        offsets = range(start * DIGEST_BYTES, len(self.digests), DIGEST_BYTES)
        return [(name, self.digests[at : at + DIGEST_BYTES]) for name, at in zip(ids, offsets, strict=False)]


def build_common_view(view: View) -> CommonView:
    """The common view of an index.  Reads all of it, some ten microseconds a claim; within the caller's snapshot.

    ``view`` says which index, and under which policy; its rows need not be up to date.
    """
    store, policy = view.store, view.policy.common()
    withdrawn = frozenset(view.withdrawn if _knows_withdrawals(view) else withdrawn_by(store, policy))
    builder, nodes = _number(store, policy)
    claims = _Claims(array("i"), bytearray(), bytearray(len(nodes)))
    position = _hear_all(store, ClaimFilter(policy, set(withdrawn)), builder, claims)
    forest = builder.forest()
    identities = [bytes(claims.identities[at : at + 32]) for at in range(0, len(claims.identities), 32)]
    identity = view_id(policy.view, policy.mute, ((0, name) for name in sorted(identities)))
    children = Adjacency.by(forest.parents, len(nodes))
    roots = _roots(forest, children, claims.named)
    return CommonView(
        policy,
        identity,
        sha256(b"%d %b" % (position, identity)).digest()[:16],
        position,
        roots,
        b"".join(_digests(forest, children, roots, Adjacency.by(claims.places, len(nodes)), identities)),
        withdrawn,
        forest.parents,
        children,
        bytearray(tier == _GHOST for tier in forest.tiers),
        frozenset(forest.contested),
        frozenset(forest.cuts),
        nodes,
        claims.named,
    )


def state_of(store: SqliteStore) -> bytes:
    """Octets that are others when a common view has to be made again."""
    query = "SELECT (SELECT count(*) FROM claims), (SELECT count(*) FROM expunged)"
    [counts] = store.connection.execute(query).fetchall()
    return b"%d %d %d" % (store.position(), *counts)


class _Claims(NamedTuple):
    """What is remembered of the claims that count: what each is about, its id, and which ids they name at all."""

    places: array[int]
    identities: bytearray
    named: bytearray


def _knows_withdrawals(view: View) -> bool:
    """Whether the rows say what is withdrawn in the common view too: a muted withdrawal is missing in them."""
    return view.follow() and view.policy.mute == NO_MUTES


def _number(store: SqliteStore, policy: Policy) -> tuple[ForestBuilder, array[int]]:
    """A weaver that knows all ids of the index, and the node of each of its places, ascending."""
    builder, nodes = ForestBuilder(policy.view.profile), array("q")
    cursor = store.connection.execute("SELECT node, id FROM ids ORDER BY node")
    while rows := cursor.fetchmany(_IDS):
        builder.nodes([[literal for _, literal in rows]])
        nodes.extend(node for node, _ in rows)
    if len(builder.ids) != len(nodes):
        raise StoreError(f"{store.path}: an id has two numbers; run: weft check --repair")
    return builder, nodes


def _hear_all(store: SqliteStore, claim_filter: ClaimFilter, builder: ForestBuilder, claims: _Claims) -> int:
    """Weave all claims that count; the position of the last one of the log."""
    after, find = 0, builder.find
    while page := store.log(after, PAGE):
        for held in _patiently(page):
            claim = read_claim(held)
            if not isinstance(claim, Claim) or claim_filter.hidden(held.identity, claim):
                continue
            place = find(claim.message_id)
            if claim.doubtful:
                sure = [find(name) for name in claim.sure_ids]
                if place is None or None in sure:
                    continue
                replies_and_chain = claim.marked
                builder.add_doubtful(place, replies_and_chain[0], claim.sane, replies_and_chain[1])
                claims.places.append(place)
                claims.identities.extend(held.identity)
                for other in (place, *sure):
                    claims.named[other or 0] = 1
                continue
            replies = [find(name) for name in claim.in_reply_to]
            references = [find(name) for name in claim.references]
            known = [other for other in (place, *replies, *references) if other is not None]
            if place is None or len(known) < 1 + len(replies) + len(references):  # damaged: `Index.check` names it
                continue
            count = 1 + len(replies)
            builder.add(place, known[1:count], claim.sane, known[count:])
            claims.places.append(place)
            claims.identities.extend(held.identity)
            for other in known:
                claims.named[other] = 1
        after = page[-1].position
    return after


def _roots(forest: Forest, children: Adjacency, named: bytearray) -> array[int]:
    """The roots of all trees but those of one ghost, by id."""
    starts = children.starts
    roots = [
        place
        for place, parent in enumerate(forest.parents)
        if parent == NONE and named[place] and (forest.tiers[place] != _GHOST or starts[place] < starts[place + 1])
    ]
    return array("i", sorted(roots, key=forest.ids.__getitem__))


def _digests(
    forest: Forest, children: Adjacency, roots: Sequence[int], about: Adjacency, identities: Sequence[bytes]
) -> Iterator[bytes]:
    """The digest of each tree; ``about`` are the numbers of the claims about each place."""
    ids, parents = forest.ids, forest.parents
    for root in _patiently(roots):
        claims, edges = [], []
        for place in _below(root, children):
            claims += [identities[number] for number in about.of(place)]
            if place != root:
                edges.append((ids[place], ids[parents[place]]))
        yield thread_digest(claims, edges)[:DIGEST_BYTES]


def _patiently(items: Sequence[T]) -> Iterator[T]:
    """The items, with pauses for other threads: a server answers clients meanwhile, and each answer changes threads."""
    for start in range(0, len(items), _PAUSE):
        time.sleep(0)
        yield from items[start : start + _PAUSE]


def _below(root: int, children: Adjacency) -> Iterator[int]:
    """A place and all below it, depth first."""
    waiting = [root]
    while waiting:
        place = waiting.pop()
        yield place
        waiting.extend(reversed(children.of(place)))


def identify(store: SqliteStore, policy: Policy) -> bytes:
    """The 32 bytes that `weft.policy.rules.view_id` gives what counts under a policy.  Reads all of the log."""
    sorter = sqlite3.connect("", isolation_level=None)
    try:
        sorter.execute("BEGIN")
        sorter.execute("CREATE TABLE counted (ranked BLOB PRIMARY KEY) WITHOUT ROWID")
        for page in _counted(store, policy):
            sorter.executemany("INSERT INTO counted VALUES (?)", page)
        ranked = sorter.execute("SELECT ranked FROM counted ORDER BY ranked")
        return view_id(policy.view, policy.mute, ((data[0], data[1:]) for (data,) in ranked), policy.aliases)
    finally:
        sorter.close()


def _counted(store: SqliteStore, policy: Policy) -> Iterator[list[tuple[bytes]]]:
    """Tier and id of the claims that count, page by page."""
    claim_filter = ClaimFilter(policy, withdrawn_by(store, policy))
    after = 0
    while page := store.log(after, PAGE):
        found = []
        for held in page:
            claim = read_claim(held)
            if isinstance(claim, Claim) and not claim_filter.hidden(held.identity, claim):
                tier = claim_filter.tier(claim.feed)
                assert tier is not None
                found.append((bytes((tier,)) + held.identity,))
        yield found
        after = page[-1].position
