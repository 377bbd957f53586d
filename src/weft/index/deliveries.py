"""Up to where in our log each peer has what we give it: the evidence that a withdrawal has arrived.

Theory of operation
-------------------
When a session is in sync, all that was held of the agreed feeds when it began is on the peer's disk as well, or the
peer does not want it (`weft.exchange.events.Delivered`).  So a withdrawal at or before that position is known to the
peer.  One row a peer, of the last such moment.  Positions are those of this log, so the table is no part of a backup;
lost, a peer has confirmed nothing, until the next session.

Who can lie: a peer, about what it has.  That it deletes what was withdrawn, nobody can prove.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from weft.core.feed import Feed, Lists
from weft.index.sync_history import dump_lists, load_lists

_SAVE = (
    "INSERT INTO delivered (peer, position, time, feeds) VALUES (?, ?, ?, ?) ON CONFLICT (peer) "
    "DO UPDATE SET (position, time, feeds) = (excluded.position, excluded.time, excluded.feeds)"
)


class PeerPosition(NamedTuple):
    """What a peer has of us."""

    position: int
    """All of the feeds up to this one."""
    time: int
    """Since when that is known, in seconds since 1970."""
    lists: Mapping[bytes, Lists]
    """Of which feeds, by origin."""

    def covers(self, feed: Feed, position: int) -> bool:
        """Whether a claim of a feed, at a position, is on the peer's disk."""
        lists = self.lists.get(feed.origin)
        return position <= self.position and lists is not None and feed.list in lists


class Deliveries:
    """The table ``delivered`` of one index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def is_new(self, peer: bytes, lists: Mapping[bytes, Lists], position: int) -> bool:
        """Whether a row says less than this."""
        known = self.all().get(peer)
        return known is None or known.position != position or known.lists != lists

    def record(self, peer: bytes, lists: Mapping[bytes, Lists], position: int, when: int) -> None:
        """A peer has all of some feeds up to a position; in the caller's transaction."""
        self._connection.execute(_SAVE, (peer, position, when, dump_lists(lists)))

    def all(self) -> dict[bytes, PeerPosition]:
        """By peer; rows that cannot be read are left out."""
        found = {}
        rows = self._connection.execute("SELECT peer, position, time, feeds FROM delivered").fetchall()
        for peer, position, when, feeds in rows:
            with suppress(ValueError, TypeError):
                found[bytes(peer)] = PeerPosition(int(position), int(when), load_lists(feeds))
        return found
