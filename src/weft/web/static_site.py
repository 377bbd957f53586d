"""The pages as files: a folder that any web server shows, or a browser without one.

Theory of operation
-------------------
Names of files are hashes of the ids and names that they stand for, so nothing in mail chooses a name, and a thread
keeps its name as long as its root is the same.  Threads are read one by one, so memory does not grow with them.

Each page of a thread says in its head of which version it is, which follows from the digest of the thread; a page whose
version is the same is not made again.  Pages of lists are made again each time, month by month.  At the end every file
of this site that was not made or met in this run goes: its thread has grown together with another one, in whose place
it leads then, or is not here any more.  Only files that say that they are of this site are ever overwritten or removed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from itertools import groupby, islice
from pathlib import Path

from weft.errors import NotFoundError, UsageError, WeftError
from weft.index.index import Index
from weft.model import ThreadSummary
from weft.render.picture_labels import count
from weft.web.links import Links, parse_segment, segment
from weft.web.list_view import PAGE, ThreadRow, list_words, thread_row
from weft.web.mail_view import OpenMail
from weft.web.page import WebPage
from weft.web.pages import MISSING_WORDS, PageBuilder
from weft.web.settings import PageSettings
from weft.web.templating import style_sheet
from weft.web.thread_view import ThreadPart, read_parts

MARK = ".weft-site"
"""The file that says that a folder is one of these."""
LIST_PAGE = 200
"""Threads of a page of a list."""
NO_DATE = "no-date"
_MARK = re.compile(rb'<meta name="weft" content="([^"]*)">')
_HEAD_BYTES = 1024
_HASH = 20
_STEP = 200


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH]


class StaticLinks(Links):
    """Addresses of files, relative to the page that they stand on."""

    static = True

    def __init__(self, base: str, root_of: Callable[[str], str | None]) -> None:
        """``base``: the way up to the folder of the site; ``root_of``: the root of the thread in which an id stands."""
        super().__init__(base)
        self._root_of = root_of
        self._part: ThreadPart | None = None

    def on_page(self, part: ThreadPart | None) -> None:
        """Which page of a thread is being made."""
        self._part = part

    def home(self) -> str:
        """The first page."""
        return f"{self.base}index.html"

    def about(self) -> str:
        """About the server."""
        return f"{self.base}about.html"

    def missing(self, **query: str) -> str:
        """Threads that lack messages; ``page``: which page."""
        return f"{self.base}{missing_file(int(query.get('page', '1')))}"

    def list(self, name: str, **query: str) -> str:
        """The threads of a list; ``month`` and ``page``."""
        return f"{self.base}{list_file(name, query.get('month', 'index'), int(query.get('page', '1')))}"

    def thread(self, message_id: str, page: int | None = None, anchor: str = "") -> str:
        """The page on which an id stands; of another thread, if it is long, the first page."""
        part = self._part
        number = page or (part.page_of(message_id) if part else None)
        if part is not None and number is not None:
            root = part.root
        else:
            root, number = self._root_of(message_id) or message_id, 1
        return self.base + thread_file(root, number) + (f"#{anchor}" if anchor else "")


def thread_file(root: str, page: int = 1) -> str:
    """The file of a page of a thread, below the folder of the site."""
    name = _hash(root)
    return f"t/{name[:2]}/{name[2:]}{_number(page)}.html"


def list_file(name: str, month: str, page: int = 1) -> str:
    """The file of a page of a list."""
    return f"l/{_hash(name)}/{month}{_number(page)}.html"


def missing_file(page: int) -> str:
    """The file of a page of threads that lack messages."""
    return f"missing{_number(page)}.html"


def _number(page: int) -> str:
    return f"-{page}" if page > 1 else ""


@dataclass(slots=True)
class SiteReport:
    """What was done."""

    threads: int = 0
    written: int = 0
    """Pages of threads that are new or have changed."""
    removed: int = 0
    """Pages of threads that are not here any more, or stand in others now."""

    def __str__(self) -> str:
        """On one line."""
        changed = f"{count(self.written, 'page')} of them written, {count(self.removed, 'page')} removed"
        return f"{count(self.threads, 'thread')}, {changed}"


class SiteWriter:
    """Writes the site of one index into a folder."""

    def __init__(self, index: Index, folder: Path, settings: PageSettings) -> None:
        self._index = index
        self._folder = folder
        self._settings = settings
        self._top_links, self._deep_links = (StaticLinks(base, self._root_of) for base in ("", "../../"))
        self._top = PageBuilder(settings, self._top_links)
        self._deep = PageBuilder(settings, self._deep_links)
        self._stamp = 0
        self._report = SiteReport()

    def write(self, progress: Callable[[int], None] = lambda _: None) -> SiteReport:
        """All pages, of one moment; ``progress`` is told how many threads are done.

        `UsageError` for a folder that holds something else, `WeftError` if it cannot be written.
        """
        try:
            with self._index.snapshot():
                self._prepare()
                self._threads(progress)
                self._lists()
                self._missing()
                self._put("index.html", self._top.home(self._index))
                self._put("about.html", self._top.about(self._index))
                self._remove_stale()
        except OSError as error:
            raise WeftError(f"{error.filename or self._folder}: cannot be written: {error.strerror}") from error
        return self._report

    def _root_of(self, message_id: str) -> str | None:
        try:
            return self._index.summary(message_id).root
        except NotFoundError:
            return None

    def _prepare(self) -> None:
        mark = self._folder / MARK
        if self._folder.exists() and not mark.exists() and any(self._folder.iterdir()):
            raise UsageError(f"{self._folder} holds something else than a site of Weft; choose another folder")
        self._folder.mkdir(parents=True, exist_ok=True)
        mark.write_bytes(b"Pages that were written by: weft export --format site\n")
        self._stamp = time.time_ns()
        self._put("style.css", WebPage(style_sheet().encode()))

    def _threads(self, progress: Callable[[int], None]) -> None:
        with OpenMail(self._index) as mail:
            for one in self._summaries():
                self._thread(one, mail)
                self._report.threads += 1
                progress(self._report.threads)

    def _thread(self, short: ThreadSummary, mail: OpenMail) -> None:
        for part in read_parts(self._index, short):
            self._part(part, thread_file(short.root, part.page), mail)

    def _part(self, part: ThreadPart, name: str, mail: OpenMail) -> None:
        mark = f"{self._deep.part_version(part)} {segment(part.root)}"
        place = self._folder / name
        if _mark_of(place) == mark:
            os.utime(place, ns=(self._stamp, self._stamp))
            return
        self._deep_links.on_page(part)
        self._put(name, self._deep.part_page(self._index, part, mail, mark))
        self._deep_links.on_page(None)
        self._report.written += 1

    def _lists(self) -> None:
        for one in self._index.list_summaries():
            months = self._index.months(one.name)
            words, undated = list_words(one), ""
            for month, some in groupby(self._summaries(one.name), key=_month_of):
                for page, rows, more in _pages_of(map(thread_row, some)):
                    undated = self._deep_links.list(one.name, month=NO_DATE) if month == NO_DATE else ""
                    self._put(list_file(one.name, month, page), self._deep.list_file(
                        one.name, words, rows, months, month=month,
                        newer=self._deep_links.list(one.name, month=month, page=str(page - 1)) if page > 1 else "",
                        older=self._deep_links.list(one.name, month=month, page=str(page + 1)) if more else "",
                    ))  # fmt: skip
            newest = [thread_row(row) for row in self._index.summaries(list_name=one.name, limit=PAGE)]
            self._put(list_file(one.name, "index"), self._deep.list_file(
                one.name, words, newest, months, undated=undated))  # fmt: skip

    def _missing(self) -> None:
        page = 0
        for page, rows, more in _pages_of(map(thread_row, self._summaries(missing=True))):
            self._put(missing_file(page), self._top.list_file(
                "", MISSING_WORDS, rows, (), newer=self._top_links.missing(page=str(page - 1)) if page > 1 else "",
                older=self._top_links.missing(page=str(page + 1)) if more else "",
            ))  # fmt: skip
        if not page:
            self._put(missing_file(1), self._top.list_file("", MISSING_WORDS, [], ()))

    def _summaries(self, name: str | None = None, *, missing: bool = False) -> Iterator[ThreadSummary]:
        """All threads, the newest first."""
        after: str | None = None
        while page := self._index.summaries(list_name=name, missing=missing, after=after, limit=_STEP):
            yield from page
            after = page[-1].root

    def _put(self, name: str, page: WebPage) -> None:
        """Write a file, which appears when it is whole; unless it is there as it should be."""
        place = self._folder / name
        try:
            same = place.stat().st_size == len(page.body) and place.read_bytes() == page.body
        except OSError:
            same = False
        if not same:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_name(f".{place.name}.part")
            draft.write_bytes(page.body)
            draft.replace(place)
        os.utime(place, ns=(self._stamp, self._stamp))

    def _remove_stale(self) -> None:
        """What was neither written nor met in this run."""
        for top, folders, names in os.walk(self._folder):
            inside = Path(top).relative_to(self._folder)
            if inside == Path():
                folders[:] = [name for name in folders if name in ("t", "l")]
            for name in names:
                place = Path(top) / name
                if name.endswith((".html", ".part")) and place.lstat().st_mtime_ns != self._stamp:
                    self._replace_stale(place, f"{inside}/{name}")

    def _replace_stale(self, place: Path, name: str) -> None:
        _, _, raw = (_mark_of(place) or "").partition(" ")
        root = self._root_of(parse_segment(raw)) if raw and name.startswith("t/") else None
        if root is None or thread_file(root) == name or place.stem.count("-"):
            place.unlink()
            self._report.removed += 1
            return
        page = self._deep.moved_file(root, f"moved {raw}")
        if place.read_bytes() != page.body:
            self._report.removed += 1
        self._put(name, page)


def _mark_of(place: Path) -> str | None:
    """What a page says of itself; None if there is none, or it says nothing."""
    try:
        with place.open("rb") as file:
            found = _MARK.search(file.read(_HEAD_BYTES))
    except OSError:
        return None
    return None if found is None else unescape(found[1].decode("ascii", "replace"))


def _month_of(summary: ThreadSummary) -> str:
    return NO_DATE if summary.newest is None else summary.newest[:7]


def _pages_of(rows: Iterable[ThreadRow]) -> Iterator[tuple[int, list[ThreadRow], bool]]:
    """(number, rows, whether there are more) of each page."""
    waiting, number = iter(rows), 1
    page = list(islice(waiting, LIST_PAGE))
    while page:
        following = list(islice(waiting, LIST_PAGE))
        yield number, page, bool(following)
        page, number = following, number + 1
