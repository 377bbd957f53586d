"""The text of a message as elements of a page: quotations, addresses of pages as links, addresses of people masked.

Theory of operation
-------------------
Lines come visible and clean (`weft.mail_text`).  Each is cut into what is an address of a page, an address of a person,
and the rest, and each of these is escaped on its own.  A link shows where it leads, whole, and says to robots that
nobody here answers for it (``rel="nofollow ugc noopener"``).  Runs of quoted lines are elements of their own; long ones
are folded, and so is what stands behind the first lines of a long message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from markupsafe import Markup

from weft._text import count
from weft.mail_text.text_lines import TextLine

FOLDED_QUOTE = 12
"""Quoted lines in a row from which on they are folded."""
SHOWN_LINES = 400
"""Lines of a message of which the rest is folded."""

_PARTS = re.compile(
    r"(?P<url>https?://[^\s<>\"`{}|\\^\u200b-\u200f\u2028-\u202e\u2060-\u206f]+)"
    r"|(?P<address>[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.?){1,20})"
)
_TRAILING = ".,;:!?'*_~)]"
_RELATION = "nofollow ugc noopener"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Some lines of a message as one element."""

    kind: str
    """``text`` or ``quote``."""
    html: Markup
    fold: str = ""
    """What stands for it while it is folded; empty if it is not."""


def text_blocks(lines: Sequence[TextLine], *, mask: bool) -> list[TextBlock]:
    """The elements of a text; ``mask``: show no addresses of people."""
    blocks = list(_blocks(lines[:SHOWN_LINES], mask))
    if rest := lines[SHOWN_LINES:]:
        blocks.append(TextBlock("text", line_markup(map(_whole, rest), mask=mask), count(len(rest), "more line")))
    return blocks


def _whole(line: TextLine) -> str:
    return line.marks + line.text


def _blocks(lines: Iterable[TextLine], mask: bool) -> Iterator[TextBlock]:
    for quoted, group in groupby(lines, key=lambda line: line.depth > 0):
        run = list(map(_whole, group))
        if not quoted:
            run = _without_blank_ends(run)
        if run:
            fold = count(len(run), "quoted line") if quoted and len(run) >= FOLDED_QUOTE else ""
            yield TextBlock("quote" if quoted else "text", line_markup(run, mask=mask), fold)


def _without_blank_ends(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]


def line_markup(lines: Iterable[str], *, mask: bool) -> Markup:
    """Clean lines with links, escaped."""
    text = "\n".join(lines)
    if "@" not in text and "://" not in text:
        return Markup(escape(text))  # noqa: S704 - it is escaped here, and faster than by Markup
    return Markup("".join(_pieces(text, mask)))  # noqa: S704 - as above, piece by piece


def _pieces(text: str, mask: bool) -> Iterator[str]:
    end = 0
    for found in _PARTS.finditer(text):
        yield escape(text[end : found.start()])
        end = found.end()
        if found["url"] is None:
            yield escape(f"{found[0].partition('@')[0]}@…" if mask else found[0])
            continue
        address = _trimmed(found[0])
        shown = escape(address)
        yield f'<a href="{shown}" rel="{_RELATION}">{shown}</a>{escape(found[0][len(address) :])}'
    yield escape(text[end:])


def _trimmed(address: str) -> str:
    """The address of a page without the punctuation of the sentence in which it stands."""
    while address[-1] in _TRAILING:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address


def masked(text: str) -> str:
    """Clean text without addresses of people."""
    return _PARTS.sub(lambda found: found[0] if found["url"] else found[0].partition("@")[0] + "@…", text)
