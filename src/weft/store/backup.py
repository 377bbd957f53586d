"""Backups of an index: one SQLite file with all that is not derived, brought up to date at the cost of what is new.

Theory of operation
-------------------
A backup has those tables of `weft.store.schema` that nothing else can give again, and no index of them.  It is no
index itself, and the header of its file says so.

`back_up` attaches the index to the backup and makes the tables equal in one transaction: of the index that is one
snapshot, beside which others read and write; of the backup it is all or nothing.  The log grows at its end, so rows
beyond the last one are copied; earlier ones are compared by all but the bytes of their claims, which never change, but
go when a claim is expunged: then they are overwritten here too.  Where a batch or an id that is in both differs, the
backup is of another past of the index, and is left alone.  The keys of claims are kept: they tell which claim of a
batch was damaged.

`restore` copies the tables into a new index and has the rest made again, which verifies every hash and proof.
What peers were asked is not backed up: an index that is older than these answers has to ask again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from weft._files import create_empty, replace_durably
from weft.errors import StoreError
from weft.store.connection import BESIDE, demand, open_database, open_index, stated_origin
from weft.store.fsck import StoreProblem
from weft.store.recovery import note_loss
from weft.store.sqlite import SqliteStore
from weft.store.sqlite_errors import BUSY_SECONDS, explained

APPLICATION = 0x57656662
"""``Wefb``, in the header of the file."""
_FORMAT = 1
_EXTRA = 3
"""What SQLite answers for ``synchronous=EXTRA``: else a power cut could undo a commit."""
_PAGE_BYTES = 8192

_TABLES = {
    "meta": "name TEXT PRIMARY KEY, value BLOB",
    "feeds": "feed INTEGER PRIMARY KEY, origin BLOB, list BLOB, claims INTEGER",
    "batches": "batch INTEGER PRIMARY KEY, feed INTEGER, leaf_count INTEGER, root BLOB, signature BLOB, proof BLOB",
    "claims": "position INTEGER PRIMARY KEY, node INTEGER, batch INTEGER, leaf INTEGER, file INTEGER, offset INTEGER, "
    "length INTEGER, octets BLOB",
    "claim_keys": "position INTEGER PRIMARY KEY, key INTEGER",
    "ids": "node INTEGER PRIMARY KEY, id BLOB",
    "files": "file INTEGER PRIMARY KEY, path BLOB, list TEXT, size INTEGER, mtime_ns INTEGER, inode INTEGER, "
    "resume INTEGER, head BLOB, tail BLOB",
    "entries": "entry INTEGER PRIMARY KEY, position INTEGER, name BLOB",
    "expunged": "position INTEGER PRIMARY KEY, identity BLOB",
    "lost": "position INTEGER PRIMARY KEY, batch INTEGER, leaf INTEGER, octets BLOB",
}
TABLES = {
    table: {column.split()[0]: column.split()[1] for column in columns.split(", ")}
    for table, columns in _TABLES.items()
}
"""What does not follow from the rest: by table the columns, the one that numbers its rows first, with their types."""
_NAMES = {table: list(columns) for table, columns in TABLES.items()}
_NEVER_CHANGES = {"ids": ("id",), "batches": ("root", "signature", "leaf_count")}
"""What a row with the same number has for ever."""
_NOT_DERIVED = "name NOT IN ('digested', 'handled', 'retained')"
"""Of the rows of ``meta``."""


class BackedUp(NamedTuple):
    """What a backup holds."""

    claims: int
    fresh: int
    """Claims that it did not hold before."""
    position: int
    """The newest claim's place in the log."""


def back_up(index: Path, backup: Path) -> BackedUp:
    """Bring a backup up to date, or make it if it is not there; `StoreError`, and then it is as it was."""
    with (
        closing(open_index(index)),  # the last to close it tidies up, which who only reads cannot
        _opened(backup, create=True) as connection,
        explained(backup),
    ):
        _attach(connection, index)
        connection.execute("BEGIN IMMEDIATE")  # to close without COMMIT leaves nothing behind
        _check_same(connection, index, backup)
        before, _ = _claims(connection)
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS main.{table} ({columns})")  # an older backup has fewer
        tables = [table for table, _ in _there(connection)]
        for table in tables:
            _make_equal(connection, table)
        _verify(connection, backup, tables)
        claims, position = _claims(connection)
        connection.execute("COMMIT")
        problems = [text for (text,) in connection.execute("PRAGMA main.quick_check(1)") if text != "ok"]
        if problems:
            raise StoreError(f"{backup}: the disk does not keep what was written ({problems[0]}); use another disk")
    return BackedUp(claims, claims - before, position)


def restore(backup: Path, index: Path) -> tuple[int, list[StoreProblem]]:
    """Make an index of a backup: how many claims it has, and what of them is damaged and therefore left out.

    Nothing may be at ``index``.  `StoreError`, and then nothing is there.
    """
    for suffix in ("", *BESIDE):  # a log of writes that was left would be taken for that of the new index
        if (there := index.with_name(index.name + suffix)).exists():
            raise StoreError(f"{there}: an index is there, or a part of one; move it away, with all files of that name")
    draft = index.with_name(f".{index.name[:200]}.restored")
    remove_index(draft)
    try:
        with closing(open_database(draft, read_only=False).conn) as connection, explained(draft):
            with _opened(backup, create=False):
                pass
            _attach(connection, backup)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM main.meta")
            for table, columns in _there(connection):
                names = ", ".join(columns)
                where = f" WHERE {_NOT_DERIVED}" if table == "meta" else ""
                connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM other.{table}{where}")  # noqa: S608
            note_loss(connection)
            connection.execute("COMMIT")
        with SqliteStore(draft) as store:
            lost = store.repair()
            claims = sum(store.feeds().values())
            with explained(draft):
                store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        replace_durably(draft, index)
        with SqliteStore(index, read_only=True) as store:
            store.note_end()
    finally:
        remove_index(draft)
    return claims, lost


def is_unfinished(backup: Path) -> bool:
    """Whether a backup was begun and holds nothing yet; `StoreError` if it is something else."""
    with _opened(backup, create=True) as connection, explained(backup):
        return connection.execute("SELECT 1 FROM meta").fetchone() is None


def origin_of(backup: Path) -> bytes | None:
    """The public key of the index that a backup is of; None if it never had one."""
    with _opened(backup, create=False) as connection, explained(backup):
        return stated_origin(connection)


@contextmanager
def _opened(backup: Path, *, create: bool) -> Iterator[sqlite3.Connection]:
    """The file of a backup, made for its owner alone; `StoreError` if it is something else."""
    if not create and not backup.exists():
        raise StoreError(f"{backup}: there is no backup")
    try:
        fresh = create and create_empty(backup)
    except OSError as error:
        raise StoreError(f"{backup}: cannot be made: {error.strerror or error}") from None
    with explained(backup):
        # Also who only reads may have to roll back what a power cut left.
        uri = f"{backup.absolute().as_uri()}?mode={'rw' if os.access(backup, os.W_OK) else 'ro'}"
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            if not fresh:
                fresh = _check_kind(connection, backup)
            if not create and (fresh or not connection.execute("SELECT 1 FROM meta").fetchone()):
                raise StoreError(f"{backup}: this backup was never finished; make it with: weft backup")
            if create:
                connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
                demand(connection, backup, "synchronous", "EXTRA", _EXTRA)
                demand(connection, backup, "secure_delete", "ON", 1)
            if fresh and create:
                _make_tables(connection)
            yield connection


def _check_kind(connection: sqlite3.Connection, backup: Path) -> bool:
    """Whether the file is empty, as a backup is that was never finished."""
    [(application,)] = connection.execute("PRAGMA application_id").fetchall()
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    if not tables and not application:
        return True
    if application != APPLICATION:
        raise StoreError(f"{backup}: this is not a backup of an index; name another folder")
    if version != _FORMAT:
        raise StoreError(f"{backup}: this backup is of another version of Weft (format {version}, not {_FORMAT})")
    return False


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table, columns in _TABLES.items():
        connection.execute(f"CREATE TABLE {table} ({columns})")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_FORMAT}")
    connection.execute("COMMIT")


def _attach(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("ATTACH ? AS other", (f"{path.absolute().as_uri()}?mode=ro",))


def _check_same(connection: sqlite3.Connection, index: Path, backup: Path) -> None:
    """`StoreError` if the backup is of another index, or of another past of this one."""
    secrets = [
        connection.execute(f"SELECT value FROM {schema}.meta WHERE name = 'secret'").fetchone()  # noqa: S608
        for schema in ("main", "other")
    ]
    if secrets[0] is None:
        return
    if secrets[0] != secrets[1]:
        raise StoreError(f"{backup}: this is the backup of another index than {index}; name another folder")
    for table, columns in _NEVER_CHANGES.items():
        number = _NAMES[table][0]
        differs = " OR ".join(f"one.{column} IS NOT two.{column}" for column in columns)
        found = connection.execute(
            f"SELECT 1 FROM main.{table} one JOIN other.{table} two USING ({number}) WHERE {differs} LIMIT 1"  # noqa: S608
        ).fetchone()
        if found:
            raise StoreError(
                f"{backup}: it holds what {index} never held (was the index restored from an older backup?); "
                "name another folder, and keep this one"
            )


def _make_equal(connection: sqlite3.Connection, table: str) -> None:
    """Make a table of the backup that of the index."""
    names = _NAMES[table]
    number = names[0]
    where = _NOT_DERIVED if table == "meta" else "1"
    connection.execute(
        f"DELETE FROM main.{table} WHERE {number} NOT IN (SELECT {number} FROM other.{table} WHERE {where})"  # noqa: S608
    )
    columns = ", ".join(names)
    shown = ["octets IS NULL" if (table, name) == ("claims", "octets") else name for name in names]
    same = " AND ".join(f"{_of('one', name)} IS {_of('two', name)}" for name in shown)
    connection.execute(
        f"INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns} FROM other.{table} two WHERE {where} AND "  # noqa: S608
        f"NOT EXISTS (SELECT 1 FROM main.{table} one WHERE {_of('one', number)} = {_of('two', number)} AND {same})"
    )


def _of(table: str, shown: str) -> str:
    """A column of a table, or whether it is NULL."""
    name, *rest = shown.split(" ", 1)
    return f"({table}.{name} {rest[0]})" if rest else f"{table}.{name}"


def _there(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    """The tables that the attached database has, with their columns: one of an older version has fewer."""
    names = {name for (name,) in connection.execute("SELECT name FROM other.sqlite_master WHERE type = 'table'")}
    return [(table, columns) for table, columns in _NAMES.items() if table in names]


def _verify(connection: sqlite3.Connection, backup: Path, tables: Iterable[str]) -> None:
    """`StoreError` unless both have as many rows, and as many bytes of claims."""
    for table in tables:
        where = f" WHERE {_NOT_DERIVED}" if table == "meta" else ""
        measure = "count(*), total(length(octets)), max(position)" if table == "claims" else "count(*)"
        one, two = (
            connection.execute(f"SELECT {measure} FROM {schema}.{table}{where}").fetchone()  # noqa: S608
            for schema in ("main", "other")
        )
        if one != two:
            raise StoreError(f"{backup}: {table} differs from the index after it was copied; this is a defect of Weft")


def _claims(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many claims a backup holds, and the position of the newest one."""
    [(count, position)] = connection.execute("SELECT count(*), coalesce(max(position), 0) FROM main.claims").fetchall()
    return int(count), int(position)


def remove_index(path: Path) -> None:
    """Remove the files of an index, if they are there."""
    for suffix in ("", *BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
