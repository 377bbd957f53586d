"""What a server remembers of its peers from one process to the next: quotas, refused claims, and how old keys are.

Theory of operation
-------------------
It lies in a small database of its own, ``<index>.kept/memory.db``, which several processes may write: what
``weft sync`` takes counts for the server that runs beside it.  All of it can be lost: then quotas of today begin anew,
what was refused is looked at once more, and keys seem new.  So nothing waits for the disk here, and a file that cannot
be read is made again.

Quotas are of one day (UTC); older ones are deleted.  Of refused claims there are `REFUSED` at most, and all are
forgotten by another version of Weft, whose rules may be others.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from weft import __version__
from weft._files import create_empty, make_folder
from weft.core.feed import Feed
from weft.errors import StoreError
from weft.exchange.events import Usage, Used

REFUSED = 100_000
"""Refused claims that are remembered."""
_BUSY_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS used (
    day TEXT, peer BLOB, origin BLOB, list BLOB, claims INTEGER, octets INTEGER,
    PRIMARY KEY (day, peer, origin, list)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (element BLOB PRIMARY KEY, version TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (peer BLOB PRIMARY KEY, mark BLOB, born REAL) WITHOUT ROWID;
"""
_USED = "SELECT origin, list, claims, octets FROM used WHERE day = ? AND peer = ?"
_COUNT = """
INSERT INTO used VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET claims = claims + excluded.claims, octets = octets + excluded.octets"""

log = logging.getLogger("weft.exchange")


class Memory:
    """The database; for one thread."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made if it is not there; `StoreError` if it cannot be."""
        self._connection = _open(folder)
        self.refused: set[bytes] = set()
        """Elements of claims that are not wanted again."""
        self.born: dict[bytes, float] = {}
        """When the key that is kept for a peer was new, in seconds since 1970."""
        self._marks: dict[bytes, bytes] = {}
        with self._writing():
            self._load()

    def used(self, peer: bytes) -> Usage:
        """What a peer handed us today."""
        try:
            rows = self._connection.execute(_USED, (_today().isoformat(), peer)).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"what peers did today cannot be read: {error}") from None
        return {Feed(origin, name): Used(claims, octets) for origin, name, claims, octets in rows}

    def count(self, peer: bytes, took: Mapping[Feed, Used]) -> None:
        """A peer handed us so much more."""
        today = _today().isoformat()
        with self._writing():
            self._connection.execute("DELETE FROM used WHERE day < ?", (today,))
            self._connection.executemany(_COUNT, [(today, peer, *feed, *used) for feed, used in took.items()])

    def refuse(self, element: bytes) -> None:
        """Do not want a claim again."""
        with self._writing():
            if len(self.refused) >= REFUSED:
                self.refused.clear()
                self._connection.execute("DELETE FROM refused")
            self.refused.add(element)
            self._connection.execute("INSERT OR REPLACE INTO refused VALUES (?, ?)", (element, __version__))

    def keyed(self, peer: bytes, mark: bytes) -> None:
        """A key is kept for a peer, with another ``mark`` if it is another one; empty: none is."""
        if mark == self._marks.get(peer, b""):
            return
        with self._writing():
            self._connection.execute("DELETE FROM keys WHERE peer = ?", (peer,))
            self._marks.pop(peer, None)
            self.born.pop(peer, None)
            if mark:
                self._marks[peer], self.born[peer] = mark, time.time()
                self._connection.execute("INSERT INTO keys VALUES (?, ?, ?)", (peer, mark, self.born[peer]))

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def _load(self) -> None:
        self._connection.execute("DELETE FROM refused WHERE version <> ?", (__version__,))
        self.refused.update(row[0] for row in self._connection.execute("SELECT element FROM refused"))
        for peer, mark, born in self._connection.execute("SELECT peer, mark, born FROM keys"):
            self._marks[peer], self.born[peer] = mark, born

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or nothing; what cannot be remembered is told and lost."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            log.warning("what peers did today cannot be remembered: %s", error)


def _open(folder: Path) -> sqlite3.Connection:
    try:
        make_folder(folder)
        path = folder / "memory.db"
        create_empty(path)
        try:
            return _connect(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:  # it is no database any more
            log.warning("%s: %s; it is made anew", path, error)
            path.unlink()
            return _connect(path)
    except OSError as error:
        raise StoreError(f"{folder}: cannot keep what the next exchange needs: {error.strerror or error}") from None
    except sqlite3.Error as error:
        raise StoreError(f"{folder}: cannot keep what the next exchange needs: {error}") from None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _today() -> date:
    return datetime.now(UTC).date()
