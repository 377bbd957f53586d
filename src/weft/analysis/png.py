"""Our own pictures as PNG: the SVG that charts and lanes are, drawn by matplotlib on white paper.

Theory of operation
-------------------
A picture has one implementation, which makes SVG.  This reads such a document back, and nothing else: only elements
that `weft.render.lanes.marks` and `weft.analysis.chart` make, absolute path commands, and style rules that are plain
lists of
``tag.class`` with no space or colon in them.  Styles come from the document's own style sheet; its rules for dark mode
are left out.  Elements go to Agg, matplotlib's renderer, one by one, and all of it is a function of the document, of
matplotlib and of the font that it brings.  Characters which that font lacks are drawn as boxes; the SVG has them all.

Small pictures get two pixels for one; large ones as many as fit into `_PIXELS`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, XMLParser

from weft.errors import WeftError

_SVG = "{http://www.w3.org/2000/svg}"
_PIXELS = 24_000_000
_LONGEST = 60_000
"""Agg draws no picture that is longer than 2^16 pixels."""
_FONT = "DejaVu Sans Mono"
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_MEDIA = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_COMMAND = re.compile(r"([MLHVCQZ])([^MLHVCQZ]*)")
_SHIFT = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\)")

Style = dict[str, str]


def need_plot() -> None:
    """`WeftError` if what draws PNG and places maps is not installed."""
    if not (find_spec("matplotlib") and find_spec("numpy")):
        raise WeftError("pictures need matplotlib, which is not installed; pip install 'mailweft[plot]'")


def png(document: bytes) -> bytes:
    """A document of ours as PNG; the same bytes each time."""
    need_plot()
    parser = XMLParser()  # noqa: S314 - read is what this program has just written
    parser.feed(document)
    root = parser.close()
    wide, high = float(root.get("width", "1")), float(root.get("height", "1"))
    scale = min(2.0, (_PIXELS / (wide * high)) ** 0.5, _LONGEST / max(wide, high))
    canvas = _Canvas(round(wide * scale), round(high * scale), scale)
    sheet = _Sheet.of("".join(style.text or "" for style in root.iter(f"{_SVG}style")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a font without a character; see above
        for element, x, y in _drawn(root):
            canvas.draw(element, sheet.style(element), x, y)
    return canvas.png()


def _drawn(root: Element) -> Iterator[tuple[Element, float, float]]:
    """All elements below ``root``, in order, with how far the groups around them shift them."""
    stack = [(root, 0.0, 0.0)]
    while stack:
        element, x, y = stack.pop()
        if shift := _SHIFT.fullmatch(element.get("transform", "")):
            x, y = x + float(shift[1]), y + float(shift[2])
        yield element, x, y
        stack += [(child, x, y) for child in reversed(element)]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Rules in their order: (tag or nothing, classes, what they set)."""

    rules: tuple[tuple[str, frozenset[str], Style], ...]

    @classmethod
    def of(cls, sheet: str) -> _Sheet:
        rules = []
        for selectors, body in _RULE.findall(_MEDIA.sub("", sheet)):
            sets = dict(one.split(":", 1) for one in body.split(";") if one)
            for selector in selectors.split(","):
                if ":" not in selector and " " not in selector:
                    tag, *classes = selector.split(".")
                    rules.append((tag, frozenset(classes), sets))
        return cls(tuple(rules))

    def style(self, element: Element) -> Style:
        """What holds for an element: its attributes, then each rule that fits."""
        tag, classes = element.tag.removeprefix(_SVG), set(element.get("class", "").split())
        style: Style = {"fill": "black", "color": "black"}
        if stroke_width := element.get("stroke-width"):
            style["stroke-width"] = stroke_width
        for own, needed, sets in self.rules:
            if own in ("", tag) and needed <= classes and (own or needed):
                style.update(sets)
        return {name: style["color"] if value == "currentColor" else value for name, value in style.items()}


class _Canvas:
    """A sheet of paper that Agg draws on; coordinates are those of the document."""

    def __init__(self, wide: int, high: int, scale: float) -> None:
        self._high, self._scale = high, scale
        self._color = import_module("matplotlib.colors").to_rgba
        self._path = import_module("matplotlib.path").Path
        self._turn = import_module("matplotlib.transforms").Affine2D
        self._font = import_module("matplotlib.font_manager").FontProperties
        # 72 dots an inch: a point is a pixel of the document.
        self._agg: Any = import_module("matplotlib.backends.backend_agg").RendererAgg(wide, high, 72 * scale)

    def png(self) -> bytes:
        file = BytesIO()
        image = import_module("matplotlib.image")
        image.imsave(file, self._agg.buffer_rgba(), format="png", metadata={"Software": None})
        return file.getvalue()

    def draw(self, element: Element, style: Style, x: float, y: float) -> None:
        """Draw an element; what has no shape is nothing."""
        tag = element.tag.removeprefix(_SVG)
        if tag == "text":
            self._text(element, style, x + _value(element, "x"), y + _value(element, "y"))
        elif tag in _SHAPES and element.get("width") != "100%":
            vertices, codes = _SHAPES[tag](element)
            if vertices:
                self._shape(self._path(vertices, codes), style, x, y)

    def _shape(self, path: Any, style: Style, x: float, y: float) -> None:  # noqa: ANN401 - of an untyped module
        scale, gc = self._scale, self._agg.new_gc()
        width = float(style.get("stroke-width", 1)) if style.get("stroke", "none") != "none" else 0.0
        gc.set_linewidth(width)
        if width:
            gc.set_foreground(self._color(style["stroke"], float(style.get("stroke-opacity", 1))), isRGBA=True)
            gc.set_capstyle("round" if style.get("stroke-linecap") == "round" else "butt")
            if dashes := style.get("stroke-dasharray"):
                gc.set_dashes(0, [float(one) for one in dashes.split()])
        fill = None
        if style["fill"] != "none":
            fill = self._color(style["fill"], float(style.get("fill-opacity", 1)))
        gc.set_antialiased(True)
        turn = self._turn().translate(x, y).scale(scale, -scale).translate(0, self._high)
        if width or (fill and fill[3]):
            self._agg.draw_path(gc, path, turn, fill)
        gc.restore()

    def _text(self, element: Element, style: Style, x: float, y: float) -> None:
        words = "".join(element.itertext())
        size = float(style.get("font-size", style["font"].split("px")[0]).removesuffix("px"))
        font = self._font(family=_FONT, size=size, weight=style.get("font-weight", "normal"))
        anchor = {"middle": 0.5, "end": 1.0}.get(style.get("text-anchor", ""), 0.0)
        wide = self._agg.get_text_width_height_descent(words, font, False)[0] if anchor else 0.0
        gc = self._agg.new_gc()
        gc.set_foreground(self._color(style["fill"]), isRGBA=True)
        self._agg.draw_text(gc, x * self._scale - anchor * wide, y * self._scale, words, font, 0)
        gc.restore()


_Outline = tuple[list[tuple[float, float]], list[int]]
_MOVE, _LINE, _QUAD, _CURVE, _CLOSE = 1, 2, 3, 4, 79  # as matplotlib.path.Path numbers them


def _value(element: Element, name: str) -> float:
    return float(element.get(name, "0"))


def _rect(element: Element) -> _Outline:
    left, top = _value(element, "x"), _value(element, "y")
    right, bottom = left + _value(element, "width"), top + _value(element, "height")
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return corners, [_MOVE, _LINE, _LINE, _LINE, _CLOSE]


def _circle(element: Element) -> _Outline:
    """Four Bézier curves, each off by less than 0.03 % of the radius."""
    x, y, r = _value(element, "cx"), _value(element, "cy"), _value(element, "r")
    near = 0.5523 * r
    points = [
        (x + r, y), (x + r, y + near), (x + near, y + r), (x, y + r), (x - near, y + r), (x - r, y + near), (x - r, y),
        (x - r, y - near), (x - near, y - r), (x, y - r), (x + near, y - r), (x + r, y - near), (x + r, y), (x + r, y),
    ]  # fmt: skip
    return points, [_MOVE, *[_CURVE] * 12, _CLOSE]


def _polygon(element: Element) -> _Outline:
    points = [(float(x), float(y)) for x, y in (pair.split(",") for pair in element.get("points", "").split())]
    return [*points, points[0]], [_MOVE, *[_LINE] * (len(points) - 1), _CLOSE]


def _path(element: Element) -> _Outline:
    vertices: list[tuple[float, float]] = []
    codes: list[int] = []
    for command, numbers in _COMMAND.findall(element.get("d", "")):
        values = [float(one) for one in numbers.split()]
        before = vertices[-1] if vertices else (0.0, 0.0)
        if command == "H":
            points = [(values[0], before[1])]
        elif command == "V":
            points = [(before[0], values[0])]
        else:
            points = list(zip(values[::2], values[1::2], strict=True)) or [before]
        vertices += points
        codes += [_CODES[command]] * len(points)
    return vertices, codes


_CODES: Mapping[str, int] = {"M": _MOVE, "L": _LINE, "H": _LINE, "V": _LINE, "Q": _QUAD, "C": _CURVE, "Z": _CLOSE}
_SHAPES = {"rect": _rect, "circle": _circle, "polygon": _polygon, "path": _path}
