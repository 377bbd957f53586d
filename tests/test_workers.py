"""What forks make together is what one process makes, whoever of them dies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import pytest

from weft import _workers
from weft._workers import FrameQueue, in_turns, read_frame

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
"""Whoever runs the tests may have threads; they hold no lock that a fork of ours needs."""


def piece(number: int) -> bytes:
    """Some pieces are empty, some larger than a pipe."""
    return b"%d," % number * (number % 5) * (1 if number % 7 else 100_000)


@pytest.mark.parametrize("processes", [1, 2, 3, 30])
def test_pieces_come_in_order_from_any_number_of_processes(processes: int) -> None:
    assert list(in_turns(piece, 23, processes)) == [piece(number) for number in range(23)]
    assert list(in_turns(piece, 0, processes)) == []


def test_each_process_makes_its_share() -> None:
    makers = [bytes(made) for made in in_turns(lambda _: b"%d" % os.getpid(), 6, 3)]
    assert makers == makers[:3] * 2
    assert len(set(makers)) == 3
    assert int(makers[0]) == os.getpid()


def test_what_a_dead_process_owes_is_made_here() -> None:
    here = os.getpid()

    def make(number: int) -> bytes:
        if number == 5 and os.getpid() != here:
            os._exit(9)
        return b"%d" % number

    assert b"".join(in_turns(make, 10, 2)) == b"0123456789"


def test_an_error_in_another_process_is_raised_here() -> None:
    def make(number: int) -> bytes:
        if number == 3:
            raise ValueError("three")
        return b"%d" % number

    pieces = in_turns(make, 10, 2)
    assert [next(pieces) for _ in range(3)] == [b"0", b"1", b"2"]
    with pytest.raises(ValueError, match="three"):
        next(pieces)


def test_without_forks_one_process_makes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", fail)
    before = open_files()
    assert b"".join(in_turns(lambda number: b"%d" % number, 10, 3)) == b"0123456789"
    assert open_files() == before


def test_whoever_stops_early_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    children = []
    start: Callable[..., _workers.Child] = _workers.fork

    def fork(*arguments: Callable[..., None]) -> _workers.Child:
        children.append(start(*arguments))
        return children[-1]

    monkeypatch.setattr(_workers, "fork", fork)
    pieces = in_turns(piece, 100, 3)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert len(children) == 2
    for child in children:
        assert child.answers.closed
        with pytest.raises(ProcessLookupError):
            os.kill(child.number, 0)


def test_a_child_makes_more_than_a_pipe_holds_while_nobody_reads(tmp_path: Path) -> None:
    frames = [b"%d" % number * (1 << 20) for number in range(4)]
    made = tmp_path / "made"

    def answer(file: FileIO) -> None:
        outbox = FrameQueue(file)
        for frame in frames:
            outbox.put(frame)
        made.touch()
        outbox.close()

    child = _workers.fork(answer)
    try:
        while not made.exists():
            time.sleep(0.001)
        assert list(iter(lambda: read_frame(child.answers), None)) == frames
    finally:
        child.end()
        child.answers.close()


def test_no_more_than_the_bound_waits_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_workers, "_AHEAD", 1 << 18)
    reading, writing = os.pipe()
    read = []

    def wait(*_: list[FileIO]) -> None:
        read.append(os.read(reading, 1 << 16))

    monkeypatch.setattr("select.select", wait)
    with FileIO(reading), FileIO(writing, "w") as file:
        outbox = FrameQueue(file)
        outbox.put(bytes(1 << 20))
        assert sum(map(len, read)) >= (1 << 20) - (1 << 18) - (1 << 16)
        outbox.put(b"x")
        outbox.close()
        data = b"".join(read) + os.read(reading, 1 << 16)
    assert data == b"".join(
        (n.to_bytes(8, "big") + part for n, part in ((1 << 20, bytes(1 << 20)), (1, b"x"), (0, b"")))
    )


def open_files() -> set[str]:
    """The numbers of the descriptors that are open."""
    return {path.name for path in Path("/proc/self/fd").iterdir() if path.exists()}
