"""Checking an index on disk: nothing is believed that can be computed.

The id of each claim follows from its octets, the root of each batch from the ids, the keys and who refers to whom from
the claims.  What is wrong is named as it is found, one batch in memory at a time; what to do about it is told in
`weft.store.repair`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from weft.core.claim import Claim, Withdrawal, parse
from weft.core.signing import SignedRoot, short_fingerprint, verify_root
from weft.errors import ClaimError
from weft.store.batches import Batches, Row, load_tree
from weft.store.nodes import Nodes
from weft.store.writing import KEY_OCTETS

_MOST_PAGES = 20
"""Reports of SQLite's own check that are passed on."""


@dataclass(frozen=True, slots=True)
class Problem:
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


class Checker:
    """Checks and repairs through one connection."""

    def __init__(
        self, connection: sqlite3.Connection, key: Callable[[bytes], int], nodes: Nodes, batches: Batches
    ) -> None:
        self._connection = connection
        self._key = key
        self._nodes = nodes
        self._batches = batches

    def problems(self) -> Iterator[Problem]:
        """Whatever is wrong, as it is found."""
        yield from self.pages()
        counted = _Counted()
        for batch in self._batches.numbers():
            try:
                yield from self._batch(batch, counted)
            except sqlite3.DatabaseError as error:
                yield Problem(f"batch {batch} cannot be read: {error}", batch)
        try:
            yield from self._totals(counted)
        except sqlite3.DatabaseError as error:
            yield Problem(f"the tables cannot be counted: {error}")

    def pages(self) -> Iterator[Problem]:
        """What SQLite itself finds."""
        try:
            for (line,) in self._connection.execute(f"PRAGMA integrity_check({_MOST_PAGES})"):
                if line != "ok":
                    yield Problem(f"in the file: {line}")
        except sqlite3.DatabaseError as error:
            yield Problem(f"in the file: {error}")

    def _batch(self, batch: int, counted: _Counted) -> Iterator[Problem]:
        rows = self._batches.rows(batch)
        counted.claims += len(rows)
        signed, proof = self._batches.row(batch)
        if proof == b"":
            if rows:
                what = f"batch {batch} of {feed_name(signed)} proves nothing; {len(rows)} claims wait to come again"
                yield Problem(what, batch)
        elif reason := fault(signed, proof, rows):
            yield Problem(f"batch {batch} of {feed_name(signed)}: {reason}", batch)
        for row in rows:
            for what in self._claim(signed, row, counted):
                yield Problem(what, batch, row.position)

    def _claim(self, signed: SignedRoot, row: Row, counted: _Counted) -> Iterator[str]:
        """What is wrong with one claim."""
        if not self.has_key(row):
            yield "its octets do not fit the key of its id"
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
        for octets in named(claim):
            counted.refs += 1
            if not self._has("SELECT 1 FROM refs WHERE target = ? AND position = ?", nodes.get(octets), row.position):
                yield f"that it refers to {octets.decode(errors='replace')} is not noted"

    def has_key(self, row: Row) -> bool:
        """Whether the id of a claim fits the key that it is found by."""
        key = self._key(row.identity[:KEY_OCTETS])
        return self._has("SELECT 1 FROM claim_keys WHERE key = ? AND position = ?", key, row.position)

    def _has(self, select: str, *values: int | None) -> bool:
        return self._connection.execute(select, values).fetchone() is not None

    def _totals(self, counted: _Counted) -> Iterator[Problem]:
        """What is there beside that which follows from the claims."""
        claims = self._count("claims")
        if claims != counted.claims:
            yield Problem(f"{claims - counted.claims} claims are in no batch that is known")
        if (keys := self._count("claim_keys")) != claims:
            yield Problem(f"there are {keys} keys of {claims} claims")
        if (refs := self._count("refs")) != counted.refs:
            yield Problem(f"{refs} references are noted, the claims hold {counted.refs}")
        if (keys := self._count("id_keys")) != (ids := self._count("ids")):
            yield Problem(f"there are {keys} keys of {ids} message ids")
        for node, octets in self._connection.execute("SELECT node, id FROM ids"):
            if not self._has("SELECT 1 FROM id_keys WHERE key = ? AND node = ?", self._key(octets), node):
                yield Problem(f"message id {octets.decode(errors='replace')} does not fit its key")
        held = Counter(
            dict(self._connection.execute("SELECT feed, count(*) FROM claims JOIN batches USING (batch) GROUP BY feed"))
        )
        for feed, count in self._connection.execute("SELECT feed, claims FROM feeds"):
            if held[feed] != count:
                yield Problem(f"feed {feed} is said to have {count} claims, {held[feed]} are held")

    def _count(self, table: str) -> int:
        [(count,)] = self._connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
        return int(count)


def fault(signed: SignedRoot, proof: bytes | None, rows: Sequence[Row]) -> str:
    """Why a batch proves nothing; empty if its claims lead to a root that its origin signed."""
    try:
        verify_root(signed)
    except ClaimError as error:
        return str(error)
    if rows and load_tree(signed, proof, {row.leaf: row.identity for row in rows}) is None:
        return "its claims do not lead to the root that was signed"
    return ""


def read(row: Row) -> Claim | Withdrawal | None:
    """The claim in a row; None if it was expunged.  `ClaimError` if it is damaged."""
    return None if row.octets is None else parse(row.octets)


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
