"""A small database whose content may be lost: nothing waits for the disk, and no error of it stops anything.

Theory of operation
-------------------
``synchronous=NORMAL`` with a write-ahead log: a power cut takes the last transactions, and leaves a sound database.
Where SQLite or the disk does not keep to that, the database is damaged.  Then it is moved away, beside its place, as
``NAME.damaged`` (one is kept), a new one is begun, and one line in the log says so.  If that cannot be done either, the
content is kept in memory until the process ends.

Several processes may use it at once.  Who finds it damaged may be the second to do so: under a lock on the folder it
looks whether the file in its place is still the one that it opened, and moves nothing else away.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from weft._files import close_to_others, create_empty, make_folder
from weft.store.connection import BESIDE

_BUSY_SECONDS = 5.0
SYNCHRONOUS = "NORMAL"
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT}
"""Errors that say nothing about the content."""

log = logging.getLogger("weft.store")


class ExpendableDatabase:
    """One connection, for one thread.  No method raises an error of SQLite or of the file system."""

    def __init__(self, path: Path, schema: str, what: str) -> None:
        """``schema``: statements that make the tables unless they are there; ``what`` it holds, for the log."""
        self._path, self._schema, self._what = path, schema, what
        self._file: tuple[int, int] | None = None
        try:
            make_folder(path.parent)
            with suppress(OSError):
                close_to_others(path.parent)
            with _locked(path.parent):
                self._connection = self._connect()
        except (OSError, sqlite3.Error) as error:
            self._connection = self._begin_anew(error)

    def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """All that ``work`` writes is kept, or nothing; what cannot be kept is told and lost.

        It is called once more, with a new database, if the one that is there is damaged.
        """
        if not self._tried(work):
            self._tried(work)

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[Any]:
        """What a query finds; nothing if it cannot be read."""
        try:
            return self._connection.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            self._failed(error)
            return []

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _tried(self, work: Callable[[sqlite3.Connection], object]) -> bool:
        """Do it in a transaction; no if another try may help."""
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                work(self._connection)
        except sqlite3.Error as error:
            return not self._failed(error)
        return True

    def _failed(self, error: sqlite3.Error) -> bool:
        """Begin anew if the database is damaged; whether it was."""
        if not _is_damage(error):
            log.warning("%s cannot be remembered: %s", self._what, error)
            return False
        with suppress(sqlite3.Error):
            self._connection.close()
        self._connection = self._begin_anew(error)
        return True

    def _begin_anew(self, error: Exception) -> sqlite3.Connection:
        """A connection to a new database, and one line that says so."""
        away = self._path.with_name(f"{self._path.name}.damaged")
        moved = False
        try:
            with _locked(self._path.parent):
                if _is_damage(error) and self._file in (None, _identity(self._path)):
                    self._move(away)
                    moved = True
                connection = self._connect()
        except (OSError, sqlite3.Error) as again:
            log.warning("%s: %s; %s is remembered until this process ends (%s)", self._path, error, self._what, again)
            return self._in_memory()
        done = f"it was moved to {away.name}, and a new one begun" if moved else "it was opened once more"
        log.warning("%s: %s; %s", self._path, error, done)
        return connection

    def _move(self, away: Path) -> None:
        for suffix in ("", *BESIDE):
            old = away.with_name(away.name + suffix)
            old.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).rename(old)

    def _connect(self) -> sqlite3.Connection:
        create_empty(self._path)
        for suffix in ("", *BESIDE):
            close_to_others(self._path.with_name(self._path.name + suffix))
        self._file = _identity(self._path)
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            # Neither is asked for its answer: nothing is promised about what is kept here.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
            [(found,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                raise _damage(found.splitlines()[-1])
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection

    def _in_memory(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(self._schema)
        return connection


def _is_damage(error: Exception) -> bool:
    """Whether an error says that the database is of no use any more."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_BUSY) & 0xFF not in _PASSING


def _damage(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one that takes its name; None if none has it."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among the processes that ask for the same."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
