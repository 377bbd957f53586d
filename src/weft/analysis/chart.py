"""A chart as SVG: a title, sentences, and the drawing, in the look of `weft.render.lanes.style`.

Theory of operation
-------------------
A chart is drawn once, as SVG elements, for light and dark at once: colours are classes, as in pictures of lanes.  Alone
it is a document with its title and sentences on top; in a page these are a heading and paragraphs.  A PNG is the same
document drawn by `weft.analysis.png`.  The style sheet adds a few rules to that of the lanes.  Lengths of text are
columns of a monospaced font (`weft.render.lanes.geometry`).

Bars that are drawn at all are at least `THIN` wide, so that one thread in a hundred thousand is still to be seen, and
each stands beside its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from weft.render.lanes.geometry import COLUMN, HEAD, MARGIN
from weft.render.lanes.marks import escape, number, text
from weft.render.lanes.style import ALONE, PICTURE
from weft.render.lanes.svg import open_svg
from weft.render.picture_labels import tidy
from weft.render.sanitize import width

THIN = 1.5
_SENTENCE = 110
"""The columns of a sentence above a chart that stands alone."""
_LINE = 18

RULES = (
    ".bar{fill:currentColor}.hole{fill:currentColor;fill-opacity:.12;stroke:currentColor;stroke-width:1.2;"
    "stroke-dasharray:3 2.5}.plate{fill-opacity:.85}"
    ".link{fill:none;stroke:currentColor;stroke-opacity:.6;stroke-linecap:round}.many{stroke-opacity:.4}"
    "text.mid{text-anchor:middle}text.end{text-anchor:end}"
)
"""What charts need beside the style sheet of pictures of lanes."""

assert PICTURE in ALONE, "a chart alone is styled like one in a page"


@dataclass(frozen=True, slots=True)
class Chart:
    """``title`` and ``said`` in clean words of ours, not yet escaped; ``elements`` of a size in pixels."""

    title: str
    said: tuple[str, ...]
    elements: str
    width: int
    height: int


def alone(chart: Chart) -> bytes:
    """A chart as a document of its own, in UTF-8."""
    said = [line for sentence in chart.said for line in wrap(sentence, _SENTENCE)]
    top = 54 + _LINE * len(said)
    wide = max([chart.width, *(int(len(line) * COLUMN) + 2 * MARGIN for line in said)])
    wide = max(wide, int(len(chart.title) * HEAD) + 2 * MARGIN)
    high = top + chart.height
    parts = [
        open_svg(wide, high, ' role="img"'),
        f"<title>{escape(chart.title)}</title>",
        f'<rect class="paper" width="{wide}" height="{high}"/><style>{ALONE}{RULES}</style>\n',
        text(MARGIN, 26, chart.title, "ink head"),
        *(text(MARGIN, 50 + _LINE * place, line, "dim") for place, line in enumerate(said)),
        f'<g transform="translate(0 {top})">\n{chart.elements}</g>\n</svg>\n',
    ]
    return "".join(parts).encode()


def inline(chart: Chart) -> str:
    """A chart as an element of a page, which has its title and sentences already."""
    attributes = f' role="img" aria-label="{escape(chart.title)}"'
    return f"{open_svg(chart.width, chart.height, attributes)}\n{chart.elements}</svg>"


def empty(title: str, reason: str) -> Chart:
    """A chart of nothing, which says so."""
    return Chart(title, (), text(MARGIN, 10, reason, "dim") + "\n", int(len(reason) * COLUMN) + 2 * MARGIN, 36)


def bar(x: float, middle: float, wide: float, high: float, look: str) -> str:
    """A bar whose left end is ``x``."""
    return (
        f'<rect class="{look}" x="{number(x)}" y="{number(middle - high / 2)}" width="{number(wide)}" '
        f'height="{number(high)}"/>'
    )


def stacked(x: float, middle: float, high: float, unit: float, parts: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Bars one behind the other, a (value, look) each, ``unit`` pixels for 1; what is 0 is not drawn."""
    for value, look in parts:
        if value:
            wide = max(THIN, value * unit)
            yield bar(x, middle, wide, high, look)
            x += wide + 1


def swatch(x: float, middle: float, look: str, words: str) -> str:
    """A sign of a legend with what it means."""
    return bar(x, middle, 18, 11, look) + text(x + 26, middle, words, "dim")


def names(lists: Sequence[str], columns: int) -> tuple[list[str], float]:
    """Names of lists, clean and not wider than ``columns``, and the pixels of the widest."""
    shown = [tidy(name, columns) for name in lists]
    return shown, max((width(name) for name in shown), default=0) * COLUMN
