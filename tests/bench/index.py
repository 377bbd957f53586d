"""``python -m tests.bench.index``: what an index costs: CPU and bytes a message, small additions, threads, memory.

Each measurement runs in a process of its own; CPU is that of the process and its children, the least of two runs.  The
machine is measured too, by a loop of pure Python, before and after: on a busy machine all of it takes longer.

Others are compared by hand, on the same mbox, if they are installed: ``doveadm import`` and ``doveadm index`` into a
Maildir or mdbox of Dovecot, and ``public-inbox-init`` with ``public-inbox-index`` after the mail was put into git;
``time`` gives their CPU, ``du`` their bytes beside the mail itself.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.bench.resource_usage import best, run, weft
from tests.factories import mail
from tests.generate import write_mboxes
from weft import Index

_ADDED = 1000
_ROUNDS = 8_000_000


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--big", type=int, default=0, help="Also add to an index of so many messages.")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        INSIDE[arguments.inside](arguments.index, arguments.paths)
        return
    print(f"calibration: {calibrate():.2f} s CPU for {_ROUNDS} rounds of a loop")
    with tempfile.TemporaryDirectory() as folder:
        fresh(Path(folder), arguments.messages)
        threads(Path(folder))
        if arguments.big:
            big(Path(folder) / "big", arguments.big)
    print(f"calibration: {calibrate():.2f} s CPU for {_ROUNDS} rounds of a loop")


def calibrate() -> float:
    """CPU seconds of a fixed amount of pure Python: the least of three."""
    return min(_loop() for _ in range(3))


def _loop() -> float:
    started, total = time.process_time(), 0
    for number in range(_ROUNDS):
        total += number & 7
    return time.process_time() - started


def fresh(folder: Path, messages: int) -> None:
    """Ingest an archive into an index that is not there yet."""
    [file] = write_mboxes(folder / "mail", messages, 1, 1)
    usages = []
    for number in range(2):
        index = folder / f"{number}.db"
        usages.append(run([*weft("ingest", "--quiet", "--index", str(index)), f"list={file}"]))
        assert usages[-1].code == 0
    usage = best(usages)
    print(f"ingest of {messages} messages ({file.stat().st_size >> 20} MiB):")
    print(f"  {usage.cpu / messages * 1e6:.1f} µs CPU a message (limit 60), {usage.wall:.1f} s")
    print(f"  {usage.memory >> 20} MiB at the peak of the larger process")
    print(f"  {inside('sizes', folder / '0.db')}")
    print(f"  without signing and scanning, the view alone: {inside('remake', folder / '0.db')} µs a claim")
    before = inside("cpu", folder / "0.db", f"list={file}")
    print(f"  nothing new: {before} s CPU")
    added = write_mboxes(folder / "added", _ADDED, 1, 2)[0]
    print(f"  adding {_ADDED} messages: {inside('cpu', folder / '0.db', f'list={added}')} s CPU")


def threads(folder: Path) -> None:
    """Threads of some sizes, read when they were read before."""
    file = folder / "threads.mbox"
    with file.open("wb") as opened:
        for size in (10, 1000):
            opened.writelines(conversation(size))
    assert run([*weft("ingest", "--quiet", "--index", str(folder / "0.db")), f"list={file}"]).code == 0
    for size, limit in ((10, 1), (1000, 30)):
        took = inside("thread", folder / "0.db", f"{size}.0@bench.example")
        print(f"thread of {size} messages: {took} ms warm (limit {limit})")


def conversation(size: int) -> Iterator[bytes]:
    """A thread: each message answers one of those before it, with the References of its chain."""
    random, chains = Random(size), [[f"{size}.0@bench.example"]]
    for number in range(size):
        above = random.choice(chains[-20:]) if number else []
        own = f"{size}.{number}@bench.example"
        if number:
            chains.append([*above[-20:], own])
        headers = [f"From: Somebody {number} <s{number}@bench.example>", "Date: Sun, 9 Feb 2003 22:52:25 -0500"]
        yield mail(own, above[-20:], subject=f"Re: a thread of {size}", headers=headers)


def big(folder: Path, messages: int) -> None:
    """Add to a large index."""
    files = write_mboxes(folder / "mail", messages, 1, 3)
    index = folder / "big.db"
    usage = run([*weft("ingest", "--quiet", "--index", str(index)), f"list={files[0]}"])
    assert usage.code == 0
    print(f"ingest of {messages} messages: {usage.cpu / messages * 1e6:.1f} µs CPU a message, {usage.memory >> 20} MiB")
    print(f"  {inside('sizes', index)}")
    for number in range(3):
        added = write_mboxes(folder / f"added{number}", _ADDED, 1, 10 + number)[0]
        print(f"  adding {_ADDED} messages: {inside('cpu', index, f'list={added}')} s CPU (limit 0.3)")


def inside(what: str, index: Path, *paths: str) -> str:
    """Measure something in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.index", "--inside", what, "--index", str(index), *paths]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return str(json.loads(done.stdout))


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def add(path: Path, paths: list[str]) -> None:
    """CPU seconds of opening an index and ingesting; without the start of the interpreter."""
    started = _cpu()
    with Index.open(path) as index:
        for argument in paths:
            name, _, file = argument.partition("=")
            index.ingest(name, file)
    print(json.dumps(round(_cpu() - started, 3)))


def remake(path: Path, _: list[str]) -> None:
    """CPU microseconds a claim of making the view again from the log."""
    with Index.open(path) as index:
        started = _cpu()
        index._view.remake()
        print(json.dumps(round((_cpu() - started) / index.store.position() * 1e6, 1)))


def sizes(path: Path, _: list[str]) -> None:
    """Octets a message: of the file, of the claims in it, and of the rest."""
    with Index.open(path) as index:
        connection = index.store.connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(claims, data)] = connection.execute("SELECT count(*), sum(length(octets)) FROM claims").fetchall()
        total = os.stat(path).st_size
        beside = (total - data) / claims
        print(json.dumps(f"{data / claims:.0f} bytes of claims a message, {beside:.0f} beside (limit 300)"))


def thread(path: Path, names: list[str]) -> None:
    """Milliseconds of CPU of reading a thread: the least of some runs."""
    with Index.open(path) as index:
        index.thread(names[0])
        runs = []
        for _ in range(20):
            started = time.process_time()
            index.thread(names[0])
            runs.append(time.process_time() - started)
        print(json.dumps(round(min(runs) * 1e3, 2)))


INSIDE: dict[str, Callable[[Path, list[str]], None]] = {
    "cpu": add, "remake": remake, "sizes": sizes, "thread": thread,
}  # fmt: skip


if __name__ == "__main__":
    main()
