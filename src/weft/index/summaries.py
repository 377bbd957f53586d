"""Summaries of threads: what a list of threads shows of each, from the rows of the view and one claim.

Theory of operation
-------------------
A list of threads needs numbers, lists, a date and one subject of each, so no claim is read but those about the first
message that is held.  What comes next to what is decided by table ``recent`` (`weft.index.recency`), so a page costs
what its threads cost, wherever it stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice

from weft.core.author import decode_author
from weft.core.cycle_cutting import WITNESS_RANK
from weft.core.date import format_date
from weft.core.subject import decode_text
from weft.index.recency import (
    UNDATED,
    lists_of,
    month_bounds,
    newer_roots,
    newest_of,
    newest_roots,
    trees_by_list,
    trees_by_month,
)
from weft.index.thread_reader import Row, ThreadReader
from weft.model import ListInfo, ListSummary, MonthSummary, ThreadSummary


class SummaryReader:
    """Reads summaries within one snapshot of a view.  ``now``: as `weft.index.listing.Listing` has it."""

    def __init__(self, connection: sqlite3.Connection, reader: ThreadReader, now: int) -> None:
        self._connection = connection
        self._reader = reader
        self._now = now

    def page(
        self,
        *,
        list_name: str | None,
        month: tuple[int, int] | None,
        since: int | None,
        missing: bool,
        after: int | None,
        before: int | None,
        limit: int,
    ) -> list[ThreadSummary]:
        """As `weft.index.index.Index.summaries`; ``after`` and ``before`` are roots."""
        start, until = (since, None) if month is None else month_bounds(*month)
        if before is None:
            return list(islice(self._some(newest_roots(
                self._connection, self._now, start, after, list_name, until), missing), limit))  # fmt: skip
        newer = newer_roots(self._connection, self._now, before, list_name, until)
        return list(islice(self._some(newer, missing), limit))[::-1]

    def months(self, list_name: str | None) -> list[MonthSummary]:
        """As `weft.index.index.Index.months`."""
        return [MonthSummary(*found) for found in trees_by_month(self._connection, list_name)]

    def lists(self, feeds: list[ListInfo]) -> list[ListSummary]:
        """As `weft.index.index.Index.list_summaries`; ``feeds``: those that count."""
        counts = trees_by_list(self._connection)
        names = sorted({feed.list for feed in feeds})
        return [self._list(name, counts, [feed for feed in feeds if feed.list == name]) for name in names]

    def _list(self, name: str, counts: dict[str, tuple[int, int]], feeds: list[ListInfo]) -> ListSummary:
        threads, newest = counts.get(name, (0, UNDATED))
        copies = sum(feed.claims for feed in feeds)
        return ListSummary(name, threads, copies, _date(newest), tuple(feed.origin for feed in feeds))

    def summary(self, root: int) -> ThreadSummary:
        """The thread below a root."""
        return self._summary(root, self._reader.nodes(root))

    def _some(self, roots: Iterator[int], missing: bool) -> Iterator[ThreadSummary]:
        for root in roots:
            rows = self._reader.nodes(root)
            if rows and (not missing or _misses_some(rows)):
                yield self._summary(root, rows)

    def _summary(self, root: int, rows: list[Row]) -> ThreadSummary:
        shown = self._first_held(rows)
        claims = [] if shown is None else self._reader.claims_about([shown])[shown]
        subject, author = "", ""
        if claims:
            subject, author = decode_text(claims[0].claim.subject), decode_author(claims[0].claim.author)
        held, ghosts = _counts(rows)
        newest = newest_of(self._connection, root)
        return ThreadSummary(
            root=bytes(rows[0][6]).decode("utf-8", "surrogateescape"),
            digest="",
            messages=held,
            ghosts=ghosts,
            lists=lists_of(self._connection, root),
            subject=subject,
            author=author,
            newest=_date(newest),
        )

    def _first_held(self, rows: list[Row]) -> int | None:
        """The node of the first message in display order that is held."""
        if rows[0][2] < WITNESS_RANK:
            return int(rows[0][0])
        tree = self._reader.gathered([(*row, None, None) for row in rows])
        order = tree.order(hidden=False)
        return next((tree.node_list[place] for place, _ in order if not tree.ghosts[place]), None)


def _counts(rows: list[Row]) -> tuple[int, int]:
    """How many nodes of a tree are held, and how many ghosts have a held message below them."""
    held = sum(row[2] < WITNESS_RANK for row in rows)
    if held == len(rows):  # as nearly always
        return held, 0
    needed: set[int] = set()
    for node, parent, rank, *_ in reversed(rows):  # children before their parents
        if rank < WITNESS_RANK or node in needed:
            needed.add(parent)
    return held, sum(row[2] >= WITNESS_RANK and row[0] in needed for row in rows)


def _misses_some(rows: list[Row]) -> bool:
    """Whether a ghost stands above a message that is here."""
    ghosts = {row[0] for row in rows if row[2] >= WITNESS_RANK}
    return bool(ghosts) and any(row[2] < WITNESS_RANK and row[1] in ghosts for row in rows)


def _date(seconds: int | None) -> str | None:
    return None if seconds is None or seconds == UNDATED else format_date(seconds, 0)
