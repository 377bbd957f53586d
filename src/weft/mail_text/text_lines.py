"""Lines of the text of a mail: cleaned, with the depth of their quotes, and paragraphs that flow (RFC 3676).

Theory of operation
-------------------
Each line is split into the marks of its quotes (``> > ``) and the rest.  Of ``format=flowed`` text, lines that end in
a space and the next of the same depth are one paragraph, a line of a space more than its marks is unstuffed, and the
line ``-- `` above a signature flows into nothing.  Of other text lines stay as they stand; ``>`` after at most one
space counts as a mark, as it is written.

Every line is `weft.render.sanitize` applied to its characters, with tabs made spaces first, to columns of eight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from weft._patterns import deferred
from weft.render.sanitize import visible

_TAB = 8
_MARKS = deferred(r"(?: ?>)++ ?")
_SIGNATURE = "-- "
MAX_QUOTE_DEPTH = 99
"""Deeper quotes are counted as so deep."""


class TextLine(NamedTuple):
    """One line, or one paragraph that flows, fit for a screen."""

    text: str
    """Without the marks."""
    marks: str = ""
    """The marks of its quotes as they stand, or would stand, before the text: ``> > ``."""
    depth: int = 0
    """How many levels of quotes it stands in."""
    flows: bool = False
    """A paragraph that may be broken at spaces; else it stays as it is."""


def plain_lines(text: str) -> Iterator[TextLine]:
    """The lines of text that does not flow."""
    for written in split_lines(text):
        line = written.expandtabs(_TAB)  # in the columns of the line, before its marks are taken off
        found = _MARKS.match(line) if line[:2].find(">") >= 0 else None
        if not found:
            yield TextLine(clean_line(line))
        else:
            marks = found[0]
            yield TextLine(clean_line(line[len(marks) :]), marks, min(marks.count(">"), MAX_QUOTE_DEPTH))


def flowed_lines(text: str, *, delete_space: bool) -> Iterator[TextLine]:
    """The paragraphs of ``format=flowed`` text; ``delete_space``: its parameter DelSp is ``yes``."""
    pieces: list[str] = []
    open_depth = -1
    for line in split_lines(text):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        signature = rest == _SIGNATURE
        if pieces and (depth != open_depth or signature):
            yield _paragraph(pieces, open_depth)
            pieces = []
        open_depth = depth
        flows = rest.endswith(" ") and not signature
        pieces.append(rest[:-1] if flows and delete_space else rest)
        if not flows:
            yield _paragraph(pieces, depth)
            pieces = []
    if pieces:
        yield _paragraph(pieces, open_depth)


def _paragraph(pieces: list[str], depth: int) -> TextLine:
    shown = min(depth, MAX_QUOTE_DEPTH)
    return TextLine(clean_line("".join(pieces)), "> " * shown, shown, flows=True)


def split_lines(text: str) -> list[str]:
    """The lines of text, whose ends are LF or CRLF, without empty ones at its end."""
    return text.replace("\r\n", "\n").rstrip("\r\n").split("\n") if text.strip("\r\n") else []


def clean_line(line: str) -> str:
    """One line with everything in it visible, and without spaces at its end."""
    if "\t" in line:
        line = line.expandtabs(_TAB)
    if not line.isprintable():
        line = "".join(map(visible, line))
    return line.rstrip(" ")


def cut_lines(lines: Iterable[TextLine], most_lines: int, most_characters: int) -> tuple[list[TextLine], bool]:
    """As many lines as there may be, the last of them cut, and whether something was cut."""
    kept: list[TextLine] = []
    for line in lines:
        if len(kept) >= most_lines or most_characters <= 0:
            return kept, True
        if len(line.text) + len(line.marks) > most_characters:
            kept.append(line._replace(text=line.text[:most_characters], marks=line.marks[: 2 * MAX_QUOTE_DEPTH]))
            return kept, True
        kept.append(line)
        most_characters -= len(line.text) + len(line.marks) + 1
    return kept, False
