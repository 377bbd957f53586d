"""The legend of a picture of lanes: each sign beside what it means, in words.

A picture explains what stands in it and nothing else, and of several pictures in one document each explains only what
those before it did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from weft.render.lanes.layout import EdgeKind, Lanes
from weft.render.lanes.marks import cross, dot, ring, text

LINE = 17
"""The height of a line."""
_SIGN = 40
"""The width of a sign."""
_MEANINGS = {
    "dot": "a copy was posted to this list; where there is no shade, the list lacks the message",
    "both": "one message, posted to several lists",
    "reply": "a reply edge that the list sees: it has both ends",
    "named": "the list lacks this message, but mail there names it; a dashed edge is one that the list cannot see",
    "unseen": "not seen here: named by others, and on none of the lists",
    "left": "a sub-thread left this list: it has what is answered and not the answer, so it cannot see the edge",
    "joined": "joined by an equal subject only",
    "date": "dates are in UTC",
}


@dataclass(frozen=True, slots=True)
class Legend:
    """Some signs, in the order in which they are explained."""

    signs: tuple[str, ...]

    @property
    def height(self) -> int:
        """In pixels."""
        return LINE * len(self.signs)

    @property
    def columns(self) -> int:
        """Of the longest line, without the sign."""
        return max((len(_MEANINGS[sign]) for sign in self.signs), default=0)

    def draw(self, x: float, y: float) -> Iterator[str]:
        """As SVG, the middle of the first line at ``y``."""
        for place, sign in enumerate(self.signs):
            middle = y + place * LINE
            yield from _draw_sign(sign, x, middle)
            yield text(x + _SIGN, middle, _MEANINGS[sign], "dim s")


def legend(lanes: Lanes, explained: Iterable[str] = ()) -> Legend:
    """What stands in a picture and is not among the ``explained`` signs."""
    known, used = set(explained), _used(lanes)
    return Legend(tuple(sign for sign in _MEANINGS if sign in used and sign not in known))


def _used(lanes: Lanes) -> set[str]:
    used = {rail.kind.value for rail in lanes.rails} | ({"unseen"} if lanes.unseen else set())
    if EdgeKind.SEEN.value in used:
        used.add("reply")
    for row in lanes.rows:
        used.update(["dot"] if row.held else (), ["both"] if len(row.held) > 1 else ())
        used.update(["date"] if row.message.date is not None else ())
        used.update(
            ["named"] if row.named else (), ["left"] if row.left else (), ["joined"] if row.message.joined else ()
        )
    return used


def _draw_sign(sign: str, x: float, y: float) -> Iterator[str]:
    left, right = x + 5, x + 25
    if sign == "dot":
        yield f'<rect class="band c0" x="{left - 5}" y="{y - 8}" width="30" height="16"/>'
        yield dot(left + 10, y, 0)
    elif sign == "both":
        yield f'<path class="j ink" d="M{left} {y}H{right}"/>{dot(left, y, 0)}{dot(right, y, 1)}'
    elif sign == "reply":
        yield f'<path class="e c0" d="M{left} {y}H{right}"/>{dot(left, y, 0)}{dot(right, y, 0)}'
    elif sign == "named":
        yield f'<path class="e named c0" d="M{left} {y}H{right}"/>{ring(left, y, "c0")}{dot(right, y, 0)}'
    elif sign == "unseen":
        yield ring(left + 10, y, "ghost ink")
    elif sign == "left":
        yield cross(left + 10, y, "c0")
    elif sign == "date":
        yield text(x, y, "date", "dim s")
    else:
        yield f'<path class="e joined c0" d="M{left} {y}H{right}"/>'
