"""The one way from mail to a screen or a page.

Theory of operation.  Whatever stands in mail was written by somebody who may want to lie: move the cursor, turn the
direction of writing around, hide characters in a name.  `clean` makes every such character visible and touches
nothing else:

* characters of the Unicode categories Cc, Cf, Cs, Co, Zl and Zp, and noncharacters, become ``<U+202E>``;
* a byte that was not UTF-8 (a surrogate escape) becomes ``\\xE4``;
* a run of tabs and line breaks, with the spaces after it, becomes one space.

Mail that spells out ``<U+202E>`` looks the same, and is as harmless; thread JSON tells the two apart.  `width` and
`fit` then measure clean text in columns of a terminal (UAX #11, by wcwidth).
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category

MAX_MARKS = 8
"""So many combining marks may stand on one character in `fit`; no script of the world needs more."""

_BREAK = re.compile(r"[\t\r\n][\t\r\n ]*")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def clean(text: str) -> str:
    """``text`` with everything in it visible and on one line.  ``clean(clean(text)) == clean(text)``."""
    if text.isprintable():
        return text
    return "".join(map(visible, _BREAK.sub(" ", text)))


@lru_cache(maxsize=4096)
def visible(character: str) -> str:
    """One character, or what stands for it if it cannot be seen.  A tab or a line break is one that cannot."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02X}"
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return f"<U+{code:04X}>" if noncharacter or category(character) in _HIDDEN else character


def width(text: str) -> int:
    """The columns that clean ``text`` takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def fit(text: str, columns: int) -> str:
    """Clean ``text`` made exactly ``columns`` wide: padded with spaces, or cut with ``…`` at its end.

    Of more than `MAX_MARKS` combining marks in a row, the rest is cut with ``…`` in its place.
    """
    if columns <= 0:
        return ""
    if text.isascii():
        return text.ljust(columns) if len(text) <= columns else text[: columns - 1] + "…"
    cells = _cells(text)
    taken = kept = kept_columns = 0
    for position, (_, size) in enumerate(cells, 1):
        taken += size
        if taken > columns:
            return "".join(cell for cell, _ in cells[:kept]) + "…" + " " * (columns - kept_columns - 1)
        if taken < columns:
            # So much can stand before the mark, should the text turn out to be too long.
            kept, kept_columns = position, taken
    return "".join(cell for cell, _ in cells) + " " * (columns - taken)


def shorten(text: str, columns: int) -> str:
    """Clean ``text`` cut as by `fit`, but not padded."""
    return fit(text, columns).rstrip(" ")


def _cells(text: str) -> list[tuple[str, int]]:
    """Each character of ``text`` with its columns, with too many marks in a row cut."""
    cells: list[tuple[str, int]] = []
    marks = 0
    for character in text:
        size = _columns(character)
        marks = 0 if size else marks + 1
        if marks <= MAX_MARKS:
            cells.append((character, size))
        elif marks == MAX_MARKS + 1:
            cells.append(("…", 1))
    return cells


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    from wcwidth import wcwidth  # only text in columns needs it, and it takes a while to import

    return max(0, wcwidth(character))
