"""Tables of numbers for people: heads of some lines, names that give way, a rule above a row of sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weft.render.sanitize import clean, fit, width

_GAP = "  "
_LEAST = 8
"""Names are never cut further; on a terminal that is too narrow for that, lines wrap."""
_LEAST_WHOLE = 20
"""The same of names that go on in further lines."""
_MANY = 20
"""Of fewer things no share in percent is given."""

Cell = str | int | float


def draw(
    heads: Sequence[Sequence[str]],
    rows: Sequence[tuple[str, Sequence[Cell]]],
    columns: int,
    *,
    sums: bool = False,
    whole: bool = False,
) -> Iterator[str]:
    """The lines of a table: heads, all of as many lines, then of each row its name and a cell a head.

    ``sums``: the last row stands below a rule.  ``whole``: names that are too long are not cut but go on in further
    lines; a model that is cut is another model.
    """
    names = [clean(name) for name, _ in rows]
    cells = [[value if isinstance(value, str) else number(value) for value in values] for _, values in rows]
    widths = [max(map(width, column)) for column in zip(*cells, *zip(*heads, strict=True), strict=True)]
    room = columns - sum(widths) - len(_GAP) * len(widths)
    first = min(max(map(width, names)), max(room, _LEAST_WHOLE if whole else _LEAST))
    for line in zip(*heads, strict=True):
        yield _row("", line, first, widths)
    for place, (name, values) in enumerate(zip(names, cells, strict=True)):
        if sums and place and place == len(rows) - 1:
            yield "─" * (first + sum(widths) + len(_GAP) * len(widths))
        *above, last = _broken(name, first) if whole else [name]
        yield from above
        yield _row(last, values, first, widths)


def number(value: float) -> str:
    """A number with its thousands apart; a mean with its digit."""
    return f"{value:,}"


def share(part: int, whole: int) -> str:
    """``part`` and, where that says something, its share of ``whole``."""
    if not part or part == whole or whole < _MANY:
        return number(part)
    percent = round(100 * part / whole)
    return f"{number(part)} ({'under 1' if percent < 1 else 'over 99' if percent > 99 else percent} %)"


def _row(name: str, values: Sequence[str], first: int, widths: Sequence[int]) -> str:
    cells = (" " * (size - width(text)) + text for text, size in zip(values, widths, strict=True))
    return _GAP.join([fit(name, first), *cells]).rstrip(" ")


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
