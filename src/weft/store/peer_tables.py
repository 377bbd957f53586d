"""The tables of what a server remembers of its peers: refused claims, and ages of keys.

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
DROP TABLE IF EXISTS used;
DROP TABLE IF EXISTS refused;
CREATE TABLE IF NOT EXISTS refused_claims (
    peer BLOB, element BLOB, origin BLOB, list BLOB, version TEXT, PRIMARY KEY (peer, element)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (peer BLOB PRIMARY KEY, mark BLOB, born REAL) WITHOUT ROWID;
"""


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
        self._database = ExpendableDatabase(folder / "memory.db", _SCHEMA, "what was refused of peers")

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

    def refuse(self, peer: bytes, elements: Mapping[bytes, Feed], version: str, *, alone: bool) -> None:
        """Remember refused claims of a peer; ``alone``: and forget all others of it."""
        rows = [(peer, element, *feed, version) for element, feed in elements.items()]

        def work(connection: sqlite3.Connection) -> None:
            if alone:
                connection.execute("DELETE FROM refused_claims WHERE peer = ?", (peer,))
            connection.executemany("INSERT OR REPLACE INTO refused_claims VALUES (?, ?, ?, ?, ?)", rows)

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
