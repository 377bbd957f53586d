"""Pages that were made, by their versions: what did not change is not made again, whatever else came into the index.

A version follows from all that a page shows (`weft.web.pages`), so a page with it can be given for as long as it is
kept.  Several threads use it; the page that was asked for longest ago goes first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from weft.web.page import WebPage

CACHE_BYTES = 64 << 20
"""What is kept of pages."""


class PageCache:
    """Keeps pages, at most so many bytes of them."""

    def __init__(self, most: int = CACHE_BYTES) -> None:
        self._most = most
        self._size = 0
        self._pages: OrderedDict[str, WebPage] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version: str) -> WebPage | None:
        """The page with this version, if it is kept."""
        with self._lock:
            found = self._pages.get(version)
            if found is not None:
                self._pages.move_to_end(version)
            return found

    def put(self, page: WebPage) -> None:
        """Keep a page, unless it is a large part of all that may be kept."""
        if len(page.body) > self._most // 8:
            return
        with self._lock:
            before = self._pages.pop(page.version, None)
            self._size += len(page.body) - (len(before.body) if before else 0)
            self._pages[page.version] = page
            while self._size > self._most:
                _, gone = self._pages.popitem(last=False)
                self._size -= len(gone.body)
