"""The marks that pictures of lanes are made of, as SVG: dots, rings, crosses, rails, and text.

Everything that was in mail passes `escape` after it was cleaned; all else here is made of numbers and of our own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as _escape

from weft.render.lanes.style import COLORS

DOT = 4.5


def escape(text: str) -> str:
    """Clean text for XML and HTML, in elements and in quoted attributes."""
    return _escape(text, quote=True)


def number(value: float) -> str:
    """A coordinate: short, and never in scientific notation."""
    return f"{value:.1f}".removesuffix(".0")


def color(lane: int) -> str:
    """The class of a lane's colour."""
    return f"c{lane % COLORS}"


def text(x: float, y: float, content: str, look: str = "ink") -> str:
    """Clean text on one line whose middle is ``y``; left to right, so that no script moves what stands beside it."""
    return f'<text class="{look}" x="{number(x)}" y="{number(y + 4)}">{escape(content)}</text>' if content else ""


def dot(x: float, y: float, lane: int) -> str:
    """A copy of a message; a circle, from the seventh lane on a square, from the thirteenth a diamond."""
    shape = lane // COLORS % 3
    if shape == 0:
        return f'<circle class="dot {color(lane)}" cx="{number(x)}" cy="{number(y)}" r="{DOT}"/>'
    size = DOT - 0.5 if shape == 1 else DOT + 1
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1)) if shape == 1 else ((0, -1), (1, 0), (0, 1), (-1, 0))
    points = " ".join(f"{number(x + a * size)},{number(y + b * size)}" for a, b in corners)
    return f'<polygon class="dot {color(lane)}" points="{points}"/>'


def ring(x: float, y: float, look: str) -> str:
    """A message of which there is only the name."""
    return f'<circle class="ring paper {look}" cx="{number(x)}" cy="{number(y)}" r="4"/>'


def cross(x: float, y: float, look: str) -> str:
    """A sub-thread leaves a list."""
    left, right, top, bottom = (number(value) for value in (x - 3.2, x + 3.2, y - 3.2, y + 3.2))
    return f'<path class="x {look}" d="M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}"/>'


def rail(x: float, bulge: float, top: float, ends: Sequence[float], turn: float) -> str:
    """The path data from a parent at ``top`` down a rail at the left of ``x`` to children at ``ends``, ascending."""
    at, near, middle = number(x - bulge), number(x - 0.6 * bulge), number(x)
    down = f"C{near} {number(top + 0.2 * turn)} {at} {number(top + 0.4 * turn)} {at} {number(top + turn)}"
    branches = [
        f"M{at} {number(end - turn)}C{at} {number(end - 0.4 * turn)} {near} {number(end - 0.2 * turn)} "
        f"{middle} {number(end)}"
        for end in ends
    ]
    return f"M{middle} {number(top)}{down}V{number(ends[-1] - turn)}" + "".join(branches)
