"""Addresses of pages, and from them back to ids and names.

Theory of operation
-------------------
A message id may hold any byte, so it is a segment of a path with all but a few bytes written as ``%XX`` (RFC 3986
section 2.1), ``/`` among them.  Servers and browsers take segments of one or two dots for something else, however they
are written; ids and names of lists that are nothing but dots go into the query instead.  What a link leads to is always
named by an id, so it stays the same when threads join.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes, urlencode

_SAFE = "@+$=~!*,:;"
FORMS = ("mbox", "json", "atom", "svg")
"""What a thread can be had as, beside a page."""


def segment(text: str) -> str:
    """An id or a name as a segment of a path."""
    return quote(text.encode("utf-8", "surrogateescape"), safe=_SAFE)


def parse_segment(raw: str) -> str:
    """The id or name that a segment of a path stands for, as it came; bytes that are not UTF-8 as surrogate escapes."""
    return unquote_to_bytes(raw).decode("utf-8", "surrogateescape")


class Links:
    """The addresses of the pages of a server."""

    static = False
    """Whether the pages are files: then there are fewer of them."""

    def __init__(self, base: str = "/") -> None:
        """``base``: the path of the first page, with a slash at its end."""
        self.base = base

    def home(self) -> str:
        """The first page."""
        return self.base

    def style(self, version: str) -> str:
        """The style sheet; ``version`` is another one when it has changed."""
        return f"{self.base}style.css?v={version}"

    def thread(self, message_id: str, page: int | None = None, anchor: str = "") -> str:
        """The thread in which an id stands; ``page``: of a long one, else the page on which the id stands."""
        return self._of("t", message_id, "", {"page": str(page)} if page else {}) + (f"#{anchor}" if anchor else "")

    def file(self, message_id: str, form: str) -> str:
        """A thread in another form."""
        return self._of("t", message_id, f"thread.{form}", {})

    def message(self, message_id: str) -> str:
        """One message."""
        return self._of("m", message_id, "", {})

    def raw(self, message_id: str, copy: int = 1) -> str:
        """The mail as it lies; ``copy``: which of several contents."""
        return self._of("m", message_id, "raw", {"copy": str(copy)} if copy > 1 else {})

    def list(self, name: str, **query: str) -> str:
        """The threads of a list, or of all for an empty name; ``query``: ``month``, ``after``, ``before``."""
        if not name.strip("."):
            return f"{self.base}l/{_query({'list': name, **query} if name else query)}"
        return f"{self.base}l/{segment(name)}/{_query(query)}"

    def feed(self, name: str) -> str:
        """What is new on a list."""
        if not name.strip("."):
            return f"{self.base}l/new.atom{_query({'list': name})}"
        return f"{self.base}l/{segment(name)}/new.atom"

    def missing(self, **query: str) -> str:
        """Threads that lack messages."""
        return f"{self.base}missing/{_query(query)}"

    def search(self, **query: str) -> str:
        """The search."""
        return f"{self.base}search{_query(query)}"

    def about(self) -> str:
        """About the server."""
        return f"{self.base}about"

    def _of(self, kind: str, message_id: str, file: str, query: dict[str, str]) -> str:
        if not message_id.strip("."):
            return f"{self.base}{kind}/{file}{_query({'id': message_id, **query})}"
        return f"{self.base}{kind}/{segment(message_id)}/{file}{_query(query)}"


def _query(values: dict[str, str]) -> str:
    encoded = {name: value.encode("utf-8", "surrogateescape") for name, value in values.items()}
    return f"?{urlencode(encoded)}" if values else ""
