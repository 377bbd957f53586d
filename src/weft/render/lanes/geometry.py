"""Where the parts of a picture of lanes stand: pixels from what `weft.render.lanes.layout` says.

Theory of operation.  From left to right: the lanes, each as wide as its rails need, the lane of what nobody has seen,
the date, and the tree.  Where rails or levels would take more room than there is, they come closer; of the levels of
the tree only so many are drawn as stay `MIN_STEP` apart.  Texts are in columns of a monospaced font, so that nothing
has to be asked of a browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from weft.render.lanes.layout import Lanes
from weft.render.lanes.legend import Legend
from weft.render.lanes.marks import color
from weft.render.sanitize import width

RULER = 40
"""Every so many rows the lanes say again which they are."""
COLUMN, SMALL, HEAD = 7.3, 6.7, 9.2
"""A column of a font of 12, of 11, and of 15 pixels in bold; no common monospaced font is wider."""
MARGIN, LABEL = 20, 19
BULGE = 7
"""From a dot to the innermost rail of its lane."""
STEP, MIN_STEP = 16, 5
"""From one level of the tree to the next."""
_NEXT = 3  # from a rail to the one around it
_BULGES, _MIN_MAX, _MAX_MAX = 240, 34, 90  # of the outermost rails: of all lanes together, and of each
_BESIDE = 25  # from a dot to the rails of the next lane
_TREE = 400
_DATE = 16 * COLUMN + 18


@dataclass(frozen=True, slots=True)
class Places:
    """Where things stand; of texts and rows the middle."""

    colors: tuple[int, ...]
    """Of each list."""
    xs: tuple[float, ...]
    """Of each lane, and behind them of the ghosts, if there are any."""
    rails: tuple[tuple[float, float], ...]
    """Of each lane, how far a rail lies from the one within it, and the outermost from the dots."""
    legend: float
    labels: float
    first: float
    row: int
    rows: int
    step: float
    depth: int
    """The deepest level that is drawn."""

    @classmethod
    def of(cls, lanes: Lanes, signs: Legend, colors: dict[str, int], *, head: bool) -> Places:
        """The places of a thread; ``colors`` are those of the lists so far, and new lists get the next ones."""
        own = tuple(colors.setdefault(one.name, len(colors)) for one in lanes.lanes)
        rails = _spread(lanes)
        xs = list(accumulate((_BESIDE + outermost for _, outermost in rails), initial=MARGIN - _BESIDE + 3.0))
        xs += [xs[-1] + _BESIDE + BULGE] if any(row.message.ghost for row in lanes.rows) else []
        under_head = 72 if head else 20
        labels = under_head + (signs.height + 14 if signs.signs else 0)
        row = 22 if len(lanes.rows) <= 60 else 18
        first = labels + (len(xs) - 1) * LABEL + row / 2
        depth = max(row.message.depth for row in lanes.rows)
        step = max(MIN_STEP, min(STEP, _TREE / max(1, depth)))
        drawn = min(depth, _TREE // MIN_STEP)
        return cls(own, tuple(xs[1:]), tuple(rails), under_head, labels, first, row, len(lanes.rows), step, drawn)

    def color(self, lane: int) -> str:
        """The class of the colour of a lane."""
        return color(self.colors[lane])

    def y(self, line: int) -> float:
        """The middle of a row."""
        return self.first + (line + line // RULER) * self.row

    @property
    def bottom(self) -> float:
        """The lower edge of the last row."""
        return self.y(self.rows - 1) + self.row / 2

    @property
    def date(self) -> float:
        """Where dates begin."""
        return (self.xs[-1] if self.xs else MARGIN) + 24

    def text(self, depth: int) -> float:
        """Where the text of a message at some level begins."""
        return self.date + _DATE + min(depth, self.depth) * self.step


def _spread(lanes: Lanes) -> list[tuple[float, float]]:
    """Of each lane, how far a rail lies from the one within it, and the outermost from the dots."""
    levels = [1] * len(lanes.lanes)
    for one in lanes.rails:
        levels[one.lane] = max(levels[one.lane], one.level)
    most = min(_MAX_MAX, max(_MIN_MAX, _BULGES / max(1, len(levels)))) - BULGE
    nexts = [min(_NEXT, most / max(1, level - 1)) for level in levels]
    return [(near, BULGE + (level - 1) * near) for near, level in zip(nexts, levels, strict=True)]


def columns(words: str) -> int:
    """The columns that clean text needs at most; fonts that lack a combining mark draw it beside its letter."""
    return len(words) if words.isascii() else sum(max(1, width(character)) for character in words)
