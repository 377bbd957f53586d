"""The batches of an index on disk: what was signed, which claims stand under it, and the proofs of these.

A whole batch costs its root, its signature and one run.  A batch of which some leaves are held keeps the hashes beside
them; their ids are computed from the claims when they are needed.

Putting claims into an index on disk, some thousands at a time.

Theory of operation
-------------------
Parts come in any number and size; they are written in **loads**, so that each table is met once a load, in the order
of its keys: what costs is the page of a tree, not the row in it.  First the claims that are held already are told from
the others, with one look-up for all that were not looked for just before (`ClaimWriter.absent`); then all ids are
numbered, with another; then the rows are written.

A claim that is held in a batch that proves nothing any more (`weft.store.fsck`) moves to the batch that it comes with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, repeat
from operator import itemgetter
from typing import NamedTuple

from weft.core.claim import Claim, claim_id
from weft.core.feed import Feed
from weft.core.merkle import Multiproof, PartialTree
from weft.core.signing import SignedRoot
from weft.errors import ClaimError, StoreError
from weft.store.batch_proofs import check_part, joined, kept_proof, tree_of
from weft.store.feed_runs import FeedRun, FeedRuns
from weft.store.id_table import IdTable, in_key_order, insert
from weft.store.interface import InsertedClaim, MailLocation, StoredClaim, VerifiedClaim, VerifiedPart

UNPROVED = "SELECT batch FROM batches WHERE proof = x''"
"""The batches that can prove nothing any more."""

_ROWS = (
    "SELECT claims.position, claims.node, claims.leaf, claims.octets, expunged.identity FROM runs "
    "CROSS JOIN claims ON claims.position BETWEEN runs.position AND runs.position + runs.count - 1 "
    "AND claims.batch = runs.batch LEFT JOIN expunged ON expunged.position = claims.position "
    "WHERE runs.batch = ? ORDER BY claims.leaf"
)


class LeafRow(NamedTuple):
    """A claim as it stands under its batch."""

    position: int
    node: int
    leaf: int
    data: bytes | None
    """None if it was expunged."""
    expunged: bytes | None
    """Its id, if it was expunged."""

    @property
    def identity(self) -> bytes:
        """Its claim id, computed unless it was expunged."""
        return (self.expunged or b"") if self.data is None else claim_id(self.data)


class Batches:
    """The tables ``feeds``, ``batches`` and ``runs``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def feeds(self) -> dict[Feed, int]:
        """How many claims are held of each feed."""
        rows = self._connection.execute("SELECT origin, list, claims FROM feeds WHERE claims > 0")
        return {Feed(origin, name): count for origin, name, count in rows}

    def signed(self, batch: int) -> tuple[SignedRoot, PartialTree]:
        """The signed root of a batch and what is known of its tree; `StoreError` if there is none, or it is damaged."""
        signed, proof = self.row(batch)
        tree = load_tree(signed, proof, self.leaves(batch))
        if tree is None:
            raise StoreError(f"batch {batch} is damaged and proves nothing; run: weft check --repair")
        return signed, tree

    def numbers(self) -> list[int]:
        """The numbers of all batches."""
        return [batch for (batch,) in self._connection.execute("SELECT batch FROM batches ORDER BY batch")]

    def row(self, batch: int) -> tuple[SignedRoot, bytes | None]:
        """The signed root and the kept proof, as they are written."""
        found = self._connection.execute(
            "SELECT origin, list, leaf_count, root, signature, proof FROM batches JOIN feeds USING (feed) "
            "WHERE batch = ?",
            (batch,),
        ).fetchone()
        if found is None:
            raise StoreError(f"there is no batch {batch} in this index")
        return SignedRoot(*found[:5]), found[5]

    def feed(self, batch: int) -> Feed:
        """The feed of a batch."""
        query = "SELECT origin, list FROM batches JOIN feeds USING (feed) WHERE batch = ?"
        found = self._connection.execute(query, (batch,)).fetchone()
        if found is None:
            raise StoreError(f"there is no batch {batch} in this index")
        return Feed(*found)

    def rows(self, batch: int) -> list[LeafRow]:
        """The claims that are held under a batch, by leaf."""
        return [LeafRow(*row) for row in self._connection.execute(_ROWS, (batch,))]

    def leaves(self, batch: int) -> dict[int, bytes]:
        """The ids of the claims that are held under a batch."""
        return {row.leaf: row.identity for row in self.rows(batch)}

    def number(self, signed: SignedRoot) -> tuple[int, bool, int]:
        """The number of a batch, whether it is new here, and the number of its feed."""
        feed = self._feed(Feed(signed.origin, signed.list))
        found = self._connection.execute(
            "SELECT batch FROM batches WHERE substr(root, 1, 8) = ? AND root = ? AND feed = ? AND leaf_count = ? "
            "AND proof IS NOT x''",
            (signed.root[:8], signed.root, feed, signed.leaf_count),
        ).fetchone()
        if found:
            return found[0], False, feed
        row = (feed, signed.leaf_count, signed.root, signed.signature)
        cursor = self._connection.execute(
            "INSERT INTO batches (feed, leaf_count, root, signature) VALUES (?, ?, ?, ?)", row
        )
        return int(cursor.lastrowid or 0), True, feed

    def add_leaves(self, batch: int, placed: Sequence[tuple[int, int]]) -> None:
        """Note where leaves stand: (leaf, position), whose claims name the batch already."""
        runs: list[list[int]] = []
        for leaf, position in placed:
            last = runs[-1] if runs else None
            if last and (leaf - last[1], position - last[2]) == (last[3], last[3]):
                last[3] += 1
            else:
                runs.append([batch, leaf, position, 1])
        self._connection.executemany("INSERT INTO runs (batch, leaf, position, count) VALUES (?, ?, ?, ?)", runs)

    def keep_proof(self, batch: int, trees: Sequence[PartialTree], fresh: Mapping[int, bytes] | None) -> None:
        """Work out the proof of the leaves held now.

        ``fresh`` are these leaves if the batch is new; else they are read, with what was known of the batch before.
        """
        leaf_count = trees[0].leaf_count
        if fresh is not None and len(fresh) == leaf_count:
            return
        leaves = self.leaves(batch) if fresh is None else fresh
        known = list(trees)
        if fresh is None and len(leaves) < leaf_count:
            signed, proof = self.row(batch)
            before = load_tree(signed, proof, leaves)
            if before is None:
                raise StoreError(f"batch {batch} is damaged and cannot take more claims; run: weft check --repair")
            known.append(before)
        kept = kept_proof(joined(known), leaves)
        self._connection.execute(
            "UPDATE batches SET proof = ? WHERE batch = ?", (None if kept is None else kept.encode(), batch)
        )

    def count(self, signed: SignedRoot, claims: int) -> None:
        """That many more claims of a feed are held."""
        self._connection.execute(
            "UPDATE feeds SET claims = claims + ? WHERE origin = ? AND list = ?", (claims, signed.origin, signed.list)
        )

    def _feed(self, feed: Feed) -> int:
        found = self._connection.execute("SELECT feed FROM feeds WHERE origin = ? AND list = ?", feed).fetchone()
        if found:
            return int(found[0])
        cursor = self._connection.execute("INSERT INTO feeds (origin, list, claims) VALUES (?, ?, 0)", feed)
        return int(cursor.lastrowid or 0)


def load_tree(signed: SignedRoot, proof: bytes | None, leaves: Mapping[int, bytes]) -> PartialTree | None:
    """The tree that a kept proof makes with the ids at its leaves; None if it is damaged."""
    try:
        decoded = None if proof is None else Multiproof.decode(proof)
    except ClaimError:
        return None
    return tree_of(signed.leaf_count, signed.root, leaves, decoded)


KEY_BYTES = 16
"""Of a claim id: what a claim is found by."""
_LOAD_CLAIMS = 4096
_LOAD_BYTES = 8 << 20
_NO_PLACE = (None, None, None)
_new = tuple.__new__  # the named tuple's own constructor takes three times as long


@dataclass(slots=True)
class _Arrival:
    """What comes for one batch in one load."""

    signed: SignedRoot
    new: bool
    feed: int
    """Its number."""
    trees: list[PartialTree] = field(default_factory=list)
    placed: list[tuple[int, int, bytes]] = field(default_factory=list)
    """(leaf, position, claim id)."""
    fresh: int = 0


@dataclass(slots=True)
class _Load:
    """What one load changes."""

    last: int
    """The newest position."""
    arrivals: dict[int, _Arrival] = field(default_factory=dict)
    """By the number of the batch."""
    fresh: list[tuple[int, int, VerifiedClaim]] = field(default_factory=list)
    """(position, batch, claim) of what was not held."""
    at: dict[bytes, int] = field(default_factory=dict)
    """The positions of these."""
    moves: list[tuple[int, int, int]] = field(default_factory=list)
    """(batch, leaf, position) of claims that move to another batch."""
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(file, offset, length, position) of claims whose place becomes known."""

    def runs(self) -> Iterator[FeedRun]:
        """Where what was not held stands, feed by feed."""
        for batch, claims in groupby(self.fresh, itemgetter(1)):
            positions = [position for position, _, _ in claims]
            yield FeedRun(self.arrivals[batch].feed, positions[0], len(positions))

    def held(self, identity: bytes) -> StoredClaim | None:
        """A claim of this load as it will be held."""
        position = self.at.get(identity)
        if position is None:
            return None
        _, batch, claim = self.fresh[position - self.fresh[0][0]]
        return StoredClaim(position, identity, claim.data, batch, claim.leaf, claim.place)


class ClaimWriter:
    """Writes parts through one connection, inside the transaction that the caller opened."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        key: Callable[[bytes], int],
        nodes: IdTable,
        batches: Batches,
        find: Callable[[Iterable[int]], Iterable[StoredClaim]],
    ) -> None:
        """``find`` gives the claims that have some keys."""
        self._connection = connection
        self._key = key
        self._nodes = nodes
        self._batches = batches
        self._feed_runs = FeedRuns(connection)
        self._find = find
        self.absent: dict[bytes, int] = {}
        """Claims that are known not to be held, with their keys: who puts has often asked just before."""

    def put(self, parts: Iterable[VerifiedPart]) -> list[InsertedClaim]:
        """`weft.store.interface.Store.put`."""
        stored: list[InsertedClaim] = []
        for group in _groups(parts):
            stored += self._write(self._sort_out(group))
        return stored

    def _sort_out(self, parts: Sequence[VerifiedPart]) -> _Load:
        """What is new of some parts, and what else they change."""
        held = self._held([claim.identity for part in parts for claim in part.claims])
        unproved = {batch for (batch,) in self._connection.execute(UNPROVED)} if held else set()
        load = _Load(self._last_position())
        for part in parts:
            identities = [claim.identity for claim in part.claims]
            distinct = set(identities)
            if (
                held.keys().isdisjoint(distinct)
                and load.at.keys().isdisjoint(distinct)
                and len(distinct) == len(identities)
            ):
                self._place_all(load, part, identities)
            else:
                self._place_some(load, part, held, unproved)
        return load

    def _place_all(self, load: _Load, part: VerifiedPart, identities: Sequence[bytes]) -> None:
        """Give positions to the claims of a part of which none is held."""
        if not identities:
            return
        batch = self._arrive(part, load)
        positions = range(load.last + 1, load.last + 1 + len(identities))
        load.last = positions[-1]
        load.fresh += zip(positions, repeat(batch), part.claims)
        load.at.update(zip(identities, positions, strict=True))
        load.arrivals[batch].fresh += len(identities)
        load.arrivals[batch].placed += [
            (claim.leaf, position, claim.identity) for position, claim in zip(positions, part.claims, strict=True)
        ]

    def _place_some(self, load: _Load, part: VerifiedPart, held: dict[bytes, StoredClaim], unproved: set[int]) -> None:
        """The same where some are held, or stand there twice."""
        batch = 0
        for claim in part.claims:
            known = held.get(claim.identity) or load.held(claim.identity)
            if known is None or known.batch in unproved:
                batch = batch or self._arrive(part, load)
                held[claim.identity] = _place_claim(load, batch, claim, known)
            elif claim.place is not None and known.place is None and known.data:
                load.places.append((*claim.place, known.position))
                held[claim.identity] = known._replace(place=claim.place)

    def _write(self, load: _Load) -> list[InsertedClaim]:
        stored = self._insert(load.fresh)
        self._feed_runs.add(load.runs())
        self._connection.executemany("UPDATE claims SET batch = ?, leaf = ? WHERE position = ?", load.moves)
        self._connection.executemany(
            "UPDATE claims SET file = ?, offset = ?, length = ? WHERE position = ?", load.places
        )
        for batch, arrival in load.arrivals.items():
            self._batches.add_leaves(batch, [(leaf, position) for leaf, position, _ in arrival.placed])
            leaves = {leaf: identity for leaf, _, identity in arrival.placed} if arrival.new else None
            self._batches.keep_proof(batch, arrival.trees, leaves)
            self._batches.count(arrival.signed, arrival.fresh)
        return stored

    def _arrive(self, part: VerifiedPart, load: _Load) -> int:
        batch, new, feed = self._batches.number(part.signed)
        load.arrivals.setdefault(batch, _Arrival(part.signed, new, feed)).trees.append(part.tree)
        return batch

    def _held(self, identities: Sequence[bytes]) -> dict[bytes, StoredClaim]:
        """The claims with these ids that are held."""
        wanted = set(identities).difference(self.absent)
        found = self._find([self._key(identity[:KEY_BYTES]) for identity in wanted])
        return {held.identity: held for held in found if held.identity in wanted}

    def _last_position(self) -> int:
        """The newest position that was ever given."""
        [(last,)] = self._connection.execute(
            "SELECT max(coalesce((SELECT max(position) FROM claims), 0), coalesce((SELECT max(position) FROM lost), 0))"
        ).fetchall()
        return int(last)

    def _insert(self, fresh: Sequence[tuple[int, int, VerifiedClaim]]) -> list[InsertedClaim]:
        """Write the rows of new claims, generated as they go: lists of tuples keep the garbage collector busy."""
        nodes = self._nodes.numbers(_ids_in(fresh), create=True)
        stored = [_stored(position, claim, nodes) for position, _, claim in fresh]
        rows = (
            (position, one.node, batch, claim.leaf, *(claim.place or _NO_PLACE), claim.data)
            for one, (position, batch, claim) in zip(stored, fresh, strict=True)
        )
        insert(self._connection, "claims", rows, 8)
        known = self.absent.pop
        keys = [known(claim.identity, 0) or self._key(claim.identity[:KEY_BYTES]) for _, _, claim in fresh]
        insert(self._connection, "claim_keys", in_key_order(keys, [position for position, _, _ in fresh]))
        refs = ((target, one.position) for one in stored for target in {*one.reference_nodes, *one.reply_nodes})
        insert(self._connection, "refs", refs)
        return stored


def _stored(position: int, claim: VerifiedClaim, nodes: Mapping[bytes, int]) -> InsertedClaim:
    parsed = claim.parsed
    node = nodes[parsed.message_id]
    if type(parsed) is Claim:
        number = nodes.__getitem__
        replies, references = tuple(map(number, parsed.in_reply_to)), tuple(map(number, parsed.references))
        return _new(InsertedClaim, (position, claim, node, replies, references))
    return InsertedClaim(position, claim, node, (), ())


def _place_claim(load: _Load, batch: int, claim: VerifiedClaim, known: StoredClaim | None) -> StoredClaim:
    """Give a claim its position, or another batch if it has one; how it is held from now on."""
    arrival = load.arrivals[batch]
    place: MailLocation | None = claim.place
    if known is None:
        load.last += 1
        position = load.last
        load.fresh.append((position, batch, claim))
        arrival.fresh += 1
    else:
        position = known.position
        load.moves.append((batch, claim.leaf, position))
        if place is not None and known.place is None and known.data:
            load.places.append((*place, position))
        else:
            place = known.place
    arrival.placed.append((claim.leaf, position, claim.identity))
    data = claim.data if known is None else known.data
    return StoredClaim(position, claim.identity, data, batch, claim.leaf, place)


def _ids_in(fresh: Iterable[tuple[int, int, VerifiedClaim]]) -> dict[bytes, None]:
    """The message ids in some claims, in the order in which they should be numbered: oldest first, thread by thread."""
    ids: list[bytes] = []
    for _, _, claim in fresh:
        parsed = claim.parsed
        if type(parsed) is Claim:
            ids += parsed.references
            ids += parsed.in_reply_to
        ids.append(parsed.message_id)
    return dict.fromkeys(ids)


def _groups(parts: Iterable[VerifiedPart]) -> Iterator[list[VerifiedPart]]:
    """Parts, as many as are written at a time."""
    group: list[VerifiedPart] = []
    claims = data = 0
    for part in parts:
        check_part(part)
        group.append(part)
        claims += len(part.claims)
        data += sum([len(claim.data) for claim in part.claims])
        if claims >= _LOAD_CLAIMS or data >= _LOAD_BYTES:
            yield group
            group, claims, data = [], 0, 0
    if group:
        yield group
