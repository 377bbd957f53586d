"""Reading the store's log page by page, so that no question takes long."""

from __future__ import annotations

from collections.abc import Callable

from weft.exchange.events import Entry, ReadLog
from weft.exchange.line import Line

PAGE = 1000
AT_A_TIME = 2048
"""Ids that the store is asked about at a time: some 40 milliseconds for claims, less for message ids."""


def read_log(line: Line, after: int, upto: int, take: Callable[[list[Entry]], None], then: Callable[[], None]) -> None:
    """Hand the entries beyond ``after`` and up to ``upto`` to ``take``, page by page; then call ``then``."""

    def page(entries: list[Entry]) -> None:
        if entries:
            take(entries)
            read_log(line, entries[-1].position, upto, take, then)
        else:
            then()

    if after < upto:
        line.ask(ReadLog(after, min(PAGE, upto - after)), page)
    else:
        then()
