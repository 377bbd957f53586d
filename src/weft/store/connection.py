"""Opening the file of an index: the connection and how it writes.

A commit is on disk when it returns: write-ahead log, ``synchronous=FULL``.  Readers never wait for the one writer, nor
it for them.  The connection is in autocommit mode, so that nothing begins a transaction but us, always with BEGIN
IMMEDIATE: a transaction that begins by reading could fail in its middle because somebody else wrote.

SQLite may refuse a PRAGMA without an error.  In rollback mode a power cut takes commits that had returned, because the
removal of the journal is not synced; so every PRAGMA on which a promise rests is asked for its answer, at every open
for writing, and an index in rollback mode is switched.  One that only reads promises nothing and takes what it finds.

The file is made for its owner alone, whatever the umask is; SQLite gives the files beside it the same mode.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from weft._files import close_to_others, create_empty
from weft.errors import StoreError
from weft.store.schema import check_kind, migrate
from weft.store.sqlite_errors import BUSY_SECONDS, explained
from weft.store.sqlite_library import Database

_CACHE = 64 * 1024
"""KiB of pages that are kept in memory."""
_PAGE_BYTES = 8192
"""Of a new index; a claim has some hundred bytes, and what is left at the end of a page is lost."""
_CHECKPOINT = 2048
"""Pages of log, after which a commit copies them into the database; page by page, however often each was written."""
_FULL = 2
"""What SQLite answers for ``synchronous=FULL``."""
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite adds to the name of a database for the files that belong to it."""
_LOCAL_DISK = "try again, and if that does not help move the index to a local disk"

log = logging.getLogger("weft.store")


def open_database(path: Path, *, read_only: bool) -> Database:
    """The database of an index, made if there is none, with its tables up to date; `StoreError` if that cannot be."""
    if path.is_dir():
        raise StoreError(f"{path}: this is a folder, not an index of Weft; name a file")
    if read_only and not path.exists():
        raise StoreError(f"{path}: there is no index; make one with: weft ingest LIST=FILE")
    if not read_only:
        _make_private(path)
    with explained(path):
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}{_immutable(path)}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
        try:
            database = Database(connection, recursive_triggers=False, execute_plugins=False)
            check_kind(path, database)
            _configure(connection, path, read_only=read_only)
            migrate(path, database, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    return database


def _immutable(path: Path) -> str:
    """What tells SQLite that nobody can write a file: one of a file system that is mounted to read only.

    There SQLite cannot make what readers and writers share.  A log of writes that lies beside it cannot be read then.
    """
    try:
        fixed = os.statvfs(path).f_flag & os.ST_RDONLY and not _size(path.with_name(path.name + "-wal"))
    except OSError:  # it is not there
        return ""
    return "&immutable=1" if fixed else ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def open_index(path: Path) -> sqlite3.Connection:
    """A connection to an index that is there, brought up to date if it is older; `StoreError`."""
    if not path.is_file():
        open_database(path, read_only=True).conn.close()  # says what is there instead
    return open_database(path, read_only=False).conn


def stated_origin(connection: sqlite3.Connection) -> bytes | None:
    """The public key that an index, or the index of a backup, was made with; None if there was none yet."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'origin'").fetchone()
    return None if row is None else bytes(row[0])


def demand(connection: sqlite3.Connection, path: Path, name: str, value: object, answer: object) -> None:
    """Set a PRAGMA and read it back; `StoreError` if SQLite answers anything but ``answer``."""
    connection.execute(f"PRAGMA {name} = {value}").fetchall()
    got = connection.execute(f"PRAGMA {name}").fetchall()
    if got != [(answer,)]:
        said = repr(got[0][0]) if got else "nothing"
        raise StoreError(f"{path}: SQLite refuses {name}={value} (it answers {said}); use another build of SQLite")


def demand_write_ahead_log(connection: sqlite3.Connection, path: Path) -> None:
    """Have a database written through a write-ahead log from now on; `StoreError` if it cannot be."""
    [(mode,)] = connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode != "wal":
        raise StoreError(
            f"{path}: the index cannot have a write-ahead log here (SQLite stays in mode {mode!r}), and without one a "
            f"power cut could take what was acknowledged; {_LOCAL_DISK}"
        )


def _configure(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    if read_only:
        demand(connection, path, "query_only", "ON", 1)
        return
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # counts for a new file only
    demand_write_ahead_log(connection, path)
    demand(connection, path, "synchronous", "FULL", _FULL)
    demand(connection, path, "wal_autocheckpoint", _CHECKPOINT, _CHECKPOINT)
    demand(connection, path, "journal_size_limit", _CHECKPOINT * _PAGE_BYTES, _CHECKPOINT * _PAGE_BYTES)
    # What is expunged is overwritten, not only unlinked.
    demand(connection, path, "secure_delete", "ON", 1)


def _make_private(path: Path) -> None:
    """Make a new database for its owner alone, and take an old one, made by the umask, away from all other users."""
    try:
        if create_empty(path):
            return
    except OSError:  # SQLite says why, in its own order
        return
    for file in (path, *(path.with_name(path.name + suffix) for suffix in BESIDE)):
        try:
            if close_to_others(file):
                log.warning("%s: all users of this machine could read this file; now only its owner can", file)
        except OSError as error:
            log.warning("%s: all users of this machine can read this file: %s", file, error.strerror)
