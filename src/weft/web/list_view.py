"""Threads of a list, and messages that a search found, as templates show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from weft.index.index import Index
from weft.model import Found, ListSummary, MonthSummary, ThreadSummary
from weft.render.labels import NO_SUBJECT, in_utc
from weft.render.lanes.svg import anchor
from weft.render.picture_labels import author_name, count, tidy
from weft.web.links import Links

PAGE = 50
"""Threads of a page."""
NO_DATE = "1970-01-01T00:00:00+00:00"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in a list of threads; texts are clean."""

    root: str
    subject: str
    author: str
    day: str
    messages: str
    missing: str
    lists: tuple[str, ...]
    updated: str
    entry_id: str


def thread_row(summary: ThreadSummary) -> ThreadRow:
    """A thread in short."""
    return ThreadRow(
        root=summary.root,
        subject=tidy(summary.subject) or NO_SUBJECT,
        author=author_name(summary.author, 60) if summary.messages else "",
        day=(summary.newest or "no date")[:10],
        messages=count(summary.messages, "message"),
        missing=f"{summary.ghosts:,} not seen here" if summary.ghosts else "",
        lists=summary.lists,
        updated=summary.newest or NO_DATE,
        entry_id=mid(summary.root),
    )


def mid(message_id: str) -> str:
    """An id as a URI (RFC 2392)."""
    return "mid:" + quote(message_id.encode("utf-8", "surrogateescape"), safe="@")


@dataclass(frozen=True, slots=True)
class ThreadsPage:
    """Some threads, and how to get to those before and behind them."""

    rows: list[ThreadRow]
    newer: dict[str, str]
    """The query for newer ones; empty if there are none."""
    older: dict[str, str]


def threads_page(
    index: Index,
    *,
    list_name: str | None = None,
    month: tuple[int, int] | None = None,
    missing: bool = False,
    after: str | None = None,
    before: str | None = None,
    size: int = PAGE,
) -> ThreadsPage:
    """A page of threads, by what its address says.  `weft.errors.NotFoundError` for an id that is not here."""
    found = index.summaries(
        list_name=list_name, month=month, missing=missing, after=None if before else after, before=before,
        limit=size + 1,
    )  # fmt: skip
    more = len(found) > size
    shown = found[1:] if before and more else found[:size]
    has_newer = more if before else after is not None
    has_older = bool(before) or more
    return ThreadsPage(
        [thread_row(one) for one in shown],
        {"before": shown[0].root} if shown and has_newer else {},
        {"after": shown[-1].root} if shown and has_older else {},
    )


@dataclass(frozen=True, slots=True)
class MonthLink:
    """A month of a list."""

    text: str
    """``2003-02``"""
    name: str
    threads: int


def years(months: Iterable[MonthSummary]) -> list[tuple[int, list[MonthLink]]]:
    """Months by year, the latest year first, the months of each in their order."""
    return [
        (year, [MonthLink(f"{year:04d}-{one.month:02d}", _MONTHS[one.month - 1], one.threads) for one in [*some][::-1]])
        for year, some in groupby(months, key=lambda one: one.year)
    ]


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list with what is in it, in words."""

    name: str
    words: str


def list_row(summary: ListSummary) -> ListRow:
    """A list in short."""
    return ListRow(summary.name, list_words(summary))


def list_words(summary: ListSummary) -> str:
    """``23 threads, 34 messages, newest 2004-01-16``"""
    newest = f", newest {summary.newest[:10]}" if summary.newest else ""
    return f"{count(summary.threads, 'thread')}, {count(summary.copies, 'message')}{newest}"


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A message that a search found."""

    href: str
    subject: str
    author: str
    day: str
    list: str


def found_row(found: Found, links: Links) -> FoundRow:
    """A message that was found, with the address of its place in its thread."""
    return FoundRow(
        links.thread(found.message_id, anchor=anchor(found.message_id)),
        tidy(found.subject) or NO_SUBJECT,
        author_name(found.author, 60),
        in_utc(found.date or "no date")[:10],
        found.list,
    )
