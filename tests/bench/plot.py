"""One plot: microseconds of CPU a message over the size of the archive, a line for each contender.

Needs matplotlib.  A contender that was measured at one size only is a point.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.bench.comparison import Row
from tests.bench.table import Results

_TITLES = {"threads": "threads of one mbox", "index": "an index of one mbox"}
_INSTALL = "pip install matplotlib"


def missing() -> str:
    """How to get what a plot needs; nothing if it is there."""
    return "" if importlib.util.find_spec("matplotlib") else _INSTALL


def draw(results: Results, target: Path) -> list[Path]:
    """Write the plot as SVG and as PNG; ``target`` names both, whatever its suffix."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "weft"  # equal results, equal bytes
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots(1, len(_TITLES), figsize=(13, 7), sharey=True)
    for place, task in zip(axes, _TITLES, strict=True):
        _panel(place, task, [row for row in results.rows if row.task == task and not row.failure])
    axes[0].set_ylabel("µs of CPU a message")
    figure.suptitle(f"{results.machine.date}, {results.machine.cores} cores, {results.machine.processor}", fontsize=9)
    figure.tight_layout()
    paths = [target.with_suffix(".svg"), target.with_suffix(".png")]
    figure.savefig(paths[0], metadata={"Date": None})
    figure.savefig(paths[1], dpi=110)
    pyplot.close(figure)
    return paths


def _panel(
    axes: Any,  # noqa: ANN401 - of a package without types
    task: str,
    rows: Sequence[Row],
) -> None:
    """Generated archives are joined by lines; real ones differ in shape and stay out."""
    rows = [row for row in rows if row.corpus.endswith("generated")]
    greys = cycle(("0.75", "0.6", "0.45", "0.2"))
    for title in dict.fromkeys(row.title for row in rows):
        points = sorted((row.messages, row.cost) for row in rows if row.title == title)
        some = next(row for row in rows if row.title == title)
        style: dict[str, object] = {"linewidth": 1.2}
        if some.limit:
            style = {"linestyle": ":", "color": next(greys)}
        if some.name == "weft":
            style = {"linewidth": 3, "color": "black"}
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=title, **style)
    axes.set(xscale="log", yscale="log", title=_TITLES[task], xlabel="messages")
    axes.grid(visible=True, which="major", alpha=0.3)
    if rows:
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
