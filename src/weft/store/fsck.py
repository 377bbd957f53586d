"""Checking an index on disk: nothing is believed that can be computed.

The id of each claim follows from its bytes, the root of each batch from the ids, the keys and who refers to whom from
the claims.  What is wrong is named as it is found, one batch in memory at a time; what to do about it is told in
`weft.store.fsck`.

Repairing an index on disk: make again what follows from the claims, take out what is damaged.

Theory of operation
-------------------
If a batch does not lead to the root that was signed, the claims in it whose ids do not fit their keys are the damaged
ones.  They are taken out, so that a peer can give them again; their bytes go to the table ``lost``.

The others of the batch are sound, but without the missing ids nothing proves them.  They stay and are seen, but `holds`
says no to them, so that peers give them again as well; then they move to the batch that they come with.  Those of our
own can be signed anew (`weft.store.sqlite.SqliteStore.unproved`).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from weft.core.claim import Claim, Withdrawal, parse
from weft.core.signing import SignedRoot, short_fingerprint, verify_root
from weft.errors import ClaimError, DamagedStoreError
from weft.store.claims import KEY_BYTES, Batches, LeafRow, load_tree
from weft.store.feed_runs import FeedRuns, fill_feed_runs
from weft.store.id_keys import fill_id_keys
from weft.store.id_table import IdTable, in_key_order
from weft.store.schema import CLAIM_KEYS, REFS, RUNS

_MOST_PAGES = 20
"""Reports of SQLite's own check that are passed on."""


_IMPOSSIBLE = {
    "feeds": "typeof(origin) <> 'blob' OR length(origin) <> 32 OR typeof(list) <> 'blob'",
    "batches": "typeof(feed) <> 'integer' OR typeof(leaf_count) <> 'integer' OR leaf_count NOT BETWEEN 1 AND 65536 "
    "OR typeof(root) <> 'blob' OR length(root) <> 32 OR typeof(signature) <> 'blob' "
    "OR typeof(proof) NOT IN ('blob', 'null') OR feed NOT IN (SELECT feed FROM feeds)",
    "expunged": "typeof(identity) <> 'blob' OR length(identity) <> 32",
    "claims": "typeof(node) <> 'integer' OR typeof(batch) <> 'integer' OR typeof(leaf) <> 'integer' "
    "OR typeof(octets) NOT IN ('blob', 'null') OR (octets IS NULL AND position NOT IN (SELECT position FROM expunged))",
    "ids": "typeof(id) <> 'blob'",
    "files": "typeof(path) <> 'blob' OR typeof(list) <> 'text' OR typeof(size) <> 'integer' "
    "OR typeof(mtime_ns) <> 'integer' OR typeof(inode) <> 'integer' OR typeof(resume) <> 'integer' "
    "OR typeof(head) <> 'blob' OR typeof(tail) <> 'blob'",
}
"""Rows that no version of Weft has written, by table: those on which others depend first."""


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """One thing that is wrong: what, and where if that is known."""

    what: str
    batch: int | None = None
    position: int | None = None

    def __str__(self) -> str:
        return self.what if self.position is None else f"claim {self.position}: {self.what}"


@dataclass(slots=True)
class _Counted:
    """What the claims that were checked make together."""

    claims: int = 0
    refs: int = 0


class StoreChecker:
    """Checks and repairs through one connection."""

    def __init__(
        self, connection: sqlite3.Connection, key: Callable[[bytes], int], nodes: IdTable, batches: Batches
    ) -> None:
        self._connection = connection
        self._key = key
        self._nodes = nodes
        self._batches = batches
        self._feed_runs = FeedRuns(connection)

    def problems(self) -> Iterator[StoreProblem]:
        """Whatever is wrong, as it is found."""
        yield from self.pages()
        if impossible := list(self.impossible()):
            yield from impossible
            return
        counted = _Counted()
        for batch in self._batches.numbers():
            try:
                yield from self._batch(batch, counted)
            except sqlite3.DatabaseError as error:
                yield StoreProblem(f"batch {batch} cannot be read: {error}", batch)
        try:
            yield from self._totals(counted)
        except sqlite3.DatabaseError as error:
            yield StoreProblem(f"the tables cannot be counted: {error}")

    def impossible(self) -> Iterator[StoreProblem]:
        """Rows with values of a kind that is never written there."""
        for table, condition in _IMPOSSIBLE.items():
            try:
                [(number,)] = self._connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchall()  # noqa: S608
            except sqlite3.DatabaseError as error:
                yield StoreProblem(f"{table} cannot be read: {error}")
                continue
            if number:
                yield StoreProblem(f"{table}: {number} rows are damaged")

    def pages(self) -> Iterator[StoreProblem]:
        """What SQLite itself finds."""
        try:
            for (line,) in self._connection.execute(f"PRAGMA integrity_check({_MOST_PAGES})"):
                if line != "ok":
                    yield StoreProblem(f"in the file: {line}")
        except sqlite3.DatabaseError as error:
            yield StoreProblem(f"in the file: {error}")

    def _batch(self, batch: int, counted: _Counted) -> Iterator[StoreProblem]:
        rows = self._batches.rows(batch)
        counted.claims += len(rows)
        signed, proof = self._batches.row(batch)
        if proof == b"":
            if rows:
                what = f"batch {batch} of {feed_name(signed)} proves nothing; {len(rows)} claims wait to come again"
                yield StoreProblem(what, batch)
        elif reason := fault(signed, proof, rows):
            yield StoreProblem(f"batch {batch} of {feed_name(signed)}: {reason}", batch)
        for row in rows:
            for what in self._claim(signed, row, counted):
                yield StoreProblem(what, batch, row.position)
            if not self._feed_runs.has(batch, row.position):
                yield StoreProblem("it is not noted to be of its feed", batch, row.position)

    def _claim(self, signed: SignedRoot, row: LeafRow, counted: _Counted) -> Iterator[str]:
        """What is wrong with one claim."""
        if not self.has_key(row):
            yield "its bytes do not fit the key of its id"
        try:
            claim = read(row)
        except ClaimError as error:
            yield str(error)
            return
        if claim is None:
            return
        if (claim.origin, claim.list) != (signed.origin, signed.list):
            yield f"it is not of the feed of its batch, {feed_name(signed)}"
        nodes = self._nodes.numbers(ids_in([claim]), create=False)
        if nodes.get(claim.message_id) != row.node:
            yield "the node of its message id is wrong"
        for data in named(claim):
            counted.refs += 1
            if not self._has("SELECT 1 FROM refs WHERE target = ? AND position = ?", nodes.get(data), row.position):
                yield f"that it refers to {data.decode(errors='replace')} is not noted"

    def has_key(self, row: LeafRow) -> bool:
        """Whether the id of a claim fits the key that it is found by."""
        key = self._key(row.identity[:KEY_BYTES])
        return self._has("SELECT 1 FROM claim_keys WHERE key = ? AND position = ?", key, row.position)

    def _has(self, select: str, *values: int | None) -> bool:
        return self._connection.execute(select, values).fetchone() is not None

    def _totals(self, counted: _Counted) -> Iterator[StoreProblem]:
        """What is there beside that which follows from the claims."""
        claims = self._count("claims")
        if claims != counted.claims:
            yield StoreProblem(f"{claims - counted.claims} claims are in no batch that is known")
        if (keys := self._count("claim_keys")) != claims:
            yield StoreProblem(f"there are {keys} keys of {claims} claims")
        if (noted := self._feed_runs.claims()) != claims:
            yield StoreProblem(f"{noted} claims are noted to be of some feed, {claims} are held")
        if (refs := self._count("refs")) != counted.refs:
            yield StoreProblem(f"{refs} references are noted, the claims hold {counted.refs}")
        if (keys := self._count("id_keys")) != (ids := self._count("ids")):
            yield StoreProblem(f"there are {keys} keys of {ids} message ids")
        for node, data in self._connection.execute("SELECT node, id FROM ids"):
            if not self._has("SELECT 1 FROM id_keys WHERE key = ? AND node = ?", self._nodes.key(data), node):
                yield StoreProblem(f"message id {data.decode(errors='replace')} does not fit its key")
        held = Counter(
            dict(self._connection.execute("SELECT feed, count(*) FROM claims JOIN batches USING (batch) GROUP BY feed"))
        )
        for feed, count in self._connection.execute("SELECT feed, claims FROM feeds"):
            if held[feed] != count:
                yield StoreProblem(f"feed {feed} is said to have {count} claims, {held[feed]} are held")

    def _count(self, table: str) -> int:
        [(count,)] = self._connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
        return int(count)


def fault(signed: SignedRoot, proof: bytes | None, rows: Sequence[LeafRow]) -> str:
    """Why a batch proves nothing; empty if its claims lead to a root that its origin signed."""
    try:
        verify_root(signed)
    except ClaimError as error:
        return str(error)
    if rows and load_tree(signed, proof, {row.leaf: row.identity for row in rows}) is None:
        return "its claims do not lead to the root that was signed"
    return ""


def read(row: LeafRow) -> Claim | Withdrawal | None:
    """The claim in a row; None if it was expunged.  `ClaimError` if it is damaged."""
    return None if row.data is None else parse(row.data)


def named(claim: Claim | Withdrawal) -> set[bytes]:
    """The message ids that a claim refers to."""
    return {*claim.references, *claim.in_reply_to} if isinstance(claim, Claim) else set()


def ids_in(claims: Iterable[Claim | Withdrawal]) -> dict[bytes, None]:
    """All message ids in some claims."""
    ids: dict[bytes, None] = {}
    for claim in claims:
        ids.update(dict.fromkeys((*sorted(named(claim)), claim.message_id)))
    return ids


def feed_name(signed: SignedRoot) -> str:
    """A feed, for people."""
    return f"{short_fingerprint(signed.origin)}/{signed.list.decode(errors='replace')}"


_REPAIR_PAGE = 2000


class StoreRepairer:
    """Repairs through one connection, in the caller's transaction."""

    def __init__(
        self, connection: sqlite3.Connection, key: Callable[[bytes], int], nodes: IdTable, batches: Batches
    ) -> None:
        self._connection = connection
        self._key = key
        self._nodes = nodes
        self._batches = batches
        self._checker = StoreChecker(connection, key, nodes, batches)

    def repair(self) -> list[StoreProblem]:
        """Repair all; what was lost.  `StoreError` if the file itself is too damaged."""
        losses = [*self._drop_impossible(), *self._rebuild_runs()]
        for batch in self._batches.numbers():
            losses += self._mend(batch)
        self._rebuild_claim_keys()
        self._rebuild_id_keys()
        self.rebuild_refs()
        fill_feed_runs(self._connection, from_claims=True)
        self._connection.execute(
            "UPDATE feeds SET claims = (SELECT count(*) FROM batches JOIN claims USING (batch) "
            "WHERE batches.feed = feeds.feed)"
        )
        self._connection.execute("REINDEX")
        if problem := next(self._checker.pages(), None):
            raise DamagedStoreError(f"the index is damaged ({problem}); run: weft check --repair")
        return losses

    def _drop_impossible(self) -> Iterator[StoreProblem]:
        for problem in self._checker.impossible():
            yield StoreProblem(f"{problem}, and taken out; peers or the mail can give again what was in them")
        for table, condition in _IMPOSSIBLE.items():
            self._connection.execute(f"DELETE FROM {table} WHERE {condition}")  # noqa: S608

    def rebuild_refs(self) -> None:
        """Make the reverse references, and the nodes that claims are about, again from the claims."""
        self._make_again("refs", REFS)
        for page in self._log():
            claims = [(row, claim) for row in page if (claim := _readable(row)) is not None]
            nodes = self._nodes.numbers(ids_in(claim for _, claim in claims), create=True)
            about = [(nodes[claim.message_id], row.position) for row, claim in claims]
            self._connection.executemany("UPDATE claims SET node = ?1 WHERE position = ?2 AND node <> ?1", about)
            refs = sorted((nodes[data], row.position) for row, claim in claims for data in named(claim))
            self._connection.executemany("INSERT INTO refs VALUES (?, ?)", refs)

    def _mend(self, batch: int) -> Iterator[StoreProblem]:
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
            yield StoreProblem(what, batch, row.position)
        if sound := len(rows) - len(damaged):
            self._connection.execute("UPDATE batches SET proof = x'' WHERE batch = ?", (batch,))
            what = f"batch {batch} of {feed_name(signed)} proves nothing; {sound} claims are kept until they come again"
            yield StoreProblem(what, batch)
        else:
            self._connection.execute("DELETE FROM batches WHERE batch = ?", (batch,))
            self._connection.execute("DELETE FROM runs WHERE batch = ?", (batch,))

    def _is_damaged(self, row: LeafRow) -> bool:
        return (row.data is not None and _readable(row) is None) or not self._checker.has_key(row)

    def _take_out(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._connection.execute(
                "INSERT INTO lost SELECT position, batch, leaf, octets FROM claims WHERE position = ?", (position,)
            )
            self._connection.execute("DELETE FROM claims WHERE position = ?", (position,))
            self._connection.execute("DELETE FROM expunged WHERE position = ?", (position,))

    def _rebuild_runs(self) -> Iterator[StoreProblem]:
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
            yield StoreProblem(
                "stood in no batch, and is taken out; a peer or its mail can give it again", None, position
            )

    def _rebuild_claim_keys(self) -> None:
        self._make_again("claim_keys", CLAIM_KEYS)
        for page in self._log():
            prefixes = [row.identity[:KEY_BYTES] for row in page]
            keys = in_key_order(map(self._key, prefixes), [row.position for row in page])
            self._connection.executemany("INSERT INTO claim_keys VALUES (?, ?)", keys)

    def _rebuild_id_keys(self) -> None:
        fill_id_keys(self._connection, self._nodes.key)
        self._nodes.forget()

    def _make_again(self, table: str, statement: str) -> None:
        """An empty table in the place of one that may be damaged."""
        self._connection.execute(f"DROP TABLE IF EXISTS {table}")
        self._connection.execute(statement)

    def _log(self) -> Iterator[list[LeafRow]]:
        """All claims, some at a time."""
        after = 0
        while rows := self._connection.execute(
            "SELECT claims.position, node, leaf, octets, expunged.identity FROM claims LEFT JOIN expunged "
            "ON expunged.position = claims.position WHERE claims.position > ? ORDER BY claims.position LIMIT ?",
            (after, _REPAIR_PAGE),
        ).fetchall():
            after = rows[-1][0]
            yield [LeafRow(*row) for row in rows]


def _readable(row: LeafRow) -> Claim | Withdrawal | None:
    """The claim in a row; None if it was expunged or is damaged."""
    try:
        return read(row)
    except ClaimError:
        return None
