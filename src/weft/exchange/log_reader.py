"""Reading what the store's log holds of some feeds, page by page, so that no question takes long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from weft.exchange.events import LogEntry, LogPage, ReadLog
from weft.exchange.outbox import Outbox
from weft.policy.feed_ranges import FeedRanges

PAGE = 1000
AT_A_TIME = 2048
"""Ids that the store is asked about at a time: some 40 milliseconds for claims, less for message ids."""


def read_log(
    outbox: Outbox,
    feeds: FeedRanges,
    after: int,
    upto: int,
    take: Callable[[Sequence[LogEntry]], None],
    then: Callable[[], None],
) -> None:
    """Hand what is of ``feeds`` beyond ``after`` and up to ``upto`` to ``take``, page by page; then call ``then``."""

    def page(found: LogPage[LogEntry]) -> None:
        if found.entries:
            take(found.entries)
        if found.end > after:
            read_log(outbox, feeds, found.end, upto, take, then)
        else:
            then()

    if after < upto:
        outbox.ask(ReadLog(after, PAGE, feeds, upto), page)
    else:
        then()
