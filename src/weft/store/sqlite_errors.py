"""What SQLite reports, as one line for people: what failed, why, what to do.

A lock that somebody else holds, a full disk, a damaged page, a file that is something else: each is an ordinary event
in the life of a file, and none of them leaves anything half written, because every write stands in a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weft.errors import DamagedStoreError, LockedStoreError, StoreError

BUSY_SECONDS = 5.0
"""How long a writer waits for another to finish."""

_REPAIR = "run: weft check --repair, or restore it from a backup"
_REASONS = {
    sqlite3.SQLITE_BUSY: f"locked: another process has been writing for {BUSY_SECONDS:.0f} s; wait for it, or stop it",
    sqlite3.SQLITE_LOCKED: "locked by another part of this program; this is a defect of Weft",
    sqlite3.SQLITE_FULL: "the disk is full; nothing of this step was kept; make room and run it again",
    sqlite3.SQLITE_CORRUPT: f"the index is damaged; {_REPAIR}",
    sqlite3.SQLITE_CONSTRAINT: f"the index contradicts itself; {_REPAIR}",
    sqlite3.SQLITE_NOTADB: "this is not an index of Weft (not an SQLite database); name another file",
    sqlite3.SQLITE_READONLY: "the index cannot be written; see who owns it and its folder, or open it to read only",
    sqlite3.SQLITE_CANTOPEN: "the index cannot be opened; see that its folder exists and that you may use and write it",
    sqlite3.SQLITE_PERM: "the index cannot be opened; see who may read it",
    sqlite3.SQLITE_IOERR: "the disk failed while the index was used; nothing of this step was kept; see to the disk",
    sqlite3.SQLITE_TOOBIG: "a value is too large for the index; this is a defect of Weft",
}
_NO_SHARED_MEMORY = (
    "this file system offers no shared memory, which the write-ahead log needs; move the index to a local disk"
)
_EXTENDED = dict.fromkeys(
    (
        sqlite3.SQLITE_IOERR_SHMOPEN,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_SHMLOCK,
        sqlite3.SQLITE_IOERR_SHMMAP,
    ),
    _NO_SHARED_MEMORY,
) | {sqlite3.SQLITE_PROTOCOL: _NO_SHARED_MEMORY}  # locks that are not kept
"""Reasons for codes with their second byte, which say more than the first alone."""


_KINDS = {
    sqlite3.SQLITE_BUSY: LockedStoreError,
    sqlite3.SQLITE_CORRUPT: DamagedStoreError,
    sqlite3.SQLITE_CONSTRAINT: DamagedStoreError,
    sqlite3.SQLITE_NOTADB: DamagedStoreError,
}


def failure(path: Path, error: sqlite3.Error) -> StoreError:
    """The `StoreError` that tells of an SQLite error."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    reason = _EXTENDED.get(code) or _REASONS.get(code & 0xFF)
    kind = _KINDS.get(code & 0xFF, StoreError)
    return kind(f"{path}: {reason} ({error})" if reason else f"{path}: {error}")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors inside become `StoreError`; the misuse of a connection stays what it is: a defect."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        raise failure(path, error) from error
