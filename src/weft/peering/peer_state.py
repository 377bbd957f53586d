"""What a server remembers of its peers from one process to the next: refused claims, what else counts, ages of keys.

Theory of operation
-------------------
It lies in a small database of its own, ``<index>.kept/memory.db``, which several processes may write: what
``weft sync`` takes counts for the server that runs beside it.  All of it can be lost (`weft.store.expendable`): then
what was refused is looked at once more, and keys seem new.

What peers handed over counts against quotas, so losing it would give everybody a fresh one.  For claims that are kept
it is counted in the index, with them (`weft.index.received`); here stands what left nothing in the index.

What was handed over is of one day (UTC); older ones are deleted.  Refused claims are remembered of each peer on its
own, `REFUSED` at most, with the feed under whose signature they came; all are forgotten by another version of Weft,
whose rules may be others.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from weft import __version__
from weft.core.feed import Feed
from weft.exchange.events import QuotaUsed, Usage
from weft.store.expendable import ExpendableDatabase

REFUSED = 20_000
"""Refused claims that are remembered of a peer."""
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


class PeerState:
    """The database; for one thread."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made if it is not there."""
        self._database = ExpendableDatabase(folder / "memory.db", _SCHEMA, "what peers did today")
        self._refused: dict[bytes, dict[bytes, Feed]] = {}
        """By peer: elements of claims that are not wanted again, with their feeds."""
        self.born: dict[bytes, float] = {}
        """When the key that is kept for a peer was new, in seconds since 1970."""
        self._marks: dict[bytes, bytes] = {}
        self._database.write(self._load)

    def used(self, peer: bytes) -> Usage:
        """What a peer handed us today that is not in the index."""
        rows = self._database.rows(_USED, (today().isoformat(), peer))
        return {Feed(origin, name): QuotaUsed(claims, data) for origin, name, claims, data in rows}

    def count(self, peer: bytes, took: Mapping[Feed, QuotaUsed]) -> None:
        """A peer handed us so much more that is not in the index."""
        day = today().isoformat()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM used WHERE day < ?", (day,))
            connection.executemany(_COUNT, [(day, peer, *feed, *used) for feed, used in took.items()])

        self._database.write(write)

    def refused(self, peer: bytes) -> Mapping[bytes, Feed]:
        """The elements of claims that are not wanted of a peer again, with the feeds that it cannot give us whole."""
        return self._refused.get(peer, {})

    def refuse(self, peer: bytes, element: bytes, feed: Feed) -> None:
        """Do not want a claim of a peer again; ``feed``: under whose signature it came."""
        known = self._refused.setdefault(peer, {})
        full = len(known) >= REFUSED
        if full:
            known.clear()
        known[element] = feed

        def write(connection: sqlite3.Connection) -> None:
            if full:
                connection.execute("DELETE FROM refused_claims WHERE peer = ?", (peer,))
            row = (peer, element, *feed, __version__)
            connection.execute("INSERT OR REPLACE INTO refused_claims VALUES (?, ?, ?, ?, ?)", row)

        self._database.write(write)

    def keyed(self, peer: bytes, mark: bytes) -> None:
        """A key is kept for a peer, with another ``mark`` if it is another one; empty: none is."""
        if mark == self._marks.get(peer, b""):
            return
        self._marks.pop(peer, None)
        self.born.pop(peer, None)
        if mark:
            self._marks[peer], self.born[peer] = mark, time.time()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM keys WHERE peer = ?", (peer,))
            if mark:
                connection.execute("INSERT INTO keys VALUES (?, ?, ?)", (peer, mark, self.born[peer]))

        self._database.write(write)

    def close(self) -> None:
        """Let go of it."""
        self._database.close()

    def _load(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM refused_claims WHERE version <> ?", (__version__,))
        for peer, element, origin, name in connection.execute("SELECT peer, element, origin, list FROM refused_claims"):
            self._refused.setdefault(peer, {})[element] = Feed(origin, name)
        for peer, mark, born in connection.execute("SELECT peer, mark, born FROM keys WHERE typeof(born) = 'real'"):
            self._marks[peer], self.born[peer] = mark, born


def today() -> date:
    """The day of quotas: that of UTC."""
    return datetime.now(UTC).date()
