"""Tables for people: columns as wide as what stands in them, and one that gives way where the terminal is narrow.

Or JSON for programs: whatever commands print at once goes to stdout from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from weft.cli._output import open_output, terminal_columns
from weft.render.sanitize import clean, fit, width

_GAP = "  "
_LEAST = 32
"""The elastic column is never cut further; on a terminal that is too narrow for it, lines wrap."""


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str | int]], *, elastic: int) -> None:
    """Write a table to stdout; nothing for no rows.  The last column is never cut, so that ids can be copied."""
    print_lines(draw_table(heads, rows, elastic=elastic, columns=terminal_columns()) if rows else ())


def print_json(value: object) -> None:
    """Write one value for programs to stdout."""
    print_lines([json.dumps(value)])


def print_lines(lines: Iterable[str]) -> None:
    """Write clean lines to stdout, in UTF-8 whatever the locale."""
    with open_output(None, force=False) as file:
        for line in lines:
            file.write(f"{line}\n".encode())


def draw_table(
    heads: Sequence[str], rows: Sequence[Sequence[str | int]], *, elastic: int, columns: int
) -> Iterator[str]:
    """The lines of a table; numbers stand at the right of their column, ``elastic`` is the column that gives way."""
    cells = [list(heads), *([clean(str(value)) for value in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    others = sum(widths) - widths[elastic] + len(_GAP) * (len(widths) - 1)
    widths[elastic] = max(min(_LEAST, widths[elastic]), min(widths[elastic], columns - others))
    numbers = [isinstance(value, int) for value in rows[0]] if rows else [False] * len(heads)
    for row in cells:
        parts = [
            text.rjust(size) if number else fit(text, size)
            for text, size, number in zip(row[:-1], widths, numbers, strict=False)
        ]
        yield _GAP.join([*parts, row[-1]]).rstrip(" ")
