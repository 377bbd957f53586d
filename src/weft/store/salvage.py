"""A new index out of what can be read of one whose file is damaged.

Theory of operation
-------------------
Pages of the file are damaged, so tables can be read in part.  All that does not follow from something else is read from
both ends of each table, and what lies between is looked for in steps; it is put into a new file, which is then repaired
(`weft.store.fsck`) and takes the place of the damaged one.  That one stays beside it, under another name.

A row counts if its values are of the kinds that the table has; whether they are true, the repair finds out from hashes
and signatures.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from weft._files import replace_durably
from weft.errors import DamagedStoreError, LockedStoreError
from weft.store.backup import TABLES, remove_index
from weft.store.connection import BESIDE, open_database
from weft.store.fsck import StoreProblem
from weft.store.recovery import note_loss
from weft.store.sqlite import SqliteStore
from weft.store.sqlite_errors import BUSY_SECONDS, explained, failure

_KINDS = {"INTEGER": (int, type(None)), "BLOB": (bytes, type(None)), "TEXT": (str,)}
_FARTHEST = 256
"""The largest step, in numbers of rows, by which what cannot be read is passed over."""
_BY_NAME = "meta"
"""The one table that is not in the order of numbers."""


def salvage(index: Path) -> tuple[Path, list[StoreProblem]]:
    """Put a new index in the place of a damaged one: where that is now, and what of it is lost.

    `DamagedStoreError` if nothing of it can be read; then it is where it was.
    """
    draft, aside = index.with_name(f".{index.name[:200]}.salvaged"), _free(index)
    remove_index(draft)
    try:
        with closing(open_database(draft, read_only=False).conn) as connection, explained(draft):
            lost = list(_copy(index, connection))
        with SqliteStore(draft) as store:
            lost += store.repair()
        if lost:  # it may still be in the files of mail, and peers may have it
            with SqliteStore(draft) as store, store.transaction():
                store.connection.execute("UPDATE files SET size = 0, mtime_ns = 0, inode = 0, resume = 0")
                store.connection.execute("UPDATE files SET head = x'', tail = x''")
                note_loss(store.connection)
        for suffix in BESIDE:
            with suppress(FileNotFoundError):
                index.with_name(index.name + suffix).rename(aside.with_name(aside.name + suffix))
        index.rename(aside)
        replace_durably(draft, index)
        with SqliteStore(index, read_only=True) as store:
            store.note_end()
    finally:
        remove_index(draft)
    return aside, lost


def _copy(index: Path, draft: sqlite3.Connection) -> Iterator[StoreProblem]:
    """Copy what can be read into an empty index."""
    try:
        with closing(sqlite3.connect(index, timeout=BUSY_SECONDS, isolation_level=None)) as damaged:
            _lock(damaged, index)
            tables = {name for (name,) in damaged.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "claims" not in tables or "batches" not in tables:
                raise sqlite3.DatabaseError("its tables are not named any more")
            draft.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                gaps = _Gaps()
                _fill(draft, table, _rows(damaged, table, gaps) if table in tables else iter(()))
                if gaps.found:
                    yield StoreProblem(f"in the file: {table} cannot be read whole")
            _start_over(draft)
            draft.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise DamagedStoreError(f"{index}: nothing of it can be read ({error})") from None


def _lock(damaged: sqlite3.Connection, index: Path) -> None:
    """Nobody else writes it now; `LockedStoreError` if somebody does."""
    try:
        damaged.execute("BEGIN IMMEDIATE")
    except sqlite3.DatabaseError as error:
        found = failure(index, error)
        if isinstance(found, LockedStoreError):
            raise found from None


class _Gaps:
    """Whether something could not be read."""

    found = False


def _rows(damaged: sqlite3.Connection, table: str, gaps: _Gaps) -> Iterator[Sequence[object]]:
    """The rows of a table that can be read."""
    names = ", ".join(TABLES[table])
    number = next(iter(TABLES[table]))
    if table == _BY_NAME:
        yield from _until_damage(damaged.execute, f"SELECT {names} FROM {table}", (), gaps)  # noqa: S608
        return
    last = -1
    for row in _until_damage(damaged.execute, f"SELECT {names} FROM {table} ORDER BY {number}", (), gaps):  # noqa: S608
        if isinstance(row[0], int):
            last = row[0]
        yield row
    if not gaps.found:
        return
    first = 1 << 62
    query = f"SELECT {names} FROM {table} WHERE {number} > ? ORDER BY {number} DESC"  # noqa: S608
    for row in _until_damage(damaged.execute, query, (last,), gaps):
        if isinstance(row[0], int):
            first = row[0]
        yield row
    yield from _between(damaged, table, last, first, gaps)


def _between(damaged: sqlite3.Connection, table: str, last: int, first: int, gaps: _Gaps) -> Iterator[Sequence[object]]:
    """What can be read between two rows beyond which nothing can be read straight on."""
    names, number = ", ".join(TABLES[table]), next(iter(TABLES[table]))
    query = f"SELECT {names} FROM {table} WHERE {number} > ? AND {number} < ? ORDER BY {number}"  # noqa: S608
    step, place = 1, last
    while first < 1 << 62 and place + step < first:
        place += step
        step = min(2 * step, _FARTHEST)
        for row in _until_damage(damaged.execute, query, (place, first), gaps):
            if isinstance(row[0], int) and row[0] > place:
                place, step = row[0], 1
            yield row


def _until_damage(execute: object, query: str, values: tuple[int, ...], gaps: _Gaps) -> Iterator[Sequence[object]]:
    """The rows of a query, up to where it fails."""
    assert callable(execute)
    try:
        yield from execute(query, values)
    except (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError):
        gaps.found = True


def _fill(draft: sqlite3.Connection, table: str, rows: Iterator[Sequence[object]]) -> None:
    kinds = [_KINDS[kind] for kind in TABLES[table].values()]
    marks = ", ".join("?" * len(kinds))
    sound = (row for row in rows if all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True)))
    draft.executemany(f"INSERT OR {'REPLACE' if table == _BY_NAME else 'IGNORE'} INTO {table} VALUES ({marks})", sound)  # noqa: S608


def _start_over(draft: sqlite3.Connection) -> None:
    """Leave out how far was read what is made again."""
    draft.execute("DELETE FROM meta WHERE name IN ('digested', 'retained')")


def _free(index: Path) -> Path:
    """A name beside the index that nothing has."""
    number = 0
    while (path := index.with_name(f"{index.name}.damaged{f'-{number}' if number else ''}")).exists():
        number += 1
    return path
