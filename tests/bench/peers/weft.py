"""Weft itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.command_runner import Work, run
from tests.bench.corpora import Corpus
from tests.bench.peers.contender import Contender
from tests.bench.resource_usage import weft
from tests.factories import FIXTURES

_SMALL = FIXTURES / "story" / "drafts.mbox"
"""Read once beforehand, so that there is bytecode, as there is of what is installed."""


def _rebuild(corpus: Corpus, folder: Path) -> Work:
    command = weft("rebuild", "--format", "jsonl", "-o", "/dev/null", "--force", f"bench={corpus.mbox}")
    run(Work([*command[:-1], str(_SMALL)], folder))
    return Work(command, folder, accept=(0, 3), expect=b"%d messages read: " % corpus.messages)


def _ingest(corpus: Corpus, folder: Path) -> Work:
    place = folder / "index"
    command = weft("ingest", "--quiet", "--index", str(place / "index.db"), f"bench={corpus.mbox}")

    def clean() -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)

    run(Work([*weft("ingest", "--quiet", "--index", str(folder / "warm" / "index.db")), str(_SMALL)], folder))
    return Work(
        command, folder, accept=(0, 3), clean=clean,
        size=lambda: sum(path.stat().st_size for path in place.glob("index.db*")),
    )  # fmt: skip


def _export(corpus: Corpus, folder: Path) -> Work:
    work = _ingest(corpus, folder)
    work.clean()
    made = run(work)
    if made.failure:
        raise OSError(f"weft ingest: {made.failure}")
    command = weft("export", "--quiet", "--index", str(folder / "index" / "index.db"), "--format", "jsonl")
    return Work([*command, "-o", "/dev/null", "--force"], folder)


CONTENDERS = [
    Contender("weft", "weft rebuild --format jsonl", "threads", (), "", _rebuild, "prints every message"),
    Contender("weft", "weft ingest", "index", (), "", _ingest, "signed claims; the size includes them"),
    Contender("weft", "weft export --format jsonl", "again", (), "", _export, "prints every message"),
]
