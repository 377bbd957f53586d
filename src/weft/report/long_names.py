"""Tables of numbers whose rows have long names: the names go on in further lines where the terminal is narrow.

`weft.report.table` cuts names that are too long, which does for lists; a model that is cut is another model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weft.export.clean import clean, fit, width

_GAP = "  "
_LEAST = 20
"""Names are never narrower; on a terminal that is too narrow for that, lines wrap."""

Cell = str | int | float


def draw(heads: Sequence[Sequence[str]], rows: Sequence[tuple[str, Sequence[Cell]]], columns: int) -> Iterator[str]:
    """The lines of a table: heads of some lines, all of as many, then of each row its name and a cell a head."""
    cells = [[_shown(value) for value in values] for _, values in rows]
    widths = [max(map(width, column)) for column in zip(*cells, *zip(*heads, strict=True), strict=True)]
    names = [clean(name) for name, _ in rows]
    room = columns - sum(widths) - len(_GAP) * len(widths)
    first = min(max(map(width, names)), max(room, _LEAST))
    for line in zip(*heads, strict=True):
        yield _row("", line, first, widths)
    for name, values in zip(names, cells, strict=True):
        *above, last = _broken(name, first)
        yield from above
        yield _row(last, values, first, widths)


def _row(name: str, values: Sequence[str], first: int, widths: Sequence[int]) -> str:
    cells = (" " * (size - width(text)) + text for text, size in zip(values, widths, strict=True))
    return _GAP.join([fit(name, first), *cells]).rstrip(" ")


def _shown(value: Cell) -> str:
    """A cell: thousands apart, a mean with its digit."""
    return value if isinstance(value, str) else f"{value:,}"


def _broken(name: str, columns: int) -> list[str]:
    """The words of a name in lines, all but the first set in; a word that is wider than a line is cut later."""
    first, *words = name.split(" ")
    lines = [first]
    for word in words:
        if width(f"{lines[-1]} {word}") <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}")
    return [fit(line, columns).rstrip(" ") for line in lines]
