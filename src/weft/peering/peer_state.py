"""What a server remembers of its peers from one process to the next: refused claims, and ages of keys.

Theory of operation
-------------------
It lies in a small database of its own, ``<index>.kept/memory.db``, which several processes may write: what
``weft sync`` refuses counts for the server that runs beside it.  All of it can be lost (`weft.store.expendable`): then
what was refused is looked at once more, and keys seem new.

What peers handed over counts against quotas, so losing it would give everybody a fresh one: it is counted in the index
(`weft.index.received`), refused claims too.  Here these are remembered of each peer on its own, `REFUSED` at most, with
the feed under whose signature they came; all are forgotten by another version of Weft, whose rules may be others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from weft import __version__
from weft.core.feed import Feed
from weft.store.peer_tables import KeyRow, PeerTables

REFUSED = 20_000
"""Refused claims that are remembered of a peer."""


class PeerState:
    """The database; for one thread."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made if it is not there."""
        self._tables = PeerTables(folder)
        self._refused: dict[bytes, dict[bytes, Feed]] = {}
        """By peer: elements of claims that are not wanted again, with their feeds."""
        self.born: dict[bytes, float] = {}
        """When the key that is kept for a peer was new, in seconds since 1970."""
        self._marks: dict[bytes, bytes] = {}
        refused, keys = self._tables.load(__version__)
        for peer, element, feed in refused:
            self._refused.setdefault(peer, {})[element] = feed
        for peer, mark, born in keys:
            self._marks[peer], self.born[peer] = mark, born

    def refused(self, peer: bytes) -> Mapping[bytes, Feed]:
        """The elements of claims that are not wanted of a peer again, with the feeds that it cannot give us whole."""
        return self._refused.get(peer, {})

    def refuse(self, peer: bytes, elements: Mapping[bytes, Feed]) -> None:
        """Do not want some claims of a peer again; with the feeds under whose signatures they came."""
        known = self._refused.setdefault(peer, {})
        full = len(known.keys() | elements.keys()) > REFUSED
        if full:
            known.clear()
        kept = dict(islice(elements.items(), REFUSED))
        known.update(kept)
        self._tables.refuse(peer, kept, __version__, alone=full)

    def keyed(self, peer: bytes, mark: bytes) -> None:
        """A key is kept for a peer, with another ``mark`` if it is another one; empty: none is."""
        if mark == self._marks.get(peer, b""):
            return
        self._marks.pop(peer, None)
        self.born.pop(peer, None)
        if mark:
            self._marks[peer], self.born[peer] = mark, time.time()
        self._tables.keep_key(peer, KeyRow(peer, mark, self.born[peer]) if mark else None)

    def close(self) -> None:
        """Let go of it."""
        self._tables.close()


def today() -> date:
    """The day of quotas: that of UTC."""
    return datetime.now(UTC).date()
