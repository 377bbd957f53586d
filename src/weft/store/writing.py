"""Putting claims into an index on disk, some thousands at a time.

Theory of operation
-------------------
Parts come in any number and size; they are written in **loads**, so that each table is met once a load, in the order
of its keys: what costs is the page of a tree, not the row in it.  First the claims that are held already are told from
the others, with one look-up for all that were not looked for just before (`Writer.absent`); then all ids are numbered,
with another; then the rows are written.

A claim that is held in a batch that proves nothing any more (`weft.store.check`) moves to the batch that it comes with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from weft.core.claim import Claim
from weft.core.merkle import PartialTree
from weft.core.signing import SignedRoot
from weft.store.base import Held, NewClaim, Part, Place, Stored
from weft.store.batches import UNPROVED, Batches
from weft.store.nodes import Nodes, in_key_order, insert
from weft.store.parts import check_part

KEY_OCTETS = 16
"""Of a claim id: what a claim is found by."""
_LOAD_CLAIMS = 4096
_LOAD_OCTETS = 8 << 20
_NO_PLACE = (None, None, None)
_new = tuple.__new__  # the named tuple's own constructor takes three times as long


@dataclass(slots=True)
class _Arrival:
    """What comes for one batch in one load."""

    signed: SignedRoot
    new: bool
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
    fresh: list[tuple[int, int, NewClaim]] = field(default_factory=list)
    """(position, batch, claim) of what was not held."""
    at: dict[bytes, int] = field(default_factory=dict)
    """The positions of these."""
    moves: list[tuple[int, int, int]] = field(default_factory=list)
    """(batch, leaf, position) of claims that move to another batch."""
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(file, offset, length, position) of claims whose place becomes known."""

    def held(self, identity: bytes) -> Held | None:
        """A claim of this load as it will be held."""
        position = self.at.get(identity)
        if position is None:
            return None
        _, batch, claim = self.fresh[position - self.fresh[0][0]]
        return Held(position, identity, claim.octets, batch, claim.leaf, claim.place)


class Writer:
    """Writes parts through one connection, inside the transaction that the caller opened."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        key: Callable[[bytes], int],
        nodes: Nodes,
        batches: Batches,
        find: Callable[[Iterable[int]], Iterable[Held]],
    ) -> None:
        """``find`` gives the claims that have some keys."""
        self._connection = connection
        self._key = key
        self._nodes = nodes
        self._batches = batches
        self._find = find
        self.absent: dict[bytes, int] = {}
        """Claims that are known not to be held, with their keys: who puts has often asked just before."""

    def put(self, parts: Iterable[Part]) -> list[Stored]:
        """`weft.store.base.Store.put`."""
        stored: list[Stored] = []
        for group in _groups(parts):
            stored += self._write(self._sort_out(group))
        return stored

    def _sort_out(self, parts: Sequence[Part]) -> _Load:
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

    def _place_all(self, load: _Load, part: Part, identities: Sequence[bytes]) -> None:
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

    def _place_some(self, load: _Load, part: Part, held: dict[bytes, Held], unproved: set[int]) -> None:
        """The same where some are held, or stand there twice."""
        batch = 0
        for claim in part.claims:
            known = held.get(claim.identity) or load.held(claim.identity)
            if known is None or known.batch in unproved:
                batch = batch or self._arrive(part, load)
                held[claim.identity] = _place_claim(load, batch, claim, known)
            elif claim.place is not None and known.place is None and known.octets:
                load.places.append((*claim.place, known.position))
                held[claim.identity] = known._replace(place=claim.place)

    def _write(self, load: _Load) -> list[Stored]:
        stored = self._insert(load.fresh)
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

    def _arrive(self, part: Part, load: _Load) -> int:
        batch, new = self._batches.number(part.signed)
        load.arrivals.setdefault(batch, _Arrival(part.signed, new)).trees.append(part.tree)
        return batch

    def _held(self, identities: Sequence[bytes]) -> dict[bytes, Held]:
        """The claims with these ids that are held."""
        wanted = set(identities).difference(self.absent)
        found = self._find([self._key(identity[:KEY_OCTETS]) for identity in wanted])
        return {held.identity: held for held in found if held.identity in wanted}

    def _last_position(self) -> int:
        """The newest position that was ever given."""
        [(last,)] = self._connection.execute(
            "SELECT max(coalesce((SELECT max(position) FROM claims), 0), coalesce((SELECT max(position) FROM lost), 0))"
        ).fetchall()
        return int(last)

    def _insert(self, fresh: Sequence[tuple[int, int, NewClaim]]) -> list[Stored]:
        """Write the rows of new claims, generated as they go: lists of tuples keep the garbage collector busy."""
        nodes = self._nodes.numbers(_ids_in(fresh), create=True)
        stored = [_stored(position, claim, nodes) for position, _, claim in fresh]
        rows = (
            (position, one.node, batch, claim.leaf, *(claim.place or _NO_PLACE), claim.octets)
            for one, (position, batch, claim) in zip(stored, fresh, strict=True)
        )
        insert(self._connection, "claims", rows, 8)
        known = self.absent.pop
        keys = [known(claim.identity, 0) or self._key(claim.identity[:KEY_OCTETS]) for _, _, claim in fresh]
        insert(self._connection, "claim_keys", in_key_order(keys, [position for position, _, _ in fresh]))
        refs = ((target, one.position) for one in stored for target in {*one.reference_nodes, *one.reply_nodes})
        insert(self._connection, "refs", refs)
        return stored


def _stored(position: int, claim: NewClaim, nodes: Mapping[bytes, int]) -> Stored:
    parsed = claim.parsed
    node = nodes[parsed.message_id]
    if type(parsed) is Claim:
        number = nodes.__getitem__
        replies, references = tuple(map(number, parsed.in_reply_to)), tuple(map(number, parsed.references))
        return _new(Stored, (position, claim, node, replies, references))
    return Stored(position, claim, node, (), ())


def _place_claim(load: _Load, batch: int, claim: NewClaim, known: Held | None) -> Held:
    """Give a claim its position, or another batch if it has one; how it is held from now on."""
    arrival = load.arrivals[batch]
    place: Place | None = claim.place
    if known is None:
        load.last += 1
        position = load.last
        load.fresh.append((position, batch, claim))
        arrival.fresh += 1
    else:
        position = known.position
        load.moves.append((batch, claim.leaf, position))
        if place is not None and known.place is None and known.octets:
            load.places.append((*place, position))
        else:
            place = known.place
    arrival.placed.append((claim.leaf, position, claim.identity))
    octets = claim.octets if known is None else known.octets
    return Held(position, claim.identity, octets, batch, claim.leaf, place)


def _ids_in(fresh: Iterable[tuple[int, int, NewClaim]]) -> dict[bytes, None]:
    """The message ids in some claims, in the order in which they should be numbered: oldest first, thread by thread."""
    ids: list[bytes] = []
    for _, _, claim in fresh:
        parsed = claim.parsed
        if type(parsed) is Claim:
            ids += parsed.references
            ids += parsed.in_reply_to
        ids.append(parsed.message_id)
    return dict.fromkeys(ids)


def _groups(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Parts, as many as are written at a time."""
    group: list[Part] = []
    claims = octets = 0
    for part in parts:
        check_part(part)
        group.append(part)
        claims += len(part.claims)
        octets += sum([len(claim.octets) for claim in part.claims])
        if claims >= _LOAD_CLAIMS or octets >= _LOAD_OCTETS:
            yield group
            group, claims, octets = [], 0, 0
    if group:
        yield group
