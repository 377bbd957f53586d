"""The colours of lanes: whoever sees them can tell them apart, on a light and on a dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest

from weft.render.lanes.style import DARK, LIGHT, PAPER_DARK, PAPER_LIGHT

# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB.
VISION = {
    "common": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.95047, 1.0, 1.08883)
PALETTES = [(LIGHT, PAPER_LIGHT), (DARK, PAPER_DARK)]


def linear(color: str) -> list[float]:
    values = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]


def times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(rgb: Sequence[float]) -> tuple[float, float, float]:
    parts = [value / white for value, white in zip(times(XYZ, rgb), WHITE, strict=True)]
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in parts)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize(("palette", "paper"), PALETTES, ids=["light", "dark"])
def test_each_colour_stands_out_from_the_ground(palette: tuple[str, ...], paper: str) -> None:
    for color in palette:
        low, high = sorted(times(XYZ, linear(one))[1] for one in (color, paper))
        assert (high + 0.05) / (low + 0.05) >= 3


@pytest.mark.parametrize("matrix", VISION.values(), ids=VISION)
@pytest.mark.parametrize(("palette", "paper"), PALETTES, ids=["light", "dark"])
def test_any_two_colours_differ(palette: tuple[str, ...], paper: str, matrix: Sequence[Sequence[float]]) -> None:
    seen = [lab(times(matrix, linear(color))) for color in palette]
    for one, other in combinations(seen, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 28.9
