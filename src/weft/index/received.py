"""What each peer handed over today, of which feed: what quotas are held against.

Theory of operation
-------------------
It is counted in the transaction that keeps the claims, or in one of its own for claims that were refused.  So it is as
durable as they are: no power cut, and no loss of what else is remembered of peers, gives anybody a fresh quota.  Days
are of UTC; rows of earlier ones are deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from weft.core.feed import Feed

_COUNT = (
    "INSERT INTO received VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
    "SET claims = claims + excluded.claims, bytes = bytes + excluded.bytes"
)

_USED = "SELECT origin, list, claims, bytes FROM received WHERE day = ? AND peer = ?"
_USED_OF = f"{_USED} AND origin = ? AND list = ?"


class Amount(NamedTuple):
    """How much a peer handed over of one feed."""

    claims: int
    bytes: int


class Delivery(NamedTuple):
    """Who handed over how much, and on what day."""

    peer: bytes
    day: date
    amounts: Mapping[Feed, Amount]


class Received:
    """The table ``received`` of one index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self, delivery: Delivery) -> None:
        """Add what was handed over, in the caller's transaction."""
        peer, day = delivery.peer, delivery.day.isoformat()
        self._connection.execute("DELETE FROM received WHERE day < ?", (day,))
        rows = [(day, peer, *feed, *amount) for feed, amount in delivery.amounts.items()]
        self._connection.executemany(_COUNT, rows)

    def of(self, peer: bytes, day: date, feeds: Collection[Feed] | None = None) -> dict[Feed, Amount]:
        """What a peer handed over on a day, of all feeds or of some."""
        key = (day.isoformat(), peer)
        if feeds is None:
            rows = self._connection.execute(_USED, key).fetchall()
        else:
            rows = [row for feed in feeds for row in self._connection.execute(_USED_OF, (*key, *feed))]
        return {Feed(origin, name): Amount(claims, size) for origin, name, claims, size in rows}
