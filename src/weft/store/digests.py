"""Finding message ids by their digests, for peers that ask by them.

The table ``id_digests`` follows ``ids`` and is caught up when it is asked, so that who never answers such peers has
none of it.  ``digested`` in ``meta`` is the last node that stands in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from weft.core.id_digest import id_digest
from weft.store.migrations import ID_DIGESTS
from weft.store.nodes import chunks, marks

_PAGE = 20_000


class Digests:
    """The digests of one index."""

    def __init__(self, connection: sqlite3.Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection = connection
        self._transaction = transaction

    def ids(self, digests: Sequence[bytes]) -> list[list[bytes]]:
        """For each digest the ids that have it, sorted: nearly always none or one."""
        if self._last() < self._newest():
            with self._transaction():
                self._catch_up()
        found: dict[int, list[bytes]] = {}
        for chunk in chunks(sorted({_number(digest) for digest in digests})):
            for number, octets in self._connection.execute(
                "SELECT digest, id FROM id_digests CROSS JOIN ids ON ids.node = id_digests.node "  # noqa: S608
                f"WHERE digest IN ({marks(chunk)})",
                chunk,
            ):
                found.setdefault(number, []).append(octets)
        return [sorted(found.get(_number(digest), ())) for digest in digests]

    def wrong(self) -> Iterator[str]:
        """What does not follow from the ids."""
        last = self._last()
        [(count,)] = self._connection.execute("SELECT count(*) FROM id_digests").fetchall()
        [(ids,)] = self._connection.execute("SELECT count(*) FROM ids WHERE node <= ?", (last,)).fetchall()
        if count != ids:
            yield f"there are {count} digests of {ids} message ids"
        for node, octets in self._connection.execute("SELECT node, id FROM ids WHERE node <= ?", (last,)):
            row = (_number(id_digest(octets)), node)
            if not self._connection.execute("SELECT 1 FROM id_digests WHERE digest = ? AND node = ?", row).fetchone():
                yield f"message id {octets.decode(errors='replace')} does not fit its digest"

    def forget(self) -> None:
        """Throw the table away; it is made again when it is asked."""
        self._connection.execute("DROP TABLE IF EXISTS id_digests")
        self._connection.execute(ID_DIGESTS)
        self._connection.execute("DELETE FROM meta WHERE name = 'digested'")

    def _catch_up(self) -> None:
        after = self._last()
        while rows := self._connection.execute(
            "SELECT node, id FROM ids WHERE node > ? ORDER BY node LIMIT ?", (after, _PAGE)
        ).fetchall():
            self._connection.executemany(
                "INSERT OR IGNORE INTO id_digests VALUES (?, ?)",
                sorted((_number(id_digest(octets)), node) for node, octets in rows),
            )
            after = rows[-1][0]
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('digested', ?)", (str(after).encode(),))

    def _last(self) -> int:
        row = self._connection.execute("SELECT value FROM meta WHERE name = 'digested'").fetchone()
        return int(row[0]) if row else 0

    def _newest(self) -> int:
        [(newest,)] = self._connection.execute("SELECT coalesce(max(node), 0) FROM ids").fetchall()
        return int(newest)


def _number(digest: bytes) -> int:
    """As SQLite has it."""
    return int.from_bytes(digest, "big", signed=True)
