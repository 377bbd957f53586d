"""Where the claims of each feed stand in the log, so that some feeds are read at the cost of what they hold.

Theory of operation
-------------------
A **run** is a row of positions, one after the other, that are all of one feed.  What is ingested or taken from a peer
comes in runs, so there are far fewer of them than claims; at worst, where feeds take turns, there is one for each.  The
runs of some feeds are merged by position.  A claim never changes its feed, so a run only ever grows at its end, and
positions are given in ascending order, so that is the end of the table.

A run may hold positions at which there is no claim any more (`weft.store.fsck`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from heapq import merge
from itertools import islice
from typing import NamedTuple

from weft.core.feed import Lists

FEED_RUNS = (
    "CREATE TABLE feed_runs (feed INTEGER, position INTEGER, count INTEGER, PRIMARY KEY (feed, position)) WITHOUT ROWID"
)
_ADD = "INSERT INTO feed_runs VALUES (?, ?, ?)"
_GROW = (
    "UPDATE feed_runs SET count = count + ?3 WHERE feed = ?1 AND position + count = ?2 "
    "AND position = (SELECT max(position) FROM feed_runs WHERE feed = ?1)"
)
_FROM = (
    "SELECT max(position, ?2 + 1), min(position + count - 1, ?3) FROM feed_runs WHERE feed = ?1 AND position <= ?3 "
    "AND position >= coalesce((SELECT max(position) FROM feed_runs WHERE feed = ?1 AND position <= ?2 + 1), 0) "
    "AND position + count - 1 > ?2 ORDER BY position"
)
_OF_BATCHES = (
    "SELECT feed, position, count FROM runs JOIN batches USING (batch) WHERE count > 0 ORDER BY feed, position"
)
_OF_CLAIMS = "SELECT feed, position, 1 FROM claims JOIN batches USING (batch) ORDER BY feed, position"
_HELD_IN_RUNS = (
    "SELECT count(*) FROM feed_runs CROSS JOIN claims "
    "ON claims.position BETWEEN feed_runs.position AND feed_runs.position + feed_runs.count - 1"
)
_OWN_RUN = (
    "SELECT position + count > ?2 FROM feed_runs WHERE feed = (SELECT feed FROM batches WHERE batch = ?1) "
    "AND position <= ?2 ORDER BY position DESC LIMIT 1"
)
MOST_FEEDS = 256
"""Feeds whose runs are merged; of more, the log itself is read."""


class FeedRun(NamedTuple):
    """Positions of one feed."""

    feed: int
    """The number of the feed."""
    position: int
    """The first one."""
    length: int


class FeedRuns:
    """The table ``feed_runs``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, runs: Iterable[FeedRun]) -> None:
        """Note where new claims stand, beyond all that was noted of their feeds."""
        for run in joined_runs(runs):
            if not self._connection.execute(_GROW, run).rowcount:
                self._connection.execute(_ADD, run)

    def numbers(self, feeds: Mapping[bytes, Lists]) -> list[int] | None:
        """The numbers of those of some feeds, given by origin, that are known here; None if they are too many."""
        found: list[int] = []
        for origin, lists in feeds.items():
            for number in self._of_origin(origin, lists):
                found.append(number)
                if len(found) > MOST_FEEDS:
                    return None
        return found

    def _of_origin(self, origin: bytes, lists: Lists) -> Iterator[int]:
        if not lists.all_but and len(lists.names) <= MOST_FEEDS:
            for name in lists.names:
                query = "SELECT feed FROM feeds WHERE origin = ? AND list = ?"
                yield from (number for (number,) in self._connection.execute(query, (origin, name)))
            return
        for number, name in self._connection.execute("SELECT feed, list FROM feeds WHERE origin = ?", (origin,)):
            if name in lists:
                yield number

    def positions(self, numbers: Iterable[int], after: int, upto: int, limit: int) -> list[int]:
        """The first ``limit`` positions of some feeds beyond ``after`` and up to ``upto``, ascending."""
        runs = [self._connection.execute(_FROM, (number, after, upto)) for number in numbers]
        with closing(merge(*runs)) as merged:
            return list(islice((position for first, last in merged for position in range(first, last + 1)), limit))

    def has(self, batch: int, position: int) -> bool:
        """Whether it is noted that a claim of a batch is of its feed."""
        found = self._connection.execute(_OWN_RUN, (batch, position)).fetchone()
        return found is not None and bool(found[0])

    def claims(self) -> int:
        """How many claims stand in runs; one that stands in two counts twice."""
        [(count,)] = self._connection.execute(_HELD_IN_RUNS).fetchall()
        return int(count)


def fill_feed_runs(connection: sqlite3.Connection, *, from_claims: bool) -> None:
    """Make the table again, from the claims one by one, or faster from where the claims of each batch stand."""
    connection.execute("DROP TABLE IF EXISTS feed_runs")
    connection.execute(FEED_RUNS)
    rows = connection.execute(_OF_CLAIMS if from_claims else _OF_BATCHES)
    connection.executemany(_ADD, joined_runs(FeedRun(*row) for row in rows))


def joined_runs(runs: Iterable[FeedRun]) -> Iterator[FeedRun]:
    """The same positions in as few runs as hold them; those of a feed that follow each other must be ascending."""
    last: FeedRun | None = None
    for run in runs:
        if last is not None and last.feed == run.feed and run.position <= last.position + last.length:
            last = last._replace(length=max(last.length, run.position + run.length - last.position))
        else:
            if last is not None:
                yield last
            last = run
    if last is not None:
        yield last
