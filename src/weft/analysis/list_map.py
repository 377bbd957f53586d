"""A map of which lists share threads: lists that share many stand near each other.

Theory of operation
-------------------
networkx places the lists by its spring layout, from a fixed seed, turned so that the longest way lies across.  Then
lists are pushed apart until no dot and no label covers another: of two boxes that overlap, both move half of what is
missing, along the shorter way; where that takes too long, all of it grows.  The area of a dot is the number of
messages, the width of a line the number of shared threads.  Where there is room on a line, its number stands there.

More lists than `MOST` cannot be read as a map; then those are drawn that share most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations
from math import atan2, cos, log1p, sin, sqrt
from typing import Any

from weft.analysis.chart import Chart, empty
from weft.analysis.corpus import Corpus, members
from weft.analysis.number_tables import number
from weft.analysis.shared_threads import ListPair
from weft.render.lanes.geometry import COLUMN, MARGIN
from weft.render.lanes.marks import number as px
from weft.render.lanes.marks import text
from weft.render.picture_labels import count, tidy
from weft.render.sanitize import width

MOST = 60
_TITLE = "Which lists share threads"
_SEED = 1
_LARGEST, _SMALLEST = 30, 5  # radius of a dot
_WIDEST, _THINNEST = 16, 0.9
_MANY_LINES = 40
"""More lines are thinner and fainter, or they would cover all."""
_ROUNDS = 400
_GAP = 8
_NUMBERED = 12
"""With more lists lines carry no numbers."""
_ALONG = (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74)
"""Where on a line its number may stand, the best first."""

Point = tuple[float, float]


@dataclass(slots=True)
class _Box:
    """What a list, or a number on a line, takes: its middle, and how far it goes to the sides, up and down."""

    x: float
    y: float
    side: float
    up: float
    down: float

    def overlap(self, other: _Box) -> Point:
        """How much the two cover of each other, across and down; not positive: they are apart."""
        across = self.side + other.side + _GAP - abs(self.x - other.x)
        down = min(self.y + self.down, other.y + other.down) - max(self.y - self.up, other.y - other.up) + _GAP
        return across, down


def list_map(corpus: Corpus, shared: Sequence[ListPair]) -> Chart:
    """The map of all lists that share a thread with another one; without numpy, a sentence that says how to get it."""
    if not shared:
        return empty(_TITLE, "No two lists share a thread.")
    if not find_spec("numpy"):
        return empty(_TITLE, "A map needs numpy, which is not installed; pip install 'mailweft[plot]'.")
    lists = _chosen(shared)
    shared = [pair for pair in shared if pair.one in lists and pair.other in lists]
    sizes = _sizes(corpus)
    boxes = _boxes(corpus.names, lists, sizes, shared)
    least = min(boxes.values(), key=lambda box: box.x - box.side)
    left = MARGIN - (least.x - least.side)
    top = 12 - min(box.y - box.up for box in boxes.values())
    for box in boxes.values():
        box.x, box.y = box.x + left, box.y + top
    parts = [*_lines(boxes, shared), *_dots(corpus.names, boxes, sizes), *_numbers(boxes, shared)]
    wide = max(box.x + box.side for box in boxes.values()) + MARGIN
    high = max(box.y + box.down for box in boxes.values()) + 14
    return Chart(_TITLE, tuple(_said(corpus, lists, shared)), "\n".join(parts) + "\n", int(wide), int(high))


def _chosen(shared: Sequence[ListPair]) -> list[int]:
    """The lists to be drawn, by number."""
    totals: dict[int, int] = {}
    for pair in shared:
        for one in (pair.one, pair.other):
            totals[one] = totals.get(one, 0) + pair.threads
    return sorted(sorted(totals, key=lambda one: (-totals[one], one))[:MOST])


def _sizes(corpus: Corpus) -> list[int]:
    sizes = [0] * len(corpus.names)
    for lists in corpus.holders:
        for one in members(lists):
            sizes[one] += 1
    return sizes


def _said(corpus: Corpus, lists: Sequence[int], shared: Sequence[ListPair]) -> Iterator[str]:
    most = shared[0]
    yield (
        "Two lists share a thread if each holds a message of it. The area of a dot stands for the messages of a list, "
        f"the width of a line for the threads that two lists share: {number(most.threads)} at most."
    )
    if apart := len(corpus.names) - len(lists):
        yield f"Not drawn: {count(apart, 'list')} with fewer shared threads, or none."


def _boxes(
    names: Sequence[str], lists: Sequence[int], sizes: Sequence[int], shared: Sequence[ListPair]
) -> dict[int, _Box]:
    """Where each list stands, without overlaps."""
    largest = max(sizes[one] for one in lists)
    boxes = {}
    for one, (x, y) in _places(lists, shared).items():
        radius = max(_SMALLEST, _LARGEST * sqrt(sizes[one] / largest))
        label = max(width(_name(names[one])), len(_messages(sizes[one])))
        boxes[one] = _Box(x, y, max(radius, label * COLUMN / 2 + 2), radius, radius + 34)
    # So wide that there is about room for all, and two thirds as high.
    across = 60 + 1.15 * sqrt(len(boxes)) * (15 + sum(box.side for box in boxes.values()) / len(boxes))
    for box in boxes.values():
        box.x, box.y = box.x * across, box.y * across * 2 / 3
    _push(list(boxes.values()))
    return boxes


def _name(name: str) -> str:
    return tidy(name, 30)


def _messages(size: int) -> str:
    return count(size, "message")


def _places(lists: Sequence[int], shared: Sequence[ListPair]) -> dict[int, Point]:
    """Places between -1 and 1, the longest way across."""
    import networkx

    graph: Any = networkx.Graph()
    graph.add_nodes_from(lists)
    graph.add_weighted_edges_from((pair.one, pair.other, 0.2 + log1p(pair.threads)) for pair in shared)
    distance = 1.6 / sqrt(len(lists))
    found = networkx.spring_layout(graph, k=distance, iterations=300, seed=_SEED, weight="weight")
    return _turned({one: (float(x), float(y)) for one, (x, y) in found.items()})


def _turned(places: Mapping[int, Point]) -> dict[int, Point]:
    """Turned around the middle so that the points lie along the first axis, and scaled to -1..1."""
    middle = [sum(point[axis] for point in places.values()) / len(places) for axis in range(2)]
    apart = {one: (x - middle[0], y - middle[1]) for one, (x, y) in places.items()}
    mixed = sum(x * y for x, y in apart.values())
    angle = atan2(2 * mixed, sum(x * x - y * y for x, y in apart.values())) / 2
    turned = {one: (x * cos(angle) + y * sin(angle), y * cos(angle) - x * sin(angle)) for one, (x, y) in apart.items()}
    largest = [max(max(abs(point[axis]) for point in turned.values()), 0.05) for axis in range(2)]
    # The first list stands at the left and above: which of the mirror images it is says nothing.
    first = turned[min(turned)]
    right, down = (size * (-1 if at < 0 else 1) for size, at in zip(largest, first, strict=True))
    flat = 1.0 if len(places) > 2 else 0.0
    return {one: (round(-x / right, 6), round(-flat * y / down, 6)) for one, (x, y) in turned.items()}


def _push(boxes: Sequence[_Box]) -> None:
    """Push boxes apart until none overlap."""
    while not any(_pushed(boxes) for _ in range(_ROUNDS)):
        for place, box in enumerate(boxes):  # two in one place would never part
            box.x, box.y = box.x * 1.15 + place * 0.01, box.y * 1.15


def _pushed(boxes: Sequence[_Box]) -> bool:
    """One round; whether nothing had to move."""
    still = True
    for one, other in combinations(boxes, 2):
        across, down = one.overlap(other)
        if across <= 0 or down <= 0:
            continue
        still = False
        if across < down:
            step = (across / 2 + 0.1) * (1 if one.x >= other.x else -1)
            one.x, other.x = one.x + step, other.x - step
        else:
            step = (down / 2 + 0.1) * (1 if one.y >= other.y else -1)
            one.y, other.y = one.y + step, other.y - step
    return still


def _lines(boxes: Mapping[int, _Box], shared: Sequence[ListPair]) -> Iterator[str]:
    """The lines, the widest last."""
    look = "link many c0" if len(shared) > _MANY_LINES else "link c0"
    for pair in reversed(shared):
        one, other = boxes[pair.one], boxes[pair.other]
        wide = px(_line_width(pair, shared))
        yield f'<path class="{look}" stroke-width="{wide}" d="M{px(one.x)} {px(one.y)}L{px(other.x)} {px(other.y)}"/>'


def _line_width(pair: ListPair, shared: Sequence[ListPair]) -> float:
    widest = _WIDEST * min(1.0, sqrt(_MANY_LINES / len(shared) / 3))
    return max(_THINNEST, widest * pair.threads / shared[0].threads)


def _dots(names: Sequence[str], boxes: Mapping[int, _Box], sizes: Sequence[int]) -> Iterator[str]:
    for one, box in boxes.items():
        yield f'<circle class="paper" cx="{px(box.x)}" cy="{px(box.y)}" r="{px(box.up + 2)}"/>'
        yield f'<circle class="bar c0" cx="{px(box.x)}" cy="{px(box.y)}" r="{px(box.up)}"/>'
        name, size = _name(names[one]), _messages(sizes[one])
        wide = max(width(name), len(size)) * COLUMN
        yield (
            f'<rect class="paper plate" x="{px(box.x - wide / 2)}" y="{px(box.y + box.up + 3)}" '
            f'width="{px(wide)}" height="31"/>'
        )
        yield text(box.x, box.y + box.up + 12, name, "ink b mid")
        yield text(box.x, box.y + box.up + 26, size, "dim s mid")


def _numbers(boxes: Mapping[int, _Box], shared: Sequence[ListPair]) -> Iterator[str]:
    """The number of each line: where it covers no dot and no label, and, if there is such a place, no other line."""
    taken = list(boxes.values())
    for pair in shared if len(boxes) <= _NUMBERED else ():
        words = number(pair.threads)
        own = (boxes[pair.one], boxes[pair.other])
        side = len(words) * COLUMN / 2 + 4
        free = [
            box
            for box in (_Box(*_between(*own, along), side, 9, 9) for along in _ALONG)
            if not any(min(box.overlap(other)) > 0 for other in taken)
        ]
        others = [
            (boxes[other.one], boxes[other.other], _line_width(other, shared)) for other in shared if other != pair
        ]
        clear = [box for box in free if not any(_crosses(box, *line) for line in others)]
        if not free:
            continue
        box = (clear or free)[0]
        taken.append(box)
        yield (
            f'<rect class="paper plate" x="{px(box.x - side)}" y="{px(box.y - 9)}" width="{px(2 * side)}" height="18"/>'
        )
        yield text(box.x, box.y, words, "ink mid")


def _between(one: _Box, other: _Box, along: float) -> Point:
    return one.x + along * (other.x - one.x), one.y + along * (other.y - one.y)


def _crosses(box: _Box, one: _Box, other: _Box, wide: float) -> bool:
    """Whether the line between two dots passes through a box, or close by."""
    dx, dy = other.x - one.x, other.y - one.y
    along = ((box.x - one.x) * dx + (box.y - one.y) * dy) / (dx * dx + dy * dy)
    x, y = _between(one, other, min(1.0, max(0.0, along)))
    return abs(x - box.x) < box.side + wide / 2 and abs(y - box.y) < box.up + wide / 2
