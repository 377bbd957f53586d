"""Other processes of this program, for more than one core: forks that answer on pipes, in frames.

Theory of operation
-------------------
A process that has one thread can fork, which costs nothing and hands over all that it knows; a fork of one with threads
may find a lock that nobody will open (`is_alone`).  A frame is its length in eight bytes and its bytes; the empty one
is the last.  All pipes are between parent and child, so nothing in them is not ours.  What a child would print or leave
behind is not its business: it ends without Python's farewell, and its parent ends it in any case.

`in_turns` makes one sequence in several processes: each makes every n-th piece, so none runs far ahead of what is
written, and the pieces that wait lie in the pipes.  What a child cannot make its parent makes itself: so an error is
raised where it can be seen.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from itertools import pairwise

_PIPE = 1 << 20
"""So much of an answer may wait until the parent has time for it."""
_AHEAD = 8 << 20
"""So much more may wait in the child that makes it (`FrameQueue`)."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that answers: its pipe, its number, and how to end it."""

    answers: FileIO
    number: int
    end: Callable[[], None]


def is_alone() -> bool:
    """Whether this process has one thread only, those of libraries counted; if that cannot be told, it has not."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names only
    except OSError:
        return False


def fork(answer: Callable[[FileIO], None], keep: int = -1) -> Child:
    """A fork of this process that does ``answer`` with its end of a pipe; ``keep``: a descriptor that it needs."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except BaseException:
        os.close(reading)
        os.close(writing)
        raise
    if not child:
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for lowest, highest in pairwise(sorted({2, keep, writing} - {-1})):
                os.closerange(lowest + 1, highest)
            answer(FileIO(writing, "w"))
            code = 0
        except BrokenPipeError:  # the parent has seen enough
            pass
        finally:
            os._exit(code)
    os.close(writing)
    with suppress(OSError, AttributeError):  # else it has room for less
        fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, _PIPE)
    return Child(FileIO(reading), child, lambda: _reap(child))


def _reap(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def read_frame(file: FileIO) -> bytearray | None:
    """The next frame; None at the proper end; EOFError if the other side died."""
    size = int.from_bytes(_exactly(file, 8), "big")
    return _exactly(file, size) if size else None


def _exactly(file: FileIO, size: int) -> bytearray:
    data = bytearray(size)
    with memoryview(data) as view:
        filled = 0
        while filled < size:
            got = file.readinto(view[filled:])
            if not got:
                raise EOFError
            filled += got
    return data


def write_frame(file: FileIO, data: bytes) -> None:
    """Write a frame; the empty one says that no other comes."""
    for part in (len(data).to_bytes(8, "big"), data):
        view = memoryview(part)
        while view:  # a pipe takes what it has room for
            view = view[file.write(view) :]


class FrameQueue:
    """Frames on their way to a parent that is busy for a while: what the pipe has no room for waits here."""

    def __init__(self, file: FileIO) -> None:
        os.set_blocking(file.fileno(), False)
        self._file = file
        self._waiting: deque[memoryview] = deque()
        self._bytes = 0

    def put(self, data: bytes) -> None:
        """Send a frame as far as there is room; return at once unless too much waits."""
        frame = len(data).to_bytes(8, "big") + data
        self._waiting.append(memoryview(frame))
        self._bytes += len(frame)
        self._send(_AHEAD)

    def close(self) -> None:
        """Send the frame that says that no other comes, and return when all are sent."""
        self.put(b"")
        self._send(0)

    def _send(self, most: int) -> None:
        """Send until the pipe is full, and then on until no more than ``most`` bytes wait."""
        while self._bytes:
            sent = self._file.write(self._waiting[0])
            if sent is None:
                if self._bytes <= most:
                    return
                select.select([], [self._file], [])
                continue
            self._bytes -= sent
            self._waiting[0] = self._waiting[0][sent:]
            if not self._waiting[0]:
                self._waiting.popleft()


def in_turns(make: Callable[[int], bytes], number: int, processes: int) -> Iterator[bytes | bytearray]:
    """``make(0)`` to ``make(number - 1)``, made in so many processes, this one included."""

    def answer(first: int, file: FileIO) -> None:
        for turn in range(first, number, processes):
            write_frame(file, make(turn))  # an empty piece is made a second time, by the parent

    children: list[Child] = []
    try:
        with suppress(OSError):  # then this one makes more
            for first in range(1, processes):
                children.append(fork(partial(answer, first)))
        for turn in range(number):
            which = turn % processes
            made = _made(children[which - 1]) if 0 < which <= len(children) else None
            yield make(turn) if made is None else made
    finally:
        for child in children:
            child.end()
            child.answers.close()


def _made(child: Child) -> bytearray | None:
    """The next piece that a child has made; None if it could not."""
    try:
        return read_frame(child.answers)
    except EOFError:
        return None
