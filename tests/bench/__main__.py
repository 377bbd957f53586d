"""``python -m tests.bench``: Weft beside what a user would take instead, and beside the limits of the machine.

Runs what is installed, and says what is missing and how to get it.  Each peer is measured in turns with Weft on the
same file: CPU seconds of all of its processes, wall time, peak memory, bytes of the index, and multiples of Weft's.
Corpora and the work of peers lie in ``--folder``; corpora are kept there.  Nothing else is written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench import paths, plot
from tests.bench.comparison import Bench, Row
from tests.bench.corpora import Corpus, generated, real
from tests.bench.figures import shares
from tests.bench.growth import Series, series
from tests.bench.machine import this_machine
from tests.bench.paths import PathRow
from tests.bench.peers import TASKS, Contender, everyone
from tests.bench.table import Missing, Results, as_json, as_markdown, as_text

_OURS = ("paths", "growth")
_PATIENCE = 900.0
_TEN_MILLION = 10_000_000


def main(arguments: Sequence[str] | None = None) -> Results:
    """Run it, print the table, and write the files that were asked for."""
    asked = _parser().parse_args(arguments)
    folder = asked.folder.resolve()
    there, missing = _installed(asked.only)
    bench = Bench(folder, asked.rounds, asked.patience)
    sizes = [generated(folder, messages) for messages in sorted(set(asked.messages))]
    others = list(real(folder)) if asked.corpora else []
    rows: list[Row] = []
    for corpus in [*sizes, *others]:
        rows += _compare(bench, corpus, there, rows)
    chosen = {*_OURS} if not asked.only else {*_OURS} & {*asked.only}
    own = [row for corpus in sizes for row in _paths(corpus, folder)] if chosen else []
    grown = list(_growth(rows, own, asked)) if "growth" in chosen else []
    figures = [*shares(rows), *own] if "paths" in chosen else list(shares(rows))
    results = Results(this_machine(), rows, figures, grown, missing)
    print(as_text(results), end="")
    _write(results, asked)
    return results


def _parser() -> argparse.ArgumentParser:
    names = sorted({one.name for one in everyone()} | {*_OURS})
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--messages", type=int, nargs="+", default=[10_000, 100_000], help="sizes of generated archives"
    )
    parser.add_argument("--corpora", action="store_true", help="also the archives in the folder WEFT_CORPORA")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each pair (default: 2)")
    parser.add_argument("--patience", type=float, default=_PATIENCE, help="seconds of a run at most (default: 900)")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of: {', '.join(names)}")
    parser.add_argument("--ten-million", action="store_true", help="the forest alone of ten million messages too")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "weft-bench")
    for name in ("json", "markdown", "plot"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE")
    return parser


def _installed(only: Sequence[str] | None) -> tuple[list[Contender], list[Missing]]:
    """Who takes part, and who would."""
    there, missing = [], {}
    for one in everyone():
        if one.name != "weft" and only and one.name not in only:
            continue
        if needs := one.missing():
            missing[one.name, tuple(needs)] = Missing(one.name, tuple(needs), one.install)
        else:
            there.append(one)
    return there, list(missing.values())


def _compare(bench: Bench, corpus: Corpus, there: Sequence[Contender], known: Sequence[Row]) -> Iterator[Row]:
    for task in TASKS:
        taking_part = [one for one in there if one.task == task]
        _say(f"{corpus.name}: {TASKS[task]}: {', '.join(dict.fromkeys(one.name for one in taking_part))}")
        yield from bench.task(corpus, taking_part, known)


def _paths(corpus: Corpus, folder: Path) -> list[PathRow]:
    _say(f"{corpus.name}: Weft's own paths")
    return list(paths.measure(corpus, folder))


def _growth(rows: Sequence[Row], own: Sequence[PathRow], asked: argparse.Namespace) -> Iterator[Series]:
    """Of what was measured already, then of what is measured for this."""
    start = min((row.value for row in own if row.key == "start" and row.value), default=0.0)
    for task, name in (("threads", "rebuild"), ("index", "ingest")):
        ours = [row for row in rows if row.name == "weft" and row.task == task and row.corpus.endswith("generated")]
        costs = [(row.messages, max(row.cpu - start, 0.0) / row.messages * 1e6) for row in ours if not row.failure]
        yield series(name, "µs a message", costs)
    for key, name, unit, factor in _KEYS:
        points = [(row.messages, row.value * factor) for row in own if row.key == key and row.value is not None]
        yield series(name, unit, points)
    more = [_TEN_MILLION] if asked.ten_million else []
    yield series("forest alone", "µs a message", _alone("forest", [*asked.messages, *more]))
    yield series("exchange, mirror, 1,000 differences", "µs a difference", _alone("mirror", asked.messages))


_KEYS = (
    ("add", "add 1,000 messages", "µs a message added", 1e3),
    ("size", "index beside the claims", "octets a message", 1.0),
    ("rows", "thread look-up, rows, warm", "µs", 1.0),
    ("cold rows", "thread look-up, rows, cold", "µs", 1.0),
    ("warm", "thread look-up, objects, warm", "µs", 1.0),
    ("newest rows", "newest 50 threads, roots", "µs", 1.0),
    ("newest", "newest 50 threads, objects", "µs", 1.0),
)


def _alone(what: str, sizes: Sequence[int]) -> list[tuple[int, float]]:
    """Each size in a process of its own."""
    points = []
    for size in sorted(set(sizes)):
        _say(f"{what} of {size:,}")
        command = [sys.executable, "-m", "tests.bench.growth", what, str(size)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=3600)
            points.append((size, float(json.loads(done.stdout)[0])))
        except subprocess.SubprocessError as error:
            _say(f"{what} of {size:,} failed: {error}")
    return points


def _write(results: Results, asked: argparse.Namespace) -> None:
    made: tuple[tuple[Path | None, Callable[[Results], str]], ...] = (
        (asked.json, as_json),
        (asked.markdown, as_markdown),
    )
    for path, form in made:
        if path is not None:
            path.write_text(form(results), encoding="utf-8")
    if asked.plot is not None:
        if install := plot.missing():
            _say(f"no plot: {install}")
        else:
            plot.draw(results, asked.plot)


def _say(text: str) -> None:
    """What goes on, for who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
