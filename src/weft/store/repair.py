"""Repairing an index on disk: make again what follows from the claims, take out what is damaged.

Theory of operation
-------------------
If a batch does not lead to the root that was signed, the claims in it whose ids do not fit their keys are the damaged
ones.  They are taken out, so that a peer can give them again; their octets go to the table ``lost``.

The others of the batch are sound, but without the missing ids nothing proves them.  They stay and are seen, but `holds`
says no to them, so that peers give them again as well; then they move to the batch that they come with.  Those of our
own can be signed anew (`weft.store.sqlite.SqliteStore.unproved`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from weft.core.claim import Claim, Withdrawal
from weft.errors import ClaimError, StoreError
from weft.store.batches import Batches, Row
from weft.store.check import Checker, Problem, fault, feed_name, ids_in, named, read
from weft.store.migrations import CLAIM_KEYS, ID_KEYS, REFS, RUNS
from weft.store.nodes import Nodes, in_key_order
from weft.store.writing import KEY_OCTETS

_PAGE = 2000


class Repairer:
    """Repairs through one connection, in the caller's transaction."""

    def __init__(
        self, connection: sqlite3.Connection, key: Callable[[bytes], int], nodes: Nodes, batches: Batches
    ) -> None:
        self._connection = connection
        self._key = key
        self._nodes = nodes
        self._batches = batches
        self._checker = Checker(connection, key, nodes, batches)

    def repair(self) -> list[Problem]:
        """Repair all; what was lost.  `StoreError` if the file itself is too damaged."""
        losses = [*self._rebuild_runs()]
        for batch in self._batches.numbers():
            losses += self._mend(batch)
        self._rebuild_claim_keys()
        self._rebuild_id_keys()
        self.rebuild_refs()
        self._connection.execute(
            "UPDATE feeds SET claims = (SELECT count(*) FROM batches JOIN claims USING (batch) "
            "WHERE batches.feed = feeds.feed)"
        )
        self._connection.execute("REINDEX")
        if problem := next(self._checker.pages(), None):
            raise StoreError(f"the index is beyond repair ({problem}); restore it from a backup, or ingest anew")
        return losses

    def rebuild_refs(self) -> None:
        """Make the reverse references, and the nodes that claims are about, again from the claims."""
        self._make_again("refs", REFS)
        for page in self._log():
            claims = [(row, claim) for row in page if (claim := _readable(row)) is not None]
            nodes = self._nodes.numbers(ids_in(claim for _, claim in claims), create=True)
            about = [(nodes[claim.message_id], row.position) for row, claim in claims]
            self._connection.executemany("UPDATE claims SET node = ?1 WHERE position = ?2 AND node <> ?1", about)
            refs = sorted((nodes[octets], row.position) for row, claim in claims for octets in named(claim))
            self._connection.executemany("INSERT INTO refs VALUES (?, ?)", refs)

    def _mend(self, batch: int) -> Iterator[Problem]:
        """Take the damaged claims out of a batch that proves nothing, and mark it."""
        signed, proof = self._batches.row(batch)
        rows = self._batches.rows(batch)
        damaged = []
        if proof != b"":
            if not fault(signed, proof, rows):
                return
            damaged = [row for row in rows if self._is_damaged(row)]
        self._take_out(row.position for row in damaged)
        for row in damaged:
            what = f"of {feed_name(signed)}: damaged, and taken out; a peer or its mail can give it again"
            yield Problem(what, batch, row.position)
        if sound := len(rows) - len(damaged):
            self._connection.execute("UPDATE batches SET proof = x'' WHERE batch = ?", (batch,))
            what = f"batch {batch} of {feed_name(signed)} proves nothing; {sound} claims are kept until they come again"
            yield Problem(what, batch)
        else:
            self._connection.execute("DELETE FROM batches WHERE batch = ?", (batch,))
            self._connection.execute("DELETE FROM runs WHERE batch = ?", (batch,))

    def _is_damaged(self, row: Row) -> bool:
        return (row.octets is not None and _readable(row) is None) or not self._checker.has_key(row)

    def _take_out(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._connection.execute(
                "INSERT INTO lost SELECT position, batch, leaf, octets FROM claims WHERE position = ?", (position,)
            )
            self._connection.execute("DELETE FROM claims WHERE position = ?", (position,))
            self._connection.execute("DELETE FROM expunged WHERE position = ?", (position,))

    def _rebuild_runs(self) -> Iterator[Problem]:
        """Find out again where the claims of each batch stand."""
        self._make_again("runs", RUNS)
        known = set(self._batches.numbers())
        rows = self._connection.execute("SELECT batch, leaf, position FROM claims ORDER BY batch, leaf, position DESC")
        outside: list[int] = []
        for batch, group in groupby(rows, itemgetter(0)):
            leaves: dict[int, int] = {}
            for _, leaf, position in group:
                # Of two claims at one leaf, the newer came because the older did not fit its id any more.
                if batch not in known or leaves.setdefault(leaf, position) != position:
                    outside.append(position)
            if batch in known:
                self._batches.add_leaves(batch, list(leaves.items()))
        self._take_out(outside)
        for position in outside:
            yield Problem("stood in no batch, and is taken out; a peer or its mail can give it again", None, position)

    def _rebuild_claim_keys(self) -> None:
        self._make_again("claim_keys", CLAIM_KEYS)
        for page in self._log():
            prefixes = [row.identity[:KEY_OCTETS] for row in page]
            keys = in_key_order(map(self._key, prefixes), [row.position for row in page])
            self._connection.executemany("INSERT INTO claim_keys VALUES (?, ?)", keys)

    def _rebuild_id_keys(self) -> None:
        self._make_again("id_keys", ID_KEYS)
        after = 0
        while rows := self._connection.execute(
            "SELECT node, id FROM ids WHERE node > ? ORDER BY node LIMIT ?", (after, _PAGE)
        ).fetchall():
            after = rows[-1][0]
            keys = in_key_order([self._key(octets) for _, octets in rows], [node for node, _ in rows])
            self._connection.executemany("INSERT INTO id_keys VALUES (?, ?)", keys)
        self._nodes.forget()

    def _make_again(self, table: str, statement: str) -> None:
        """An empty table in the place of one that may be damaged."""
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.execute(statement)

    def _log(self) -> Iterator[list[Row]]:
        """All claims, some at a time."""
        after = 0
        while rows := self._connection.execute(
            "SELECT claims.position, node, leaf, octets, expunged.identity FROM claims LEFT JOIN expunged "
            "ON expunged.position = claims.position WHERE claims.position > ? ORDER BY claims.position LIMIT ?",
            (after, _PAGE),
        ).fetchall():
            after = rows[-1][0]
            yield [Row(*row) for row in rows]


def _readable(row: Row) -> Claim | Withdrawal | None:
    """The claim in a row; None if it was expunged or is damaged."""
    try:
        return read(row)
    except ClaimError:
        return None
