"""Runs scenarios under the recorder: ``python -m tests.powercut.running FOLDER``, a process for each job."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.powercut.disk import Disk, Event, read_record
from tests.powercut.scenarios import SCENARIOS, problems, small_checkpoints
from weft import _files, key_file
from weft.errors import WeftError
from weft.policy import edit
from weft.store import connection as opening
from weft.store import expendable
from weft.tls import identity

SOURCE = Path(__file__).with_name("recorder.c")
CODES = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}
KINDS = {"write": 1, "sync": 2}
_ROUND = 25
"""Power cuts for which the events are played once, from the first to the last."""


def compiled(folder: Path) -> Path | None:
    """The recorder, compiled into a folder; None where there is no C compiler."""
    compiler, target = shutil.which("cc"), folder / "recorder.so"
    if compiler is None:
        return None
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(target), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run(command, check=True, timeout=120)
    return target


# Faults that are planted, to see that they are found.


def _normal(connection: Any, path: Path, name: str, value: object, answer: object) -> None:  # noqa: ANN401
    connection.execute(f"PRAGMA {name} = {'NORMAL' if name == 'synchronous' else value}")


def _plant(stack: ExitStack, fault: str) -> None:
    nothing: Any = lambda *_: None  # noqa: E731
    match fault:
        case "synchronous=NORMAL":
            stack.enter_context(patch.object(opening, "demand", _normal))
        case "rollback mode":
            stack.enter_context(patch.object(opening, "demand_write_ahead_log", nothing))
        case "folders are not synced":
            for module in (_files, key_file):
                stack.enter_context(patch.object(module, "sync_folder", nothing))
        case "drafts are not synced":
            for module in (_files, identity, edit):
                stack.enter_context(patch.object(module, "write_file", _unsynced))
        case "remembered with synchronous=OFF":
            stack.enter_context(patch.object(expendable, "SYNCHRONOUS", "OFF"))


def _unsynced(path: Path, content: bytes, mode: int = 0o600) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)
    _files.sync_folder(path.parent)


# In the process that is recorded.


def _recorded(scenario: str, root: Path, kind: int = 0, nth: int = 0, code: int = 0) -> tuple[bool, bool]:
    """Run it; whether it came to its end, and whether what was to fail did."""
    recorder = ctypes.CDLL(None)
    root.mkdir()
    log = root.with_name(f"{root.name}.record")
    if recorder.recorder_begin(os.fsencode(log), os.fsencode(root), kind, nth, code) < 0:
        raise OSError("no record can be made")
    try:
        SCENARIOS[scenario].run(root, lambda text: recorder.recorder_mark(text.encode()))
        done = True
    except (WeftError, OSError) as error:
        print(f"{scenario}: {error}", file=sys.stderr)
        done = False
    return done, bool(recorder.recorder_end())


def _failing(scenario: str, root: Path, kind: str, code: str, nth: int) -> list[str]:
    """One run with one failure, and what is wrong with what it leaves, at once and after a power cut."""
    done, failed = _recorded(scenario, root, KINDS[kind], nth, CODES[code])
    if not failed:
        return []
    events = read_record(root.with_name(f"{root.name}.record"))
    [(disk, marked)] = _states(root, events, [len(events)])
    marked["failed"] = True
    image = root.with_name(f"{root.name}.image")
    disk.image(image, Random(nth))
    found = [
        f"power cut after it ({'done' if done else 'failed'}): {line}" for line in problems(scenario, image, marked)
    ]
    return found + [f"({'done' if done else 'failed'}) {line}" for line in problems(scenario, root, marked)]


def _fork(work: Any) -> Any:  # noqa: ANN401
    """What ``work`` gives in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.write(writing, json.dumps(work()).encode()[:60_000])
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        return ["the process died"]
    return json.loads(said)


def _job(root: Path, scenario: str, fault: str, kind: str, code: str, nth: int) -> list[str]:
    """Record a scenario, or let one write or sync of it fail; what is wrong."""
    with ExitStack() as stack:
        stack.enter_context(small_checkpoints())
        _plant(stack, fault)
        if kind:
            return _failing(scenario, root, kind, code, nth)
        return [] if _recorded(scenario, root)[0] else ["it failed"]


def _main(folder: Path, jobs: Sequence[tuple[str, str, str, str, int]]) -> None:
    for number, job in enumerate(jobs):
        print(json.dumps(_fork(lambda: _job(folder / str(number), *job))), flush=True)  # noqa: B023


# In the process that asks for it.


def _start(recorder: Path, folder: Path, jobs: Sequence[tuple[str, str, str, str, int]]) -> list[list[str]]:
    """What is wrong after each job; its files are below the folder, under its number."""
    folder.mkdir()
    (folder / "jobs").write_text(json.dumps(jobs))
    env = {**os.environ, "LD_PRELOAD": str(recorder)}
    command = [sys.executable, "-m", "tests.powercut.running", str(folder)]
    ran = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=7200)
    return [json.loads(line) for line in ran.stdout.splitlines()]


class Recording(NamedTuple):
    """What a scenario did below a folder."""

    scenario: str
    root: Path
    events: list[Event]


def record(recorder: Path, folder: Path, scenarios: Sequence[tuple[str, str]]) -> list[Recording]:
    """Record scenarios, each with a fault that is planted or none (""), below a folder that is not there yet."""
    found = _start(recorder, folder, [(scenario, fault, "", "", 0) for scenario, fault in scenarios])
    assert found == [[]] * len(scenarios), found
    return [
        Recording(scenario, folder / str(number), read_record(folder / f"{number}.record"))
        for number, (scenario, _) in enumerate(scenarios)
    ]


class Failure(NamedTuple):
    """A write or a sync that failed, and what was wrong afterwards."""

    scenario: str
    kind: str
    code: str
    nth: int
    found: list[str]


def fail(recorder: Path, folder: Path, failures: Sequence[tuple[str, str, str, int]]) -> list[Failure]:
    """Run scenarios again and again, each time with one failure: (scenario, kind, code, which)."""
    found = _start(recorder, folder, [(scenario, "", *rest) for scenario, *rest in failures])  # type: ignore[misc]
    return [Failure(*failure, wrong) for failure, wrong in zip(failures, found, strict=True)]


def cuts(recording: Recording, count: int, seed: int) -> Iterator[list[str]]:
    """What is wrong after each of so many power cuts, at any moments; some images are worked with for longer."""
    scenario, root, events = recording
    random = Random(seed)
    for first in range(0, count, _ROUND):
        moments = sorted(random.randrange(len(events) + 1) for _ in range(min(_ROUND, count - first)))
        for number, (disk, marked) in enumerate(_states(root, events, moments)):
            image = root.with_name(f"{root.name}.{number}")
            disk.image(image, random)
            yield problems(scenario, image, {**marked, "again": number % 4 == 0})
            shutil.rmtree(image)


def _states(root: Path, events: Sequence[Event], moments: Sequence[int]) -> Iterator[tuple[Disk, dict[str, Any]]]:
    """The disk, and what was acknowledged, after so many events; ``moments`` ascend."""
    disk, marked, done = Disk(root), {}, 0
    for moment in moments:
        for event in events[done:moment]:
            if event.kind == "!":
                marked = json.loads(event.data)
            else:
                disk.play(event)
        done = moment
        yield disk, marked


if __name__ == "__main__":
    _main(Path(sys.argv[1]), json.loads(Path(sys.argv[1], "jobs").read_text()))
