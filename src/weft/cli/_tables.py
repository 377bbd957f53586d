"""Tables for people: columns as wide as what stands in them, and one that gives way where the terminal is narrow.

Or JSON, CSV and their like for programs: whatever commands print at once goes to stdout from here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from weft.cli._output import open_output, terminal_columns
from weft.render.sanitize import clean, fit, shorten, width

_GAP = "  "
_LEAST = 32
"""The elastic column is never cut further; on a terminal that is too narrow for it, lines wrap."""


ROW_FORMATS = ("table", "json", "jsonl", "csv", "tsv")
Command = TypeVar("Command", bound=Callable[..., Any])


def row_options(*formats: str, default: str | None = "table") -> Callable[[Command], Command]:
    """``--format``, with further formats than `ROW_FORMATS`, and ``--json``: a command takes both."""

    def add(command: Command) -> Command:
        as_json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
        chosen = click.option(
            "--format", "format_name", type=click.Choice([*ROW_FORMATS, *formats]), default=default,
            show_default=default is not None, help="How to print rows.",
        )  # fmt: skip
        return chosen(as_json(command))

    return add


def print_rows(format_name: str, objects: Sequence[Mapping[str, object]], keys: Sequence[str]) -> None:
    """Write rows for programs to stdout: one array, or one object a line, or cells under a line of ``keys``."""
    if format_name == "json":
        print_json(list(objects))
    elif format_name == "jsonl":
        print_lines(map(json.dumps, objects))
    else:
        import csv
        from io import StringIO

        text = StringIO()
        writer = csv.writer(text, csv.excel_tab if format_name == "tsv" else csv.excel, lineterminator="\n")
        writer.writerow(keys)
        writer.writerows([_cell(one[key]) for key in keys] for one in objects)
        print_lines(text.getvalue().splitlines())


def _cell(value: object) -> object:
    """One value on one line; lists with spaces between."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return clean(" ".join(map(str, value)))
    return value


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str | int]], *, elastic: int) -> None:
    """Write a table to stdout; nothing for no rows.  The last column is cut only if it is the elastic one."""
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
    """The lines of a table; numbers stand at the right of their column, ``elastic`` is the column that gives way.

    If that is the last one, no line is wider than ``columns``.
    """
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
        line = _GAP.join([*parts, row[-1]]).rstrip(" ")
        yield shorten(line, columns) if elastic == len(row) - 1 else line
