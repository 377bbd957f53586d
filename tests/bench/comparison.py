"""Measures contenders against Weft: in turns, A B A B, on the same file, so that a slow hour of the machine hits both.

A ratio is that of the best of Weft's runs and the best of the other's in the same turns.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.command_runner import Run, Work, run
from tests.bench.corpora import Corpus
from tests.bench.peers import Contender


@dataclass(frozen=True, slots=True)
class Row:
    """What a contender took on a corpus: seconds, bytes; ``times_*``: multiples of what Weft took in the same turns.

    ``failure``: why there are no figures.
    """

    corpus: str
    messages: int
    size: int
    task: str
    name: str
    title: str
    more: str
    limit: bool
    cpu: float = 0.0
    wall: float = 0.0
    memory: int = 0
    index: int | None = None
    times_cpu: float | None = None
    times_wall: float | None = None
    times_memory: float | None = None
    times_index: float | None = None
    failure: str = ""

    @property
    def cost(self) -> float:
        """Microseconds of CPU a message."""
        return self.cpu / self.messages * 1e6


@dataclass(frozen=True, slots=True)
class Bench:
    """How all are measured."""

    folder: Path
    rounds: int
    patience: float

    def task(self, corpus: Corpus, contenders: Sequence[Contender], known: Sequence[Row]) -> list[Row]:
        """One task on one corpus: the first contender is Weft; ``known``: rows of smaller corpora."""
        weft, *others = contenders
        groups = [[weft, *(one for one in others if one.limit)], *([weft, one] for one in others if not one.limit)]
        rows: list[Row] = []
        for group in groups:
            late = _too_late(group[-1], corpus, known, self.patience) if len(group) == 2 else ""
            if late:
                rows.append(_failed(group[-1], corpus, late))
            elif len(group) > 1:
                rows += self._turns(corpus, group)
        ours = [row for row in rows if row.name == weft.name] or self._turns(corpus, [weft])
        best = min(ours, key=lambda row: (bool(row.failure), row.cpu))
        return [best, *(row for row in rows if row.name != weft.name)]

    def _turns(self, corpus: Corpus, group: Sequence[Contender]) -> list[Row]:
        """Each in turn, and all again."""
        places = [self.folder / "work" / f"{one.name}-{number}" for number, one in enumerate(group)]
        works = [self._prepared(one, corpus, place) for one, place in zip(group, places, strict=True)]
        runs: list[list[Run]] = [[] for _ in group]
        sizes: list[int | None] = [None for _ in group]
        for _ in range(self.rounds):
            for number, work in enumerate(works):
                if isinstance(work, Work) and not any(one.failure for one in runs[number]):
                    work.clean()
                    runs[number].append(run(work, self.patience))
                    sizes[number] = work.size() if work.size else None
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
        rows = [
            _row(one, corpus, [Run(0, 0, 0, work)] if isinstance(work, str) else some, size)
            for one, work, some, size in zip(group, works, runs, sizes, strict=True)
        ]
        return [rows[0], *(_compared(row, rows[0]) for row in rows[1:])]

    def _prepared(self, contender: Contender, corpus: Corpus, place: Path) -> Work | str:
        """Its work, or why there is none."""
        try:
            place.mkdir(parents=True, exist_ok=True)
            return contender.prepare(corpus, place)
        except (OSError, subprocess.SubprocessError) as error:
            return f"could not be prepared: {error}"[:200]


def _row(one: Contender, corpus: Corpus, runs: Sequence[Run], size: int | None) -> Row:
    failure = next((some.failure for some in runs if some.failure), "")
    if failure:
        return _failed(one, corpus, failure)
    return Row(
        corpus.name, corpus.messages, corpus.size, one.task, one.name, one.title, one.more, one.limit,
        min(some.cpu for some in runs), min(some.wall for some in runs), max(some.memory for some in runs), size,
    )  # fmt: skip


def _failed(one: Contender, corpus: Corpus, failure: str) -> Row:
    return Row(
        corpus.name, corpus.messages, corpus.size, one.task, one.name, one.title, one.more, one.limit, failure=failure
    )


def _compared(row: Row, weft: Row) -> Row:
    """With the multiples."""
    if row.failure or weft.failure:
        return row
    index = row.index / weft.index if row.index is not None and weft.index else None
    return replace(
        row, times_cpu=row.cpu / weft.cpu, times_wall=row.wall / weft.wall,
        times_memory=row.memory / weft.memory if weft.memory else None, times_index=index,
    )  # fmt: skip


def _too_late(one: Contender, corpus: Corpus, known: Sequence[Row], patience: float) -> str:
    """Why it is not tried: it would take too long by what it took on a smaller corpus."""
    before = [row for row in known if (row.name, row.task) == (one.name, one.task)]
    if not before:
        return ""
    last = max(before, key=lambda row: row.messages)
    if last.failure:
        return "not tried: failed on a smaller corpus"
    expected = last.wall * corpus.messages / last.messages
    return f"not tried: about {expected:.0f} s by {last.messages:,} messages" if expected > patience else ""
