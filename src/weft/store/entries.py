"""The messages of folders and repositories that were read, by name: the table ``entries``.

Theory of operation
-------------------
A row is a file of a folder or a blob of a repository.  Its key holds the number of the source in ``files`` and, in the
lower 32 bits, the number of the message in the source, which is the ``offset`` of the claim that was made of it; the
name says where it is now.  ``position`` is that claim's; NULL if it holds no message.  The key of a message that is
gone from its source is negative: then its name is that which it had last.

Names are not indexed: few are looked for at once, and a scan of a million rows takes a fifth of a second.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

_BITS = 32
_FEW = 400
"""So many names are looked for one by one; for more all are read."""


class GoneEntry(NamedTuple):
    """A message that is gone from its source: ``position`` is that of its claim."""

    number: int
    position: int


class FileEntries:
    """The entries of one source, by its number in ``files``."""

    def __init__(self, connection: sqlite3.Connection, file: int) -> None:
        self._connection = connection
        self._first = file << _BITS
        self._end = (file + 1) << _BITS

    @property
    def next_number(self) -> int:
        """The number of the next message: none is used twice."""
        [(last,)] = self._connection.execute(
            "SELECT max((SELECT coalesce(max(entry), 0) FROM entries WHERE entry >= ?1 AND entry < ?2), "
            "(SELECT coalesce(-min(entry), 0) FROM entries WHERE entry > -?2 AND entry <= -?1))",
            (self._first, self._end),
        )
        return int(last) - self._first + 1 if last else 0

    def all(self) -> set[bytes]:
        """The names of all messages that are there."""
        return self._names("name")

    def below(self, folder: bytes) -> set[bytes]:
        """Those that begin with ``folder``, without it."""
        end = folder[:-1] + bytes([folder[-1] + 1])
        return self._names(f"substr(name, {len(folder) + 1})", " AND name >= ? AND name < ?", (folder, end))

    def starting(self, fronts: Collection[bytes]) -> set[bytes]:
        """Those that begin with one of some byte strings of the same length."""
        if not fronts:
            return set()
        length = len(next(iter(fronts)))
        if len(fronts) > _FEW:
            chosen = set(fronts)
            return {name for name in self.all() if name[:length] in chosen}
        marks = ",".join("?" * len(fronts))
        return self._names("name", f" AND substr(name, 1, ?) IN ({marks})", (length, *fronts))

    def name(self, number: int) -> bytes | None:
        """The name of a message; None if it is gone, or was never read."""
        found = self._connection.execute("SELECT name FROM entries WHERE entry = ?", (self._first + number,)).fetchone()
        return None if found is None else bytes(found[0])

    def add(self, rows: Iterable[tuple[int, int | None, bytes]]) -> None:
        """Remember messages: (number, position of the claim, name)."""
        first = self._first
        self._connection.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)",
            ((first + number, position, name) for number, position, name in rows),
        )

    def move(self, moved: Sequence[tuple[bytes, bytes]]) -> None:
        """Give messages other names: (old, new)."""
        keys = self._keys([old for old, _ in moved])
        self._connection.executemany(
            "UPDATE entries SET name = ? WHERE entry = ?", [(new, keys[old]) for old, new in moved if old in keys]
        )

    def leave(self, names: Collection[bytes]) -> int:
        """Messages are gone; how many that held one."""
        keys = self._keys(names)
        before = self._connection.total_changes
        self._connection.executemany(
            "DELETE FROM entries WHERE entry = ? AND position IS NULL", [(key,) for key in keys.values()]
        )
        held = len(keys) - (self._connection.total_changes - before)
        self._connection.executemany("UPDATE entries SET entry = -entry WHERE entry = ?", [(k,) for k in keys.values()])
        return held

    def gone(self) -> list[GoneEntry]:
        """The messages that are gone."""
        rows = self._connection.execute(
            "SELECT -entry, position FROM entries WHERE entry > ? AND entry <= ?", (-self._end, -self._first)
        )
        return [GoneEntry(key - self._first, position) for key, position in rows]

    def forget(self, gone: Iterable[GoneEntry]) -> None:
        """Messages that are gone are not remembered any longer."""
        self._connection.executemany(
            "DELETE FROM entries WHERE entry = ?", [(-(self._first + one.number),) for one in gone]
        )

    def _names(self, shown: str, where: str = "", values: Sequence[bytes | int] = ()) -> set[bytes]:
        rows = self._connection.execute(
            f"SELECT {shown} FROM entries WHERE entry >= ? AND entry < ?{where}",  # noqa: S608 - of this module's own
            (self._first, self._end, *values),
        )
        return {name for (name,) in rows}

    def _keys(self, names: Collection[bytes]) -> dict[bytes, int]:
        within = (self._first, self._end)
        if len(names) > _FEW:
            chosen = set(names)
            rows = self._connection.execute("SELECT name, entry FROM entries WHERE entry >= ? AND entry < ?", within)
            return {name: key for name, key in rows if name in chosen}
        marks = ",".join("?" * len(names))
        rows = self._connection.execute(
            "SELECT name, entry FROM entries WHERE entry >= ? AND entry < ? AND name IN (" + marks + ")",  # noqa: S608
            (*within, *names),
        )
        return dict(rows)


def forget_entries(connection: sqlite3.Connection) -> None:
    """Forget the entries of sources that are not in ``files``."""
    connection.execute(f"DELETE FROM entries WHERE abs(entry) >> {_BITS} NOT IN (SELECT file FROM files)")  # noqa: S608


def claimed_at(connection: sqlite3.Connection, positions: Collection[int]) -> set[int]:
    """Those positions of claims that a message is remembered for that is still in its source."""
    if len(positions) > _FEW:
        chosen = set(positions)
        rows = connection.execute("SELECT position FROM entries WHERE entry > 0 AND position NOT NULL")
        return {position for (position,) in rows if position in chosen}
    marks = ",".join("?" * len(positions))
    rows = connection.execute(
        f"SELECT position FROM entries WHERE entry > 0 AND position IN ({marks})",  # noqa: S608 - question marks
        tuple(positions),
    )
    return {position for (position,) in rows}
