"""What else Weft does, beside the figures that it is to reach: additions, look-ups, calls to a server, start-up.

Each is measured in processes of its own, with the functions of the benchmarks of its parts.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import index as index_bench
from tests.bench import rpc
from tests.bench.command_runner import Work, run
from tests.bench.corpora import Corpus
from tests.bench.resource_usage import weft
from tests.generate import write_mboxes

_ADDED = 1000
_FEW = 10_000
"""With fewer messages than this, pages that are not full decide the size of an index."""
_OTHER_SEEDS = (10, 11, 12)
_SECONDS = 2.0
_ADD_LIMITS = {100_000: 0.2, 1_000_000: 0.3}


@dataclass(frozen=True, slots=True)
class PathRow:
    """One figure of Weft; ``limit``: what it is to be at most, if that is said for this size; ``note``: why not.

    ``key`` names it for the growth table; without a value it was not measured.
    """

    key: str
    title: str
    messages: int
    value: float | None
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the limit is kept, and by how much not."""
        if self.value is None or self.limit is None:
            return ""
        return "kept" if self.value <= self.limit else f"{self.value / self.limit:.2f} times the limit"


def measure(corpus: Corpus, folder: Path) -> Iterator[PathRow]:
    """All of them on one corpus."""
    place = folder / "work" / "paths"
    shutil.rmtree(place, ignore_errors=True)
    try:
        ingested = run(Work([*weft("ingest", "-q", "--index", str(place / "index.db")), f"bench={corpus.mbox}"], place))
        if ingested.failure:
            yield PathRow("", "weft ingest", corpus.messages, None, "", note=ingested.failure)
            return
        yield _beside(place / "index.db", corpus)
        yield from _looks(place / "index.db", corpus)
        yield _add(place, corpus)
        yield from _calls(place, corpus)
        yield _start(place, corpus)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _beside(path: Path, corpus: Corpus) -> PathRow:
    said = index_bench.inside("sizes", path)
    found = re.search(r"(\d+) beside", said)
    value = float(found[1]) if found else None
    limit = 300 if corpus.messages >= _FEW else None
    return PathRow("size", "index, beside the claims' own bytes", corpus.messages, value, "octets a message", limit)


def _looks(path: Path, corpus: Corpus) -> Iterator[PathRow]:
    command = [sys.executable, "-m", "tests.bench.thread_reads", str(path)]
    figures = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600).stdout)
    rows = (
        ("rows", "thread of about 25 messages, rows, warm", 100.0),
        ("cold rows", "thread of about 25 messages, rows, cold", 1000.0),
        ("warm", "thread of about 25 messages, objects, warm", None),
        ("cold", "thread of about 25 messages, objects, cold", None),
        ("newest rows", "newest 50 threads of a list, roots", 100.0),
        ("newest", "newest 50 threads of a list, objects", None),
    )
    for key, title, limit in rows:
        yield PathRow(key, title, corpus.messages, figures[key], "µs, p50", limit)


def _add(place: Path, corpus: Corpus) -> PathRow:
    spent = []
    for seed in _OTHER_SEEDS:
        [added] = write_mboxes(place / f"added-{seed}", _ADDED, 1, seed)
        spent.append(float(index_bench.inside("cpu", place / "index.db", f"bench={added}")))
    limit = _ADD_LIMITS.get(corpus.messages)
    return PathRow("add", f"add {_ADDED:,} messages", corpus.messages, min(spent), "s of CPU", limit)


def _calls(place: Path, corpus: Corpus) -> Iterator[PathRow]:
    """GetThread of 10 messages: the server's CPU for each call."""
    limits = {"unary": 400.0, "streamed": 250.0}
    path = place / "server" / "index.db"
    ids = rpc.fill(path, max(110, min(10_000, corpus.messages)))
    server, address = rpc.serve(path)
    try:
        asyncio.run(rpc.load(address, ids[:100], 0.3))
        half = len(ids) // 2  # so that none is asked for by both, and no answer is remembered
        before = rpc.cpu(server.pid)
        calls, _, _ = asyncio.run(rpc.load(address, ids[:half], _SECONDS))
        between = rpc.cpu(server.pid)
        streamed = asyncio.run(rpc.load_streams(address, ids[half:], _SECONDS))
        spent = {"unary": (between - before) / calls, "streamed": (rpc.cpu(server.pid) - between) / streamed}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        assert server.stdout is not None
        server.stdout.close()
    title = "GetThread of 10 messages on the server, {}"
    for name, seconds in spent.items():
        yield PathRow(name, title.format(name), corpus.messages, seconds * 1e6, "µs of CPU", limits[name])


def _start(place: Path, corpus: Corpus) -> PathRow:
    runs = [run(Work(weft("--version"), place)) for _ in range(5)]
    return PathRow("start", "weft --version", corpus.messages, min(one.cpu for one in runs), "s of CPU", 0.15)
