"""A process that is killed while it ingests leaves a sound index, and the next run goes on where it was.

Power cuts, which also take what was not synced, are tried in `tests.powercut`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from tests.generate import write_mboxes
from tests.index.factories import Placed, counted, open_index, placed
from weft.index import index as index_module
from weft.index import ingest as ingest_module
from weft.index.view import View
from weft.store.sqlite import SqliteStore

MESSAGES = 2000
STEP = 80
"""Messages in one transaction: so small that a kill is likely to come between two."""
_RUN = f"""
from weft.cli.main import main
from weft.index import ingest
commit = ingest.Ingest._commit
def told(*arguments):
    print(flush=True)
    return commit(*arguments)
ingest.Ingest._commit, ingest._TRANSACTION = told, {STEP}
main()
"""
"""``weft`` in small transactions, with an empty line on stdout before each."""

State = tuple[set[bytes], dict[str, Placed]]


def state(folder: Path) -> State:
    """The ids of the claims, and the forest; fails if anything is wrong with the index."""
    with open_index(folder) as index:
        assert list(index.check()) == []
        return set(counted(index)), placed(index.all_threads())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path, State]:
    """What to ingest, the folder of an index that was not disturbed, and its state."""
    folder = tmp_path_factory.mktemp("archive")
    files = [f"{path.stem}={path}" for path in write_mboxes(folder / "mail", MESSAGES, 3, 1)]
    (folder / "config.toml").touch()
    assert ingest(folder, files) == 0
    return files, folder, state(folder)


def ingest(folder: Path, files: list[str], kill: tuple[int, float] | None = None) -> int:
    """Ingest in a process of its own; ``kill``: before which of its transactions, and how many seconds after that."""
    options = ["--quiet", "--index", str(folder / "index.db"), "--config", str(folder / "config.toml")]
    command = [sys.executable, "-c", _RUN, "ingest", *options, *files]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout as told:
        if kill is not None:
            for _ in range(kill[0]):
                told.readline()
            time.sleep(kill[1])
            process.kill()
        told.read()
    return process.wait()


@pytest.mark.parametrize("seed", range(4))
def test_an_ingest_that_is_killed_again_and_again_ends_as_one_that_was_not(
    archive: tuple[list[str], Path, State], tmp_path: Path, seed: int
) -> None:
    """Five kills each; if a run was faster than its kill, the rest hit another index."""
    files, undisturbed, wanted = archive
    random, kills = Random(seed), 0
    while kills < 5:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        key_and_policy(undisturbed, folder)
        before = 0
        while kills < 5 and ingest(folder, files, (random.randint(0, 6), random.uniform(0, 0.03))) == -signal.SIGKILL:
            kills += 1
            position = _position(folder)
            assert before <= position <= len(wanted[0])
            before = position
        assert ingest(folder, files) == 0
        assert state(folder) == wanted


def key_and_policy(source: Path, folder: Path) -> None:
    """The same server somewhere else: equal mail makes equal claims only under one key."""
    for name in ("index.db.key", "config.toml"):
        shutil.copy(source / name, folder / name)


def _position(folder: Path) -> int:
    if not (folder / "index.db").exists():
        return 0
    with SqliteStore(folder / "index.db") as store:
        return store.position()


def _kill_at(count: int, function: Callable[..., object], *, before: bool = False) -> Callable[..., object]:
    """The function, but that the process dies when it is called for the ``count``-th time, or when that returns."""
    calls = 0

    def wrapped(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if before and calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


POINTS = {
    "the key is there, and no index": (index_module, "SqliteStore", 1, True),
    "the index has its tables, and no view": (View, "refresh", 1, True),
    "the view has its tables": (View, "refresh", 1, False),
    "a transaction begins": (SqliteStore, "put", 3, True),
    "claims are written, and no files": (SqliteStore, "put", 1, False),
    "claims are written, and not committed": (SqliteStore, "put", 9, False),
    "the view is written, and not committed": (View, "add", 5, False),
    "something is committed": (ingest_module.Ingest, "_commit", 3, False),
    "all is committed": (ingest_module.Ingest, "run", 1, False),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_is_killed_when(archive: tuple[list[str], Path, State], tmp_path: Path, point: str) -> None:
    files, undisturbed, wanted = archive
    key_and_policy(undisturbed, tmp_path)
    home, name, count, before = POINTS[point]
    child = os.fork()
    if not child:
        with (
            patch.object(home, name, _kill_at(count, getattr(home, name), before=before)),
            patch.object(ingest_module, "_TRANSACTION", STEP),
        ):
            run(tmp_path, files)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    run(tmp_path, files)
    assert state(tmp_path) == wanted


def run(folder: Path, files: list[str]) -> None:
    """Ingest in this process."""
    with open_index(folder) as index:
        for file in files:
            name, _, path = file.partition("=")
            index.ingest(name, path)
