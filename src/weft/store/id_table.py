"""Message ids as numbers.

Ids recur: a thread names its root in every message.  So what was looked up or numbered is remembered, up to a bound:
two generations of a cache, of which the older is let go when the younger is full.  The numbers of ids never change, so
what other processes write meanwhile cannot make it wrong; what a transaction numbered and did not commit can, and is
forgotten with it.

Finding message ids by their digests, for peers that ask by them.

The table ``id_digests`` follows ``ids`` and is caught up when it is asked, so that who never answers such peers has
none of it.  ``digested`` in ``meta`` is the last node that stands in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain, islice
from typing import TypeVar

from weft.core.id_digest import id_digest
from weft.store.id_keys import alike, skeleton
from weft.store.schema import digest_table

CHUNK = 500
"""Values in one statement; SQLite before 3.32 takes 999."""
_GENERATION = 120_000
_NUMBER_BITS = 48

T = TypeVar("T")


def chunks(values: Sequence[T]) -> list[tuple[str, Sequence[T]]]:
    """The values, as many at a time as one statement takes, each time with the question marks of an ``IN (...)``."""
    starts = range(0, len(values), CHUNK)
    return [(",".join("?" * len(some)), some) for some in (values[start : start + CHUNK] for start in starts)]


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[object]], columns: int = 2) -> None:
    """Insert new rows, many with one statement: to begin a statement costs as much as to insert a row.

    A row that cannot be inserted ends the transaction in any case.  ``OR FAIL`` says so; otherwise SQLite keeps what it
    would need to undo such a statement alone, in a file, which costs more than all the rest.
    """
    row, number, left = f"({','.join('?' * columns)})", CHUNK // columns, iter(rows)
    into = f"INSERT OR FAIL INTO {table} VALUES "  # noqa: S608 - our own names
    while len(some := list(islice(left, number))) == number:
        connection.execute(into + ",".join([row] * number), list(chain.from_iterable(some)))
    connection.executemany(into + row, some)


def in_key_order(keys: Iterable[int], numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """(key, number) in the order of the keys, so that pages of their tree are met once."""
    # Sorted as single integers: quicker than pairs.
    packed = sorted([key << _NUMBER_BITS | number for key, number in zip(keys, numbers, strict=True)])
    return ((both >> _NUMBER_BITS, both & (1 << _NUMBER_BITS) - 1) for both in packed)


class IdTable:
    """The numbers of message ids in one index."""

    def __init__(self, connection: sqlite3.Connection, key: Callable[[bytes], int]) -> None:
        """``key``: `weft.store.id_keys.id_key_function`."""
        self._connection = connection
        self.key = key
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}

    def numbers(self, ids: Collection[bytes], *, create: bool) -> dict[bytes, int]:
        """The numbers of ids, each given once; one that has none is left out, or gets one with ``create``."""
        found: dict[bytes, int] = {}
        missing = []
        young, old = self._young.get, self._old.get
        for data in ids:
            node = young(data) or old(data)
            if node:
                found[data] = node
            else:
                missing.append(data)
        if missing:
            keys = list(map(self.key, missing))
            self._look_up(missing, keys, found)
            if create:
                self._create({data: key for data, key in zip(missing, keys, strict=True) if data not in found}, found)
            self._remember({data: found[data] for data in missing if data in found})
        return found

    def ids_of(self, nodes: Sequence[int]) -> list[bytes]:
        """The ids of nodes, in their order; `KeyError` for a number that is none."""
        found: dict[int, bytes] = {}
        for marks, chunk in chunks(nodes):
            found.update(
                self._connection.execute(f"SELECT node, id FROM ids WHERE node IN ({marks})", chunk)  # noqa: S608
            )
        return [found[node] for node in nodes]

    def lookalikes(self, message_id: bytes, limit: int) -> list[bytes]:
        """Other ids with the same skeleton, at most ``limit``, sorted; only what may be one is looked at."""
        wanted = skeleton(message_id)
        rows = self._connection.execute(
            "SELECT ids.id FROM id_keys CROSS JOIN ids ON ids.node = id_keys.node "
            "WHERE id_keys.key BETWEEN ? AND ? ORDER BY id_keys.key, id_keys.node",
            alike(self.key(message_id)),
        )
        others = (data for (data,) in rows if data != message_id and skeleton(data) == wanted)
        return sorted(islice(others, limit))

    def forget(self) -> None:
        """After a rollback: what was numbered in it is not."""
        self._young.clear()
        self._old.clear()

    def _look_up(self, ids: Sequence[bytes], keys: Sequence[int], found: dict[bytes, int]) -> None:
        wanted = set(ids)
        for marks, chunk in chunks(sorted(set(keys))):
            for data, node in self._connection.execute(
                "SELECT ids.id, ids.node FROM id_keys CROSS JOIN ids ON ids.node = id_keys.node "  # noqa: S608
                f"WHERE id_keys.key IN ({marks})",
                chunk,
            ):
                if data in wanted:
                    found[data] = node

    def _create(self, ids: dict[bytes, int], found: dict[bytes, int]) -> None:
        """Number ids, which come with their keys."""
        [(last,)] = self._connection.execute("SELECT coalesce(max(node), 0) FROM ids").fetchall()
        insert(self._connection, "ids", enumerate(ids, last + 1))
        insert(self._connection, "id_keys", in_key_order(ids.values(), range(last + 1, last + 1 + len(ids))))
        found.update(zip(ids, range(last + 1, last + 1 + len(ids)), strict=True))

    def _remember(self, numbered: dict[bytes, int]) -> None:
        if len(self._young) + len(numbered) > _GENERATION:
            self._old, self._young = self._young, {}
        if len(numbered) <= _GENERATION:
            self._young.update(numbered)


_PAGE = 20_000


class IdDigestTable:
    """A number that follows from each id of one index, in a table of (number, node) that is caught up when asked."""

    table, noted, word = "id_digests", "digested", "digest"
    """The table, the row of ``meta`` that says how far it goes, and what the numbers are called."""

    def __init__(self, connection: sqlite3.Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def number(self, message_id: bytes) -> int:
        """The number of an id."""
        return _number(id_digest(message_id))

    def ids(self, digests: Sequence[bytes]) -> list[list[bytes]]:
        """For each digest the ids that have it, sorted: nearly always none or one."""
        while not self.catch_up(_PAGE):
            pass
        found: dict[int, list[bytes]] = {}
        for marks, chunk in chunks(sorted({_number(digest) for digest in digests})):
            for number, data in self._connection.execute(
                "SELECT digest, id FROM id_digests CROSS JOIN ids ON ids.node = id_digests.node "  # noqa: S608
                f"WHERE digest IN ({marks})",
                chunk,
            ):
                found.setdefault(number, []).append(data)
        return [sorted(found.get(_number(digest), ())) for digest in digests]

    def wrong(self) -> Iterator[str]:
        """What does not follow from the ids."""
        last = self._last()
        [(count,)] = self._connection.execute(f"SELECT count(*) FROM {self.table}").fetchall()  # noqa: S608
        [(ids,)] = self._connection.execute("SELECT count(*) FROM ids WHERE node <= ?", (last,)).fetchall()
        if count != ids:
            yield f"there are {count} {self.word}s of {ids} message ids"
        there = f"SELECT 1 FROM {self.table} WHERE digest = ? AND node = ?"  # noqa: S608
        for node, data in self._connection.execute("SELECT node, id FROM ids WHERE node <= ?", (last,)):
            if not self._connection.execute(there, (self.number(data), node)).fetchone():
                yield f"message id {data.decode(errors='replace')} does not fit its {self.word}"

    def forget(self) -> None:
        """Throw the table away; it is made again when it is asked."""
        self._connection.execute(f"DROP TABLE IF EXISTS {self.table}")
        self._connection.execute(digest_table(self.table))
        self._connection.execute("DELETE FROM meta WHERE name = ?", (self.noted,))

    def catch_up(self, most: int) -> bool:
        """Note the numbers of up to ``most`` ids that are new; whether all are noted."""
        if self._last() >= self._newest():
            return True
        with self._transaction():
            rows = self._connection.execute(
                "SELECT node, id FROM ids WHERE node > ? ORDER BY node LIMIT ?", (self._last(), most)
            ).fetchall()
            numbers = sorted((self.number(data), node) for node, data in rows)
            self._connection.executemany(f"INSERT OR IGNORE INTO {self.table} VALUES (?, ?)", numbers)  # noqa: S608
            last = rows[-1][0] if rows else self._newest()
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (self.noted, str(last).encode()))
        return len(rows) < most

    def _last(self) -> int:
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (self.noted,)).fetchone()
        return int(row[0]) if row else 0

    def _newest(self) -> int:
        [(newest,)] = self._connection.execute("SELECT coalesce(max(node), 0) FROM ids").fetchall()
        return int(newest)


def _number(digest: bytes) -> int:
    """As SQLite has it."""
    return int.from_bytes(digest, "big", signed=True)
