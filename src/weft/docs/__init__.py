"""The documentation that ships with the package: Markdown pages below this folder, found by topic.

A topic is the path of a page without ``.md`` (``howto/backup``), or its last part where that is unambiguous
(``backup``).  The title of a page is its first line, ``# Title``.  A page is printed as it is written, without HTML
comments: Markdown is readable as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

SECTIONS = {
    "tutorial": "Tutorials: learn by doing",
    "howto": "How-to guides: one goal each",
    "reference": "Reference: facts to look up",
    "explanation": "Explanation: how and why it works",
    "decisions": "Decisions: what was measured, and what was refuted",
    "": "Everything else",
}
"""The folders of pages in the order in which they are listed, with their headings; ``""`` is the folder itself."""

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``topic`` names it, ``title`` is its first line."""

    topic: str
    title: str
    text: str
    """The Markdown as it is stored, comments included."""

    @property
    def readable(self) -> str:
        """The Markdown without comments, for a reader at a terminal."""
        return _COMMENT.sub("", self.text)

    @property
    def section(self) -> str:
        """The folder that it lies in; empty for a page that lies in none."""
        return self.topic.rpartition("/")[0]


def pages() -> list[Page]:
    """All pages: by section in the order of `SECTIONS`, then by topic."""
    order = list(SECTIONS)
    found = [Page(topic, _title(text), text) for topic, text in _texts(resources.files(__name__), "")]
    return sorted(found, key=lambda page: (order.index(page.section), page.topic))


def find(topic: str) -> list[Page]:
    """The pages that ``topic`` can mean: the one with that path, else all whose last part it is; any case."""
    wanted = topic.strip("/").lower().removesuffix(".md")
    every = pages()
    exact = [page for page in every if page.topic.lower() == wanted]
    return exact or [page for page in every if page.topic.lower().rpartition("/")[2] == wanted]


def _texts(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".md"):
            yield prefix + entry.name.removesuffix(".md"), entry.read_text(encoding="utf-8")


def _title(text: str) -> str:
    return _COMMENT.sub("", text).lstrip().partition("\n")[0].lstrip("# ").strip()
