"""Opening the file of an index: the connection and how it writes.

A commit is on disk when it returns: write-ahead log, ``synchronous=FULL``.  Readers never wait for the one writer, nor
it for them.  The connection is in autocommit mode, so that nothing begins a transaction but us, always with BEGIN
IMMEDIATE: a transaction that begins by reading could fail in its middle because somebody else wrote.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from weft.errors import StoreError
from weft.store.failures import BUSY_SECONDS, explained
from weft.store.library import Database
from weft.store.migrations import check_kind, migrate

_CACHE = 64 * 1024
"""KiB of pages that are kept in memory."""
_PAGE_OCTETS = 8192
"""Of a new index; a claim has some hundred octets, and what is left at the end of a page is lost."""
_CHECKPOINT = 2048
"""Pages of log, after which a commit copies them into the database; page by page, however often each was written."""


def open_database(path: Path, *, read_only: bool) -> Database:
    """The database of an index, made if there is none, with its tables up to date; `StoreError` if that cannot be."""
    if path.is_dir():
        raise StoreError(f"{path}: this is a folder, not an index of Weft; name a file")
    if read_only and not path.exists():
        raise StoreError(f"{path}: there is no index; make one with: weft ingest LIST=FILE")
    with explained(path):
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
        try:
            database = Database(connection, recursive_triggers=False, execute_plugins=False)
            check_kind(path, database)
            _configure(connection, read_only=read_only)
            migrate(path, database, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    return database


def _configure(connection: sqlite3.Connection, *, read_only: bool) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute(f"PRAGMA page_size = {_PAGE_OCTETS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
    connection.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT * _PAGE_OCTETS}")
    # What is expunged is overwritten, not only unlinked.
    connection.execute("PRAGMA secure_delete = ON")
