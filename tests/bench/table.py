"""The results as text, as JSON and as Markdown: one table for each task on each corpus, then Weft's own figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.bench.comparison import Row
from tests.bench.growth import Series
from tests.bench.machine import Machine
from tests.bench.paths import PathRow
from tests.bench.peers import TASKS


@dataclass(frozen=True, slots=True)
class Missing:
    """A peer that was not there, and how to get it."""

    name: str
    needs: tuple[str, ...]
    install: str

    def __str__(self) -> str:
        return f"{self.name}: {', '.join(self.needs)} missing; {self.install}"


@dataclass(frozen=True, slots=True)
class Results:
    """All of one run."""

    machine: Machine
    rows: Sequence[Row]
    paths: Sequence[PathRow]
    growth: Sequence[Series]
    missing: Sequence[Missing]


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, the heads of the columns, and the rows."""

    caption: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]

    def text(self) -> str:
        """Aligned; the first column and the last to the left, numbers to the right."""
        all_lines = [self.heads, *self.lines]
        widths = [max(len(line[column]) for line in all_lines) for column in range(len(self.heads))]
        last = len(widths) - 1
        out = [self.caption]
        for line in all_lines:
            cells = [
                cell.ljust(width) if column in (0, last) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            out.append("  " + "  ".join(cells).rstrip())
        return "\n".join(out)

    def markdown(self) -> str:
        """For a README."""
        marks = ["---", *("---:" for _ in self.heads[1:-1]), "---"]
        cells = [[cell.replace("|", "\\|") for cell in line] for line in (self.heads, marks, *self.lines)]
        return f"{self.caption}:\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in cells)


def tables(results: Results) -> list[Table]:
    """All tables."""
    made = []
    for corpus in dict.fromkeys(row.corpus for row in results.rows):
        for task, what in TASKS.items():
            rows = [row for row in results.rows if (row.corpus, row.task) == (corpus, task)]
            if rows:
                caption = f"{corpus} ({rows[0].messages:,} messages, {rows[0].size / 1e6:.0f} MB), {what}"
                made.append(_task(caption, rows))
    if results.paths:
        made.append(_paths(results.paths))
    if results.growth:
        made.append(_growth(results.growth))
    return made


def as_text(results: Results) -> str:
    """For a terminal."""
    parts = [str(results.machine), *(table.text() for table in tables(results))]
    if results.missing:
        parts.append("\n".join(["not measured, because it is not there:", *(f"  {one}" for one in results.missing)]))
    return "\n\n".join(parts) + "\n"


def as_markdown(results: Results) -> str:
    """For a README."""
    parts = [str(results.machine), *(table.markdown() for table in tables(results))]
    if results.missing:
        parts.append("Not measured, because it is not there:\n\n" + "\n".join(f"* {one}" for one in results.missing))
    return "\n\n".join(parts) + "\n"


def as_json(results: Results) -> str:
    """For programs: seconds, bytes, microseconds."""
    value = {
        "machine": asdict(results.machine),
        "rows": [asdict(row) | {"microseconds_a_message": None if row.failure else row.cost} for row in results.rows],
        "figures": [asdict(row) | {"verdict": row.verdict} for row in results.paths],
        "growth": [asdict(one) | {"excess": one.excess, "verdict": one.verdict} for one in results.growth],
        "missing": [asdict(one) for one in results.missing],
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _task(caption: str, rows: Sequence[Row]) -> Table:
    index = any(row.index is not None for row in rows)
    heads = ["", "CPU s", "µs a message", "wall s", "MB", "CPU / Weft", "wall / Weft", "memory / Weft"]
    heads += ["index, octets a message", "index / Weft"] if index else []
    return Table(caption, [*heads, ""], [_line(row, index) for row in rows])


def _line(row: Row, index: bool) -> list[str]:
    columns = 9 if index else 7
    if row.failure:
        return [row.title, *[""] * columns, row.failure]
    cells = [
        row.title, f"{row.cpu:.3f}", _small(row.cost), f"{row.wall:.3f}", f"{row.memory / 1e6:.0f}",
        _times(row.times_cpu), _times(row.times_wall), _times(row.times_memory),
    ]  # fmt: skip
    if index:
        cells += ["" if row.index is None else f"{row.index / row.messages:.0f}", _times(row.times_index)]
    return [*cells, row.more]


def _times(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _small(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _paths(rows: Sequence[PathRow]) -> Table:
    lines = [
        [
            row.title, f"{row.messages:,}", _number(row.value), _number(row.limit), row.unit,
            "; ".join(part for part in (row.verdict, row.note) if part),
        ]
        for row in rows
    ]  # fmt: skip
    return Table("Weft's figures", ["", "messages", "measured", "limit", "unit", ""], lines)


def _growth(all_series: Sequence[Series]) -> Table:
    sizes = sorted({size for one in all_series for size, _ in one.points})
    lines = []
    for one in all_series:
        costs = dict(one.points)
        cells = [_number(costs[size]) if size in costs else "" for size in sizes]
        lines.append([f"{one.name}, {one.unit}", *cells, one.verdict])
    return Table("Growth: the cost at each size", ["", *(f"{size:,}" for size in sizes), ""], lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
