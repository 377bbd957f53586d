"""public-inbox: ``public-inbox-index -L basic`` (threads and overview, no full text) of a v2 inbox.

The messages are put into the inbox's git repository beforehand by ``git fast-import``, which is not measured.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.bench.command_runner import Work, environment
from tests.bench.corpora import Corpus, commit
from tests.bench.peers.contender import Contender, bytes_below


def _prepare(corpus: Corpus, folder: Path) -> Work:
    inbox = folder / "inbox"
    index = [inbox / "xap15", inbox / "msgmap.sqlite3"]
    environ = {"PI_CONFIG": str(folder / "config")}
    work = Work(
        ["public-inbox-index", "-L", "basic", str(inbox)], folder, environ, size=lambda: bytes_below(*index),
        clean=lambda: _forget(index),
    )  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(
        ["public-inbox-init", "-V2", "-L", "basic", "bench", str(inbox), "http://bench.example/", "bench@example.org"],
        env=environment(work), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=True, timeout=120,
    )  # fmt: skip
    commit(corpus, inbox / "git" / "0.git")
    return work


def _forget(index: list[Path]) -> None:
    for path in index:
        if path.is_dir():
            shutil.rmtree(path)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        path.unlink(missing_ok=True)


CONTENDERS = [
    Contender(
        "public-inbox", "public-inbox-index -L basic", "index", ("public-inbox-index", "public-inbox-init", "git"),
        "apt-get install public-inbox", _prepare, "from git; reads whole messages",
    ),
]  # fmt: skip
