"""The figures that Weft is to reach beside others: multiples of what a peer took in the same turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.comparison import Row
from tests.bench.paths import PathRow


@dataclass(frozen=True, slots=True)
class _Goal:
    """``title``: of the peer's row; ``attribute``: the multiple of it; ``limit``: Weft's share at most, at a size."""

    title: str
    task: str
    attribute: str
    what: str
    limit: float
    messages: int


_GOALS = (
    _Goal("mutt, sort=threads", "threads", "times_cpu", "rebuild, CPU / mutt's", 0.65, 100_000),
    _Goal("mutt, sort=threads", "threads", "times_wall", "rebuild, wall / mutt's", 0.4, 100_000),
    _Goal("mutt, sort=threads", "threads", "times_memory", "rebuild, memory / mutt's", 1 / 3, 1_000_000),
    _Goal("plain C", "threads", "times_cpu", "rebuild, CPU / the C bound's", 7.0, 100_000),
    _Goal("public-inbox-index", "index", "times_cpu", "ingest, CPU / public-inbox's", 1 / 20, 100_000),
    _Goal("Dovecot: THREAD, no", "index", "times_cpu", "ingest, CPU / Dovecot's", 0.4, 100_000),
)


def shares(rows: Sequence[Row]) -> Iterator[PathRow]:
    """What Weft takes of what a peer takes; the limit only at the size that it is said for."""
    for goal in _GOALS:
        for row in rows:
            times: float | None = getattr(row, goal.attribute)
            if row.title.startswith(goal.title) and row.task == goal.task and times:
                # On real archives, which are headers only or small, the figures are no goals.
                said_for = row.corpus.endswith("generated") and goal.messages == row.messages
                limit = goal.limit if said_for else None
                yield PathRow("", goal.what, row.messages, 1 / times, "times", limit, row.corpus)
