"""The tables of what a server remembers of its peers: what they handed over today, refused claims, ages of keys.

They lie in a database of their own, ``memory.db``, whose content may be lost (`weft.store.expendable`).  What the rows
mean, and what is remembered for how long, is for `weft.peering.peer_state` to say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from weft.core.feed import Feed
from weft.store.expendable import ExpendableDatabase

_SCHEMA = """
CREATE TABLE IF NOT EXISTS used (
    day TEXT, peer BLOB, origin BLOB, list BLOB, claims INTEGER, octets INTEGER,
    PRIMARY KEY (day, peer, origin, list)) WITHOUT ROWID;
DROP TABLE IF EXISTS refused;
CREATE TABLE IF NOT EXISTS refused_claims (
    peer BLOB, element BLOB, origin BLOB, list BLOB, version TEXT, PRIMARY KEY (peer, element)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (peer BLOB PRIMARY KEY, mark BLOB, born REAL) WITHOUT ROWID;
"""
_USED = "SELECT origin, list, claims, octets FROM used WHERE day = ? AND peer = ?"
_COUNT = """
INSERT INTO used VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET claims = claims + excluded.claims, octets = octets + excluded.octets"""


class RefusedRow(NamedTuple):
    """A claim that was refused: of whom it came, its element, and the feed under whose signature it stood."""

    peer: bytes
    element: bytes
    feed: Feed


class KeyRow(NamedTuple):
    """What is known of the key of a pair: a mark that tells it from others, and since when, in seconds since 1970."""

    peer: bytes
    mark: bytes
    born: float


class PeerTables:
    """One database; for one thread.  No method raises: what cannot be written is told in the log and lost."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made if it is not there."""
        self._database = ExpendableDatabase(folder / "memory.db", _SCHEMA, "what peers did today")

    def load(self, version: str) -> tuple[list[RefusedRow], list[KeyRow]]:
        """What is remembered; refused claims of another ``version`` of Weft are forgotten."""
        refused: list[RefusedRow] = []
        keys: list[KeyRow] = []

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM refused_claims WHERE version <> ?", (version,))
            rows = connection.execute("SELECT peer, element, origin, list FROM refused_claims")
            refused[:] = [RefusedRow(peer, element, Feed(origin, name)) for peer, element, origin, name in rows]
            keys[:] = map(
                KeyRow._make, connection.execute("SELECT peer, mark, born FROM keys WHERE typeof(born) = 'real'")
            )

        self._database.write(work)
        return refused, keys

    def used(self, day: str, peer: bytes) -> dict[Feed, tuple[int, int]]:
        """(claims, bytes) that a peer handed over of each feed on a day."""
        rows = self._database.rows(_USED, (day, peer))
        return {Feed(origin, name): (claims, data) for origin, name, claims, data in rows}

    def count(self, day: str, peer: bytes, took: Mapping[Feed, tuple[int, int]]) -> None:
        """A peer handed over so much more on a day; earlier days are forgotten."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM used WHERE day < ?", (day,))
            connection.executemany(_COUNT, [(day, peer, *feed, *used) for feed, used in took.items()])

        self._database.write(work)

    def refuse(self, row: RefusedRow, version: str, *, alone: bool) -> None:
        """Remember a refused claim; ``alone``: and forget all others of its peer."""

        def work(connection: sqlite3.Connection) -> None:
            if alone:
                connection.execute("DELETE FROM refused_claims WHERE peer = ?", (row.peer,))
            connection.execute(
                "INSERT OR REPLACE INTO refused_claims VALUES (?, ?, ?, ?, ?)",
                (row.peer, row.element, *row.feed, version),
            )

        self._database.write(work)

    def keep_key(self, peer: bytes, key: KeyRow | None) -> None:
        """Another key is kept for a peer, or none."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM keys WHERE peer = ?", (peer,))
            if key is not None:
                connection.execute("INSERT INTO keys VALUES (?, ?, ?)", key)

        self._database.write(work)

    def close(self) -> None:
        """Let go of it."""
        self._database.close()
