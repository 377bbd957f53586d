"""Runs a command with all of its children, and says what they took: nothing of it can hang, ask or outlive the run.

Theory of operation
-------------------
A command gets a session of its own, a home in a folder of its own, and no input but what it is given.  This process
adopts what the command leaves behind (``PR_SET_CHILD_SUBREAPER``), waits for the whole process group and sums up its
CPU seconds, so that a peer that works in helpers pays for them.  Peak memory is the largest sum, over all of its
processes at one moment, of the memory that is theirs alone (anonymous and shared, no pages of files); it is looked at
every few milliseconds at first and ten times a second later, in a thread that also ends what takes too long.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pty
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_ADOPT = 36
_KEPT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Work:
    """A command to measure.

    ``given``      what it reads on its standard input, through a pipe; at most 64 KB
    ``terminal``   in a pseudo-terminal, which is read
    ``expect``     what its output, or what it says of errors, must hold; without it the output is thrown away
    ``accept``     exit codes of success
    ``clean``      done before each run, not measured
    ``size``     the size of the index after a run
    """

    command: Sequence[str]
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    given: bytes = b""
    terminal: bool = False
    expect: bytes = b""
    accept: tuple[int, ...] = (0,)
    clean: Callable[[], None] = lambda: None
    size: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took: seconds of CPU and of the clock, bytes at the peak; ``failure``: why it does not count."""

    cpu: float
    wall: float
    memory: int
    failure: str = ""


def run(work: Work, patience: float = 600.0) -> Run:
    """Run a command to its end, or for ``patience`` seconds."""
    ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
    work.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        child = _terminal(work, errors) if work.terminal else _start(work, output, errors)
        watch = _Watch(child.pid, started + patience)
        code, cpu = _wait(child.pid)
        wall = time.monotonic() - started
        child.returncode = code
        watch.stop()
        if watch.ended:
            return Run(cpu, wall, watch.peak, f"ended after {patience:.0f} s")
        return Run(cpu, wall, watch.peak, _failure(work, code, output, errors))


def environment(work: Work) -> dict[str, str]:
    """What the command knows of its surroundings: hardly anything of ours."""
    known = {name: os.environ[name] for name in _KEPT if name in os.environ}
    fixed = {
        "HOME": str(work.home), "USER": "bench", "LOGNAME": "bench", "LANG": "C.UTF-8", "TERM": "xterm",
        "TMPDIR": str(work.home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        "PYTHONPYCACHEPREFIX": str(work.home.parent / "bytecode"),
    }  # fmt: skip
    return known | fixed | dict(work.environment)


def _start(work: Work, output: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        work.command,
        stdin=subprocess.PIPE if work.given else subprocess.DEVNULL,
        stdout=output if work.expect else subprocess.DEVNULL,
        stderr=errors,
        env=environment(work),
        cwd=work.home,
        start_new_session=True,
    )
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(work.given)
    return child


def _terminal(work: Work, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start it as the leader of a session whose terminal a thread reads.

    What a session's leader opens first becomes its terminal; the shell does that, and then it is the command.
    """
    master, slave = pty.openpty()
    child = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <>"$0" >&0', os.ttyname(slave), *work.command],
        stdin=slave,
        stdout=slave,
        stderr=errors,
        env=environment(work),
        cwd=work.home,
        start_new_session=True,
    )
    os.close(slave)
    threading.Thread(target=_drain, args=(master,), daemon=True).start()
    return child


def _drain(master: int) -> None:
    with contextlib.suppress(OSError):  # EIO: nobody has it open any more
        while os.read(master, 1 << 16):
            pass
    os.close(master)


def _wait(group: int) -> tuple[int, float]:
    """Wait for all of a process group: the exit code of its leader, the CPU seconds of all."""
    code, cpu = 0, 0.0
    while True:
        try:
            pid, status, usage = os.wait4(-group, 0)
        except ChildProcessError:
            return code, cpu
        cpu += usage.ru_utime + usage.ru_stime
        if pid == group:
            code = os.waitstatus_to_exitcode(status)


class _Watch:
    """Looks at the memory of a session, and ends it when its time is over."""

    def __init__(self, session: int, deadline: float) -> None:
        self.peak = 0
        self.ended = False
        self._session, self._deadline = session, deadline
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The session has ended."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        pause = 0.004
        while not self._done.wait(pause):
            pids = list(_members(self._session))
            self.peak = max(self.peak, sum(map(_private, pids)))
            pause = min(pause * 1.1, 0.1)
            if time.monotonic() > self._deadline:
                self.ended = True
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def _members(session: int) -> Iterator[int]:
    """The processes of a session."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if int(Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()[3]) == session:
                    yield int(name)


def _private(pid: int) -> int:
    """The bytes of a process that are no file's; of a page that several have, each has its part."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return 0


def _failure(work: Work, code: int, output: IO[bytes], errors: IO[bytes]) -> str:
    """Why the run does not count, in one line; nothing if it does."""
    output.seek(0)
    errors.seek(0)
    complaints = errors.read()
    if code in work.accept and (work.expect in output.read() or work.expect in complaints):
        return ""
    said = complaints.decode("utf-8", "replace").strip().splitlines() or [""]
    what = f"exit code {code}" if code not in work.accept else f"did not print {work.expect.decode()!r}"
    return f"{what}: {said[-1][:200]}".rstrip(": ")
