"""Scanning sources, in this process or in a second one: one scans while the other weaves.

Theory of operation
-------------------
For more than a few megabytes a second Python process runs `worker`: it gets the sources, pickled, on one pipe and
answers on another with frames of `marshal` data, ``(source, records, notes)``, a few hundred records each.  A process
of its own rather than a fork, so that a program with threads may call us; a pipe between parent and child only, so
both codecs see nothing that is not ours.
"""

from __future__ import annotations

import gc
import marshal
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

from weft.errors import SourceError
from weft.sources.base import Make, Note, Notes, Source, T
from weft.sources.mbox import MboxStdin

_BATCH = 400
_MARSHAL = 2
"""The version without references to equal objects: looking for them costs more than they do."""
_WORTH_A_PROCESS = 8 << 20


def scan(
    sources: Sequence[Source], notes: Notes, make: Make[T], processes: int | None = None
) -> Iterator[tuple[int, list[T]]]:
    """What ``make``, a function of a module, makes of all messages of all sources: (index of the source, some of them).

    ``processes``: 1 scans here, 2 in a second process; None decides by the size of the mail and the number of cores.
    """
    if processes is None:
        worth = sum(source.size for source in sources) > _WORTH_A_PROCESS and (os.cpu_count() or 1) > 1
        processes = 2 if worth and not any(isinstance(source, MboxStdin) for source in sources) else 1
    return _scan_there(sources, notes, make) if processes > 1 else _scan_here(sources, notes, make)


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


def _scan_here(sources: Sequence[Source], notes: Notes, make: Make[T]) -> Iterator[tuple[int, list[T]]]:
    for index, source in enumerate(sources):
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


def _scan_there(sources: Sequence[Source], notes: Notes, make: Make[T]) -> Iterator[tuple[int, list[T]]]:
    import subprocess  # the second process does not need it

    command = [sys.executable, "-m", "weft.sources.pipeline"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ourselves
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(pickle.dumps([sys.path, sources, make]))
            process.stdin.close()
            while frame := _read_frame(process.stdout):
                index, batch, noted = frame
                for note in noted:
                    notes(Note(*note))
                if batch:
                    yield index, batch
        except (BrokenPipeError, EOFError) as error:
            raise SourceError("the process that reads the mail died; is there enough memory?") from error
        finally:
            process.kill()


def _read_frame(file: IO[bytes]) -> tuple[int, list[Any], list[tuple[str, int | None, str, int]]] | None:
    """The next frame; None at the proper end; EOFError if the other side died."""
    size = int.from_bytes(_exactly(file, 8), "big")
    return marshal.loads(_exactly(file, size)) if size else None  # noqa: S302 - written by our own child


def _exactly(file: IO[bytes], size: int) -> bytes:
    octets = file.read(size)
    if len(octets) != size:
        raise EOFError
    return octets


def worker(requests: BinaryIO, answers: BinaryIO) -> None:
    """The second process: scan what ``requests`` names, answer in frames, end with an empty one."""
    path, sources, make = pickle.loads(requests.read())  # noqa: S301 - written by our own parent
    sys.path[:] = path
    noted: list[tuple[str, int | None, str, int]] = []

    def send(index: int, batch: list[object]) -> None:
        frame = marshal.dumps((index, batch, noted), _MARSHAL)
        answers.write(len(frame).to_bytes(8, "big") + frame)
        noted.clear()

    def note(what: Note) -> None:
        noted.append((what.path, what.offset, what.reason, what.skipped))

    with collector_paused():
        for index, batch in _scan_here(sources, note, make):
            send(index, batch)
    send(0, [])
    answers.write(bytes(8))
    answers.flush()


if __name__ == "__main__":
    worker(sys.stdin.buffer, sys.stdout.buffer)
