"""Reading the store's log page by page, so that no question takes long."""

from __future__ import annotations

from collections.abc import Callable

from weft.exchange.events import LogEntry, ReadLog
from weft.exchange.outbox import Outbox

PAGE = 1000
AT_A_TIME = 2048
"""Ids that the store is asked about at a time: some 40 milliseconds for claims, less for message ids."""


def read_log(
    outbox: Outbox, after: int, upto: int, take: Callable[[list[LogEntry]], None], then: Callable[[], None]
) -> None:
    """Hand the entries beyond ``after`` and up to ``upto`` to ``take``, page by page; then call ``then``."""

    def page(entries: list[LogEntry]) -> None:
        if entries:
            take(entries)
            read_log(outbox, entries[-1].position, upto, take, then)
        else:
            then()

    if after < upto:
        outbox.ask(ReadLog(after, min(PAGE, upto - after)), page)
    else:
        then()
