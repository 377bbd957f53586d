"""Tables of numbers for people: a row a list, heads of two lines, a rule above the last row, the names give way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weft.export.clean import clean, fit, width

_GAP = "  "
_LEAST = 8
"""Names are never cut further; on a terminal that is too narrow for that, lines wrap."""
_MANY = 20
"""Of fewer things no share in percent is given."""


def draw(heads: Sequence[tuple[str, str]], rows: Sequence[tuple[str, Sequence[int]]], columns: int) -> Iterator[str]:
    """The lines of a table: of each row its name, then a number for each of ``heads``."""
    names = [clean(name) for name, _ in rows]
    cells = [[number(value) for value in values] for _, values in rows]
    widths = [max(map(width, column)) for column in zip(*cells, *zip(*heads, strict=True), strict=True)]
    room = columns - sum(widths) - len(_GAP) * len(widths)
    first = min(max(map(width, names)), max(room, _LEAST))
    for line in zip(*heads, strict=True):
        yield _row("", line, first, widths)
    for place, (name, values) in enumerate(zip(names, cells, strict=True)):
        if place and place == len(rows) - 1:
            yield "─" * (first + sum(widths) + len(_GAP) * len(widths))
        yield _row(name, values, first, widths)


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def share(part: int, whole: int) -> str:
    """``part`` and, where that says something, its share of ``whole``."""
    if not part or part == whole or whole < _MANY:
        return number(part)
    percent = round(100 * part / whole)
    return f"{number(part)} ({'under 1' if percent < 1 else 'over 99' if percent > 99 else percent} %)"


def _row(name: str, values: Sequence[str], first: int, widths: Sequence[int]) -> str:
    return _GAP.join([fit(name, first), *(text.rjust(size) for text, size in zip(values, widths, strict=True))])
