"""Scanning sources, in this process or in others: they scan while this one weaves.

Theory of operation
-------------------
For more than a few megabytes one more process scans.  It answers on a pipe with frames of `marshal` data, ``(source,
list, records, notes, newest year)``, a few hundred records each, and goes on for some megabytes while nobody reads them
(`weft._workers.FrameQueue`), as when an index writes.  Who does not care in which order messages come gets them faster:
then this process scans too whenever no frame waits for it, and there may be more than one other.  The mail is cut into
shares of some megabytes, a big mbox at its messages; the numbers of the shares lie in one more pipe, and whoever is
ready takes the next one.

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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import FileIO
from types import FunctionType
from typing import Any

from weft._workers import Child, FrameQueue, fork, is_alone, read_frame
from weft.errors import SourceError
from weft.sources.interface import Note, Notes, RecordMaker, Source, T
from weft.sources.lists import SeveralLists, refuse_shared_lists
from weft.sources.mbox import MboxFile
from weft.sources.newest_year import NewestYear
from weft.sources.standard_input import StandardInput

_BATCH = 400
_MARSHAL = 2
"""The version without references to equal objects: looking for them costs more than they do."""
_WORTH_A_PROCESS = 8 << 20
_WORTH_ANOTHER = 32 << 20
"""So much mail for each process after the second."""
_MOST = 4
"""With more, this one would only take what the others find."""
_SHARES = 32
_LEAST_SHARE = 1 << 20
_UNFOLDS = 8
"""So many bytes are thought to come out of one of a compressed file."""
_TICKET = 4

Work = list[tuple[int, Source]]
"""What one process scans: sources, or parts of them, with the index of each."""
Batch = tuple[int, str, list[T]]
"""The index of a source, the list that some of its messages belong to, and what was made of them."""


def scan(
    sources: Sequence[Source],
    notes: Notes,
    make: RecordMaker[T],
    processes: int | None = None,
    *,
    ordered: bool = True,
    newest: NewestYear | None = None,
) -> Iterator[Batch[T]]:
    """What ``make``, a function of a module, makes of all messages of all sources: (index, list, some of them).

    ``processes``: 1 scans here, 2 in another process; None decides by the size of the mail and the number of cores.
    Without ``ordered`` messages come in any order, 2 scans here and in another process, and more are possible.
    ``newest``: finds the newest year, for which ``make`` has an argument of this name.
    """
    if any(isinstance(getattr(source, "source", source), StandardInput) for source in sources):
        processes = 1  # it can be read once, and what it keeps for `fetch` has to be here
    elif processes is None:
        processes = _worth(sources)
    shared = sum(isinstance(source, SeveralLists) and source.named_by_place for source in sources) > 1
    batches = _scan(list(enumerate(sources)), notes, make, processes, newest, ordered=ordered or shared)
    return refuse_shared_lists(batches, sources, notes) if shared else batches


def _scan(
    work: Work, notes: Notes, make: RecordMaker[T], processes: int, newest: NewestYear | None, *, ordered: bool
) -> Iterator[Batch[T]]:
    if processes == 1:
        return _scan_here(work, notes, _finding(make, newest))
    if not is_alone():
        return _gather([_start(work, make, newest)], notes, newest)
    if ordered:
        return _gather([fork(partial(answer, work, make, newest))], notes, newest)
    return _share_out(_shares(work), notes, make, newest, processes - 1)


def _worth(sources: Sequence[Source]) -> int:
    """How many processes that much mail is worth."""
    size = sum(source.size for source in sources)
    return min(os.cpu_count() or 1, _MOST, 2 + size // _WORTH_ANOTHER if size > _WORTH_A_PROCESS else 1)


def _shares(work: Work) -> list[Work]:
    """The work in shares of about the same size, the largest of what cannot be cut first."""
    least = max(_LEAST_SHARE, sum(source.size for _, source in work) // _SHARES)
    pieces: Work = []
    for index, source in work:
        parts = source.parts(least) if isinstance(source, MboxFile) else [source]
        pieces += [(index, part) for part in parts]
    shares: list[Work] = []
    load = least
    for piece in sorted(pieces, key=lambda piece: -_load(piece[1])):
        if load >= least:
            shares.append([])
            load = 0
        shares[-1].append(piece)
        load += _load(piece[1])
    return shares


def _load(source: Source) -> int:
    """About how many bytes have to be scanned."""
    return source.size * (_UNFOLDS if isinstance(source, MboxFile) and not source.is_plain() else 1)


def _share_out(
    shares: list[Work], notes: Notes, make: RecordMaker[T], newest: NewestYear | None, others: int
) -> Iterator[Batch[T]]:
    """Scan shares here and in other processes, in any order."""
    reading, writing = os.pipe()
    try:
        with FileIO(writing, "w") as tickets:
            tickets.write(b"".join(number.to_bytes(_TICKET, "big") for number in range(len(shares))))

        def taken() -> Iterator[tuple[int, Source]]:
            while ticket := os.read(reading, _TICKET):
                yield from shares[int.from_bytes(ticket, "big")]

        children: list[Child] = []
        with suppress(OSError):  # then with fewer
            for _ in range(min(others, len(shares) - 1)):
                children.append(fork(lambda file: answer(taken(), make, newest, file), reading))
        yield from _gather(children, notes, newest, _scan_here(taken(), notes, _finding(make, newest)))
    finally:
        os.close(reading)


def _finding(make: RecordMaker[T], newest: NewestYear | None) -> RecordMaker[T]:
    """``make`` with ``newest`` as the default of the argument of this name: `partial` would cost 2 % of a scan."""
    if newest is None:
        return make
    assert isinstance(make, FunctionType)
    bound = FunctionType(make.__code__, make.__globals__, make.__name__, make.__defaults__, make.__closure__)
    bound.__kwdefaults__ = {**(make.__kwdefaults__ or {}), "newest": newest}
    found: RecordMaker[T] = bound
    return found


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


def _scan_here(work: Iterable[tuple[int, Source]], notes: Notes, make: RecordMaker[T]) -> Iterator[Batch[T]]:
    for index, source in work:
        try:
            if isinstance(source, SeveralLists):
                yield from _by_list(index, source.scan_lists(notes, make))
            else:
                yield from _in_batches(index, source.list, source.scan(notes, make))
        except SourceError as error:
            notes(Note(source.path, None, str(error), 1))


def _in_batches(index: int, name: str, made: Iterator[T]) -> Iterator[Batch[T]]:
    batch: list[T] = []
    error = None
    try:
        for record in made:
            batch.append(record)
            if len(batch) == _BATCH:
                yield index, name, batch
                batch = []
    except SourceError as ended:
        error = ended
    if batch:
        yield index, name, batch
    if error:
        raise error


def _by_list(index: int, made: Iterator[tuple[str, T]]) -> Iterator[Batch[T]]:
    """The same of several lists, of which each has batches of its own."""
    batches: dict[str, list[T]] = {}
    count = 0
    for name, record in made:
        batches.setdefault(name, []).append(record)
        count += 1
        if count == _BATCH:
            yield from ((index, name, batch) for name, batch in batches.items())
            batches, count = {}, 0
    yield from ((index, name, batch) for name, batch in batches.items())


def _start(work: Work, make: RecordMaker[T], newest: NewestYear | None) -> Child:
    import pickle  # the other ways need neither
    import subprocess

    command = [sys.executable, "-m", "weft.sources.parallel_scan"]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin is not None
    assert isinstance(process.stdout, FileIO)
    with process.stdin as requests:
        requests.write(pickle.dumps([sys.path, work, make, newest]))

    def end() -> None:
        process.kill()
        process.wait()

    return Child(process.stdout, process.pid, end)


def _gather(
    children: list[Child], notes: Notes, newest: NewestYear | None, here: Iterator[Batch[Any]] | None = None
) -> Iterator[Batch[Any]]:
    """The frames of some processes, as they come; while none waits, the batches of ``here``."""
    running = {child.answers for child in children}
    try:
        while running or here:
            ready, _, _ = select.select(list(running), [], [], 0 if here else None)
            if here and not ready:
                scanned = next(here, None)
                if scanned:
                    yield scanned
                else:
                    here = None
            for answers in ready:
                frame = read_frame(answers)
                if frame is None:
                    running.remove(answers)
                    continue
                index, name, batch, noted, year = marshal.loads(frame)  # noqa: S302 - written by our own child
                if newest is not None:
                    newest.raise_to(year)
                for note in noted:
                    notes(Note(*note))
                if batch:
                    yield index, name, batch
    except EOFError as error:
        raise SourceError("a process that reads the mail died; is there enough memory?") from error
    finally:
        for child in children:
            child.end()
            child.answers.close()


def answer(
    work: Iterable[tuple[int, Source]], make: RecordMaker[Any], newest: NewestYear | None, answers: FileIO
) -> None:
    """What a process that scans does: answer in frames, and end with an empty one.  ``make`` finds ``newest``."""
    outbox = FrameQueue(answers)
    noted: list[tuple[str, int | None, str, int, str, bool]] = []

    def send(index: int, name: str, batch: list[object]) -> None:
        outbox.put(marshal.dumps((index, name, batch, noted, newest.year if newest else 0), _MARSHAL))
        noted.clear()

    def note(what: Note) -> None:
        noted.append((what.path, what.offset, what.reason, what.skipped, what.doubt, what.quiet))
        if len(noted) >= _BATCH:
            send(0, "", [])

    with collector_paused():
        for index, name, batch in _scan_here(work, note, _finding(make, newest)):
            send(index, name, batch)
    send(0, "", [])
    outbox.close()


def main() -> None:
    """The process that `_start` makes."""
    import pickle

    path, work, make, newest = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our own parent
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    try:
        answer(work, make, newest, FileIO(sys.stdout.fileno(), "w", closefd=False))
    except BrokenPipeError:  # the parent has seen enough
        os._exit(1)


if __name__ == "__main__":
    main()
