"""The batches of an index on disk: what was signed, which claims stand under it, and the proofs of these.

A whole batch costs its root, its signature and one run.  A batch of which some leaves are held keeps the hashes beside
them; their ids are computed from the claims when they are needed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from weft.core.claim import claim_id
from weft.core.feed import Feed
from weft.core.merkle import Multiproof, PartialTree
from weft.core.signing import SignedRoot
from weft.errors import ClaimError, StoreError
from weft.store.parts import joined, kept_proof, tree_of

UNPROVED = "SELECT batch FROM batches WHERE proof = x''"
"""The batches that can prove nothing any more."""

_ROWS = (
    "SELECT claims.position, claims.node, claims.leaf, claims.octets, expunged.identity FROM runs "
    "CROSS JOIN claims ON claims.position BETWEEN runs.position AND runs.position + runs.count - 1 "
    "AND claims.batch = runs.batch LEFT JOIN expunged ON expunged.position = claims.position "
    "WHERE runs.batch = ? ORDER BY claims.leaf"
)


class Row(NamedTuple):
    """A claim as it stands under its batch."""

    position: int
    node: int
    leaf: int
    octets: bytes | None
    """None if it was expunged."""
    expunged: bytes | None
    """Its id, if it was expunged."""

    @property
    def identity(self) -> bytes:
        """Its claim id, computed unless it was expunged."""
        return (self.expunged or b"") if self.octets is None else claim_id(self.octets)


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

    def rows(self, batch: int) -> list[Row]:
        """The claims that are held under a batch, by leaf."""
        return [Row(*row) for row in self._connection.execute(_ROWS, (batch,))]

    def leaves(self, batch: int) -> dict[int, bytes]:
        """The ids of the claims that are held under a batch."""
        return {row.leaf: row.identity for row in self.rows(batch)}

    def number(self, signed: SignedRoot) -> tuple[int, bool]:
        """The number of a batch, and whether it is new here."""
        feed = self._feed(Feed(signed.origin, signed.list))
        found = self._connection.execute(
            "SELECT batch FROM batches WHERE substr(root, 1, 8) = ? AND root = ? AND feed = ? AND leaf_count = ? "
            "AND proof IS NOT x''",
            (signed.root[:8], signed.root, feed, signed.leaf_count),
        ).fetchone()
        if found:
            return found[0], False
        row = (feed, signed.leaf_count, signed.root, signed.signature)
        cursor = self._connection.execute(
            "INSERT INTO batches (feed, leaf_count, root, signature) VALUES (?, ?, ?, ?)", row
        )
        return int(cursor.lastrowid or 0), True

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
