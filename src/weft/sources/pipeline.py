"""Scanning sources, in this process or in others: they scan while this one weaves.

Theory of operation
-------------------
For more than a few megabytes one more process scans, for more than that two, each half of the mail; a big mbox is cut
in two at a message.  They answer on pipes with frames of `marshal` data, ``(source, records, notes)``, a few hundred
records each.  In which order the frames of two processes come is chance, so only who does not care may ask for two.

A process that has one thread forks, which costs nothing.  One with threads starts a fresh interpreter, because a fork
of it may find a lock that nobody will open; the sources then go to it pickled.  All pipes are between parent and child,
so both codecs see nothing that is not ours.
"""

from __future__ import annotations

import gc
import marshal
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from typing import Any, BinaryIO

from weft.errors import SourceError
from weft.sources.base import Make, Note, Notes, Source, T
from weft.sources.mbox import MboxFile, MboxStdin

_BATCH = 400
_MARSHAL = 2
"""The version without references to equal objects: looking for them costs more than they do."""
_WORTH_A_PROCESS = 8 << 20
_WORTH_TWO = 32 << 20

Work = list[tuple[int, Source]]
"""What one process scans: sources, or parts of them, with the index of each."""


def scan(
    sources: Sequence[Source], notes: Notes, make: Make[T], processes: int | None = None, most: int = 2
) -> Iterator[tuple[int, list[T]]]:
    """What ``make``, a function of a module, makes of all messages of all sources: (index of the source, some of them).

    ``processes``: 1 scans here, 2 in another process, 3 in two others, where messages come in any order; None decides
    by the size of the mail and the number of cores, for at most ``most``.
    """
    if processes is None:
        processes = min(most, _worth(sources))
    work = list(enumerate(sources))
    if processes == 1:
        return _scan_here(work, notes, make)
    if not _is_alone():
        return _gather([_start(work, make)], notes)
    return _gather([_fork(share, make) for share in _shares(work, processes - 1)], notes)


def _worth(sources: Sequence[Source]) -> int:
    """How many processes that much mail is worth."""
    if any(isinstance(source, MboxStdin) for source in sources):
        return 1
    size = sum(source.size for source in sources)
    # Three on two cores are in each other's way: a million messages take half as much CPU time again.
    return min(os.cpu_count() or 1, 3 if size > _WORTH_TWO else 2 if size > _WORTH_A_PROCESS else 1)


def _shares(work: Work, number: int) -> list[Work]:
    """The work for ``number`` processes, about the same for each."""
    if number == 1:
        return [work]
    pieces: Work = []
    for index, source in work:
        parts = source.parts(_WORTH_TWO // 2) if isinstance(source, MboxFile) else [source]
        pieces += [(index, part) for part in parts]
    shares: list[Work] = [[] for _ in range(number)]
    loads = [0] * number
    for index, part in sorted(pieces, key=lambda piece: -_size(piece[1])):
        least = loads.index(min(loads))
        loads[least] += _size(part)
        shares[least].append((index, part))
    return [share for share in shares if share]


def _size(source: Source) -> int:
    return source.size // 2 if isinstance(source, MboxFile) and source.part else source.size


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector: records hold no cycles, and it looks at millions of them in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _scan_here(work: Work, notes: Notes, make: Make[T]) -> Iterator[tuple[int, list[T]]]:
    for index, source in work:
        batch: list[T] = []
        try:
            for record in source.scan(notes, make):
                batch.append(record)
                if len(batch) == _BATCH:
                    yield index, batch
                    batch = []
        except SourceError as error:
            notes(Note(source.path, None, str(error), 1))
        if batch:
            yield index, batch


@dataclass(frozen=True, slots=True)
class _Child:
    """A process that scans: its pipe, its number, and how to end it."""

    answers: FileIO
    number: int
    end: Callable[[], None]


def _is_alone() -> bool:
    """Whether this process has one thread only, those of libraries counted; if that cannot be told, it has not."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names only
    except OSError:
        return False


def _fork(work: Work, make: Make[T]) -> _Child:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.closerange(3, writing)
            answer(work, make, FileIO(writing, "w"))
            code = 0
        except BrokenPipeError:  # the parent has seen enough
            pass
        finally:
            os._exit(code)
    os.close(writing)
    return _Child(FileIO(reading), child, lambda: _reap(child))


def _reap(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _start(work: Work, make: Make[T]) -> _Child:
    import pickle  # the other ways need neither
    import subprocess

    command = [sys.executable, "-m", "weft.sources.pipeline"]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin is not None
    assert isinstance(process.stdout, FileIO)
    with process.stdin as requests:
        requests.write(pickle.dumps([sys.path, work, make]))

    def end() -> None:
        process.kill()
        process.wait()

    return _Child(process.stdout, process.pid, end)


def _gather(children: list[_Child], notes: Notes) -> Iterator[tuple[int, list[Any]]]:
    """The frames of some processes, as they come."""
    running = {child.answers for child in children}
    try:
        while running:
            ready, _, _ = select.select(list(running), [], [])
            for answers in ready:
                frame = _read_frame(answers)
                if frame is None:
                    running.remove(answers)
                    continue
                index, batch, noted = frame
                for note in noted:
                    notes(Note(*note))
                if batch:
                    yield index, batch
    except EOFError as error:
        raise SourceError("a process that reads the mail died; is there enough memory?") from error
    finally:
        for child in children:
            child.end()
            child.answers.close()


def _read_frame(file: FileIO) -> tuple[int, list[Any], list[tuple[str, int | None, str, int]]] | None:
    """The next frame; None at the proper end; EOFError if the other side died."""
    size = int.from_bytes(_exactly(file, 8), "big")
    return marshal.loads(_exactly(file, size)) if size else None  # noqa: S302 - written by our own child


def _exactly(file: FileIO, size: int) -> bytearray:
    octets = bytearray(size)
    with memoryview(octets) as view:
        filled = 0
        while filled < size:
            got = file.readinto(view[filled:])
            if not got:
                raise EOFError
            filled += got
    return octets


def answer(work: Work, make: Make[Any], answers: FileIO | BinaryIO) -> None:
    """What a process that scans does: answer in frames, and end with an empty one."""
    noted: list[tuple[str, int | None, str, int]] = []

    def send(index: int, batch: list[object]) -> None:
        frame = marshal.dumps((index, batch, noted), _MARSHAL)
        _write(answers, len(frame).to_bytes(8, "big") + frame)
        noted.clear()

    def note(what: Note) -> None:
        noted.append((what.path, what.offset, what.reason, what.skipped))

    with collector_paused():
        for index, batch in _scan_here(work, note, make):
            send(index, batch)
    send(0, [])
    _write(answers, bytes(8))


def _write(file: FileIO | BinaryIO, octets: bytes) -> None:
    """All of it: a pipe takes what it has room for."""
    view = memoryview(octets)
    while view:
        view = view[file.write(view) :]


def main() -> None:
    """The process that `_start` makes."""
    import pickle

    path, work, make = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our own parent
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    try:
        answer(work, make, sys.stdout.buffer)
        sys.stdout.flush()
    except BrokenPipeError:  # the parent has seen enough
        os._exit(1)


if __name__ == "__main__":
    main()
