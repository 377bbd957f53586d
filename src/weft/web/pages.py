"""Pages of an index: from what an address asks for to bytes, without a network.

Every method reads one moment of an `Index` and gives a `WebPage`, or raises `weft.errors.NotFoundError` for what is not
here, `UsageError` for what cannot be, and `weft.errors.DeniedError` for what the operator does not show.  With the
``known`` versions of a page that a reader has, a page that is one of them is not made.
"""

from __future__ import annotations

import io
import uuid
from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from weft import __version__
from weft.core.body import unescape_from
from weft.errors import DeniedError, NotFoundError, UsageError
from weft.index.index import Index
from weft.index.raw_mail import MissingMail
from weft.model import Message, MonthSummary, Thread
from weft.policy.names import origin_name
from weft.render.json import encode_thread
from weft.render.labels import NO_SUBJECT, in_utc
from weft.render.lanes.style import ALONE
from weft.render.lanes.svg import anchor, write_svg
from weft.render.mbox import write_mboxrd
from weft.render.picture_labels import author_name, count, tidy
from weft.web import list_view, thread_view
from weft.web.links import Links
from weft.web.mail_view import MailTexts, OpenMail
from weft.web.message_view import message_values
from weft.web.page import WebPage
from weft.web.page_cache import PageCache
from weft.web.settings import PageSettings
from weft.web.templating import render, style_version

MISSING = "What is missing"
MISSING_WORDS = "Threads in which somebody answers a message that none of the lists here has"
ATOM = "application/atom+xml; charset=utf-8"
FEED = 30
"""Entries of a feed."""
MOST_MESSAGES = 20_000
"""Messages of a thread that is given whole in another form."""
MOST_BYTES = 64 << 20
"""Bytes of the mail of a thread."""
_SEARCHED = 50
_MESSAGE_LINES = 20_000
_NAMESPACE = uuid.UUID("5d0c3a52-6b0e-5c0e-9a3c-3c7c7d1b0f77")
_STYLE = b64encode(sha256(ALONE.encode()).digest()).decode()
_OPEN_SVG = f"default-src 'none'; style-src 'sha256-{_STYLE}'; frame-ancestors 'none'; sandbox"
_RAW = "default-src 'none'; frame-ancestors 'none'; sandbox"


class PageBuilder:
    """Makes the pages of one site."""

    def __init__(self, settings: PageSettings, links: Links, cache: PageCache | None = None) -> None:
        """``cache``: where pages of threads are kept."""
        self._cache = cache or PageCache(0)
        self._settings = settings
        self._links = links
        self._mask = not settings.show_addresses
        self._seal = f"{__version__} {style_version()} {settings} {links.base}"

    def home(self, index: Index) -> WebPage:
        """All lists, and the newest threads."""
        with index.snapshot():
            lists = index.list_summaries()
            page = list_view.threads_page(index)
        older = self._links.list("", **page.older) if page.older and not self._links.static else ""
        return self._page("home.html", {
            "heading": self._settings.title, "title": self._settings.title, "rows": page.rows, "older": older,
            "lists": list(map(list_view.list_row, lists)),
        })  # fmt: skip

    def threads(
        self,
        index: Index,
        name: str,
        *,
        month: tuple[int, int] | None = None,
        after: str | None = None,
        before: str | None = None,
    ) -> WebPage:
        """Threads of a list, or of all for an empty name, the newest first."""
        with index.snapshot():
            words, months = "", []
            if name:
                summary = next((one for one in index.list_summaries() if one.name == name), None)
                if summary is None:
                    raise NotFoundError(f"there is no list {name!r} here")
                words, months = list_view.list_words(summary), index.months(name)
            page = list_view.threads_page(index, list_name=name or None, month=month, after=after, before=before)
        stated = {} if month is None else {"month": f"{month[0]:04d}-{month[1]:02d}"}
        heading = tidy(name) or "All threads"
        return self._page("list.html", {
            "heading": heading, "title": f"{heading} - {self._settings.title}", "name": name, "words": words,
            "feed": self._links.feed(name) if name and not self._links.static else "", "rows": page.rows,
            "newer": self._links.list(name, **stated, **page.newer) if page.newer else "",
            "older": self._links.list(name, **stated, **page.older) if page.older else "",
            "months": list_view.years(months), "month": stated.get("month", ""), "empty": "No thread.",
            "undated": "",
        })  # fmt: skip

    def missing(self, index: Index, *, after: str | None = None, before: str | None = None) -> WebPage:
        """Threads that lack a message which others answer."""
        with index.snapshot():
            page = list_view.threads_page(index, missing=True, after=after, before=before)
        return self._page("list.html", {
            "heading": MISSING, "title": f"{MISSING} - {self._settings.title}", "name": "", "words": MISSING_WORDS,
            "feed": "", "undated": "",
            "rows": page.rows, "newer": self._links.missing(**page.newer) if page.newer else "",
            "older": self._links.missing(**page.older) if page.older else "", "months": [], "month": "",
            "empty": "Nothing is missing.",
        })  # fmt: skip

    def thread(self, index: Index, wanted: str, page: int | None = None, known: Collection[str] = ()) -> WebPage:
        """A thread, or a page of one that is long."""
        with index.snapshot(), OpenMail(index) as mail:
            part = thread_view.read_part(index, wanted, page)
            version = self.part_version(part)
            if version in known:
                return WebPage(b"", version=version).unchanged()
            kept = self._cache.get(version)
            if kept is None:
                kept = self.part_page(index, part, mail)
                self._cache.put(kept)
            return kept

    def part_version(self, part: thread_view.ThreadPart) -> str:
        """The version of the page of a part of a thread."""
        coverage = part.thread.coverage
        if coverage is not None and self._links.static:  # when somebody was asked again is no reason to write it again
            coverage = replace(coverage, asked=tuple(one._replace(upto="") for one in coverage.asked))
        return self._version(part.version, part.start, coverage)

    def part_page(self, index: Index, part: thread_view.ThreadPart, mail: OpenMail, mark: str = "") -> WebPage:
        """The page of a part of a thread, within the snapshot in which it was read; ``mark``: what its file says."""
        held = [message.id for message in part.thread.messages if not message.ghost]
        texts = MailTexts.read(mail, held, mask=self._mask)
        values = thread_view.thread_values(part, texts, index.names(), self._links, self._settings.title)
        return replace(self._page("thread.html", {**values, "mark": mark}), version=self.part_version(part))

    def thread_file(self, index: Index, wanted: str, form: str, known: Collection[str] = ()) -> WebPage:
        """A thread in another form: one of `weft.web.links.FORMS`."""
        with index.snapshot():
            if index.large_thread(wanted).size > MOST_MESSAGES:
                raise DeniedError(f"the thread has more than {count(MOST_MESSAGES, 'message')}; it is shown in pages")
            thread = index.thread(wanted, hidden=form == "json")
            if not thread.messages:
                thread = index.thread(wanted)
            version = self._version(thread.digest, form, thread.coverage)
            if version in known:
                return WebPage(b"", version=version).unchanged()
            found = self._form(index, thread, form)
        return replace(found, version=version)

    def _form(self, index: Index, thread: Thread, form: str) -> WebPage:
        if form == "json":
            shown = _without_addresses(thread) if self._mask else thread
            return WebPage((encode_thread(shown) + "\n").encode(), "application/json")
        if form == "svg":
            file = io.BytesIO()
            write_svg([thread], file)
            return WebPage(file.getvalue(), "image/svg+xml", policy=_OPEN_SVG)
        if form == "atom":
            return self._thread_feed(index, thread)
        return self._mbox(index, thread)

    def _mbox(self, index: Index, thread: Thread) -> WebPage:
        self._check_shown()
        file, size = io.BytesIO(), 0

        def messages(found: Iterable[tuple[bytes, bool]]) -> Iterable[tuple[bytes, bool]]:
            nonlocal size
            for data, escaped in found:
                size += len(data)
                if size > MOST_BYTES:
                    raise DeniedError(f"the mail of this thread has more than {count(MOST_BYTES >> 20, 'MiB', 'MiB')}")
                yield data, escaped

        with index.mail(_ignore) as mail:
            write_mboxrd(messages(mail.raw([thread])), file)
        return WebPage(file.getvalue(), "application/mbox", policy=_RAW, file_name="thread.mbox")

    def _thread_feed(self, index: Index, thread: Thread) -> WebPage:
        held = [message for message in thread.messages if not message.ghost]
        newest = sorted(held, key=_moment, reverse=True)[:FEED]
        with OpenMail(index) as mail:
            texts = MailTexts.read(mail, [one.id for one in newest], mask=self._mask, most=200, plain=True)
        entries = [
            {
                "subject": tidy(one.subject) or NO_SUBJECT,
                "entry_id": list_view.mid(one.id),
                "updated": one.date or list_view.NO_DATE,
                "author": author_name(one.author, 80),
                "parent_id": "" if one.parent is None else list_view.mid(one.parent),
                "href": self._links.thread(one.id, anchor=anchor(one.id)),
                "text": next((copy.plain for copy in texts.copies(one.id)), ""),
            }
            for one in newest
        ]
        return self._feed("thread.atom", {
            "heading": next((tidy(one.subject) for one in held), "") or NO_SUBJECT, "root": thread.root,
            "feed_id": list_view.mid(thread.root), "entries": entries,
            "updated": max((str(one["updated"]) for one in entries), key=in_utc, default=list_view.NO_DATE),
        })  # fmt: skip

    def list_feed(self, index: Index, name: str) -> WebPage:
        """The newest threads of a list, as a feed."""
        with index.snapshot():
            if not any(one.name == name for one in index.list_summaries()):
                raise NotFoundError(f"there is no list {name!r} here")
            rows = list_view.threads_page(index, list_name=name, size=FEED).rows
            own = index.fingerprint
        return self._feed("list.atom", {
            "heading": tidy(name), "name": name, "rows": rows, "feed_id": uuid.uuid5(_NAMESPACE, f"{own}/{name}").urn,
            "updated": max((one.updated for one in rows), default=list_view.NO_DATE),
        })  # fmt: skip

    def message(self, index: Index, wanted: str) -> WebPage:
        """One message: its text, and who says what of it."""
        with index.snapshot(), OpenMail(index) as mail:
            found = index.explain(wanted)
            ids = [] if found.ghost else [found.message_id]
            texts = MailTexts.read(mail, ids, mask=self._mask, most=_MESSAGE_LINES)
            names = index.names()
        raw = self._settings.show_addresses
        return self._page(
            "message.html", message_values(found, texts, names, self._links, self._settings.title, raw=raw)
        )

    def raw(self, index: Index, wanted: str, copy: int = 1) -> WebPage:
        """The mail of one message as it lies; ``copy``: which of several contents, from 1 on."""
        self._check_shown()
        lost: list[MissingMail] = []
        with index.snapshot():
            literal = index.explain(wanted).message_id
            with index.mail(lost.append) as mail:
                found = list(mail.of([literal]))
        if not found:
            raise NotFoundError("the mail of this message is not here")
        if not 1 <= copy <= len(found):
            raise NotFoundError(f"there are {len(found)} contents of this message, and no number {copy}")
        one = found[copy - 1]
        data = unescape_from(one.data) if one.escaped else one.data
        return self._versioned(WebPage(data, "text/plain; charset=utf-8", policy=_RAW, file_name="message.eml"))

    def search(self, index: Index, words: str, after: str | None = None) -> WebPage:
        """Messages with some words; without words, how to search."""
        values: dict[str, object] = {
            "query": words, "title": f"Search - {self._settings.title}", "found": [], "older": "", "problem": "",
            "incomplete": False,
        }  # fmt: skip
        if not words.strip():
            return self._page("search.html", values)
        try:
            found = index.search(words, limit=_SEARCHED + 1, after=after)
        except UsageError as error:
            return replace(self._page("search.html", {**values, "problem": _sentence(str(error))}), status=400)
        shown = found[:_SEARCHED]
        values["found"] = [list_view.found_row(one, self._links) for one in shown]
        values["incomplete"] = found.incomplete
        if len(found) > _SEARCHED:
            values["older"] = self._links.search(q=words, after=shown[-1].message_id)
        return self._page("search.html", values)

    def about(self, index: Index) -> WebPage:
        """Who this server is, and on whose word it shows what."""
        names = index.names()
        with index.snapshot():
            feeds = [feed for feed in index.lists() if feed.tier is not None]
            position, own = index.position(), index.fingerprint
        rows = [
            {"list": feed.list, "who": tidy(origin_name(names, feed.origin)), "copies": f"{feed.claims:,}"}
            for feed in feeds
        ]
        return self._page("about.html", {
            "title": f"About - {self._settings.title}", "feeds": rows, "fingerprint": own, "position": f"{position:,}",
            "version": __version__,
        })  # fmt: skip

    def problem(self, status: int, heading: str, what: str, wanted: str = "") -> WebPage:
        """A page that says what is wrong; ``wanted``: a message id that is not here."""
        values: dict[str, object] = {"heading": heading, "title": heading, "what": what, "wanted": wanted}
        return replace(self._page("error.html", values), status=status, version="")

    def _check_shown(self) -> None:
        if self._mask:
            raise DeniedError("this server shows no addresses of people, so it does not give mail as it lies")

    def list_file(
        self, name: str, words: str, rows: Sequence[list_view.ThreadRow], months: Sequence[MonthSummary],
        *, month: str = "", newer: str = "", older: str = "", undated: str = "",
    ) -> WebPage:  # fmt: skip
        """A page of threads that were read already; an empty name: of those that lack messages."""
        heading = tidy(name) or MISSING
        return self._page("list.html", {
            "heading": heading, "title": f"{heading} - {self._settings.title}", "name": name, "words": words,
            "feed": "", "rows": rows, "newer": newer, "older": older, "months": list_view.years(months),
            "month": month, "undated": undated, "empty": "No thread." if name else "Nothing is missing.",
        })  # fmt: skip

    def moved_file(self, root: str, mark: str) -> WebPage:
        """What stands in the place of a thread that has grown together with another one."""
        return self._page("moved.html", {"title": self._settings.title, "href": self._links.thread(root), "mark": mark})

    def _page(self, template: str, values: dict[str, object]) -> WebPage:
        common = {"links": self._links, "settings": self._settings, "style_version": style_version()}
        return self._versioned(WebPage(render(template, {**common, **values})))

    def _feed(self, template: str, values: dict[str, object]) -> WebPage:
        public = self._settings.public_url
        origin = public.removesuffix(self._settings.prefix) if public else ""
        common = {"links": self._links, "origin": origin}
        return self._versioned(WebPage(render(template, {**common, **values}), ATOM))

    def _versioned(self, page: WebPage) -> WebPage:
        return replace(page, version=sha256(page.body).hexdigest()[:32])

    def _version(self, *parts: object) -> str:
        return sha256(repr((self._seal, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _ignore(_: MissingMail) -> None:
    """What is not here is not in a file of mail; the page of the thread says so."""


def _moment(message: Message) -> str:
    return in_utc(message.date or list_view.NO_DATE)


def _without_addresses(thread: Thread) -> Thread:
    messages = tuple(
        one._replace(
            author=author_name(one.author) if one.author else "",
            copies=tuple(copy._replace(author=author_name(copy.author)) for copy in one.copies),
        )
        for one in thread.messages
    )
    return replace(thread, messages=messages)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
