"""Runs ``weft`` as people do: as a process of its own, with its streams and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.factories import FIXTURES, mail

__all__ = ["DRAFTS", "OPS", "ROOT", "Ran", "command", "environment", "mail", "start", "until", "weft"]

DRAFTS = FIXTURES / "story" / "drafts.mbox"
OPS = FIXTURES / "story" / "smtp-ops.mbox"
ROOT = "20030210035225.GA1107@aldgate.example.com"
"""The id of the root of the conversation in both."""

_WITHOUT = ("COLUMNS", "LINES", "NO_COLOR", "WEFT_DEBUG", "PYTHONIOENCODING")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: ``code``, what it printed, and the lines of its stderr."""

    code: int
    out: bytes
    err: list[str]

    @property
    def text(self) -> str:
        """What it printed, as UTF-8."""
        return self.out.decode()


def environment(**changes: str) -> dict[str, str]:
    """The environment of the tests, without what changes the output of a command, and with ``changes``."""
    kept = {name: value for name, value in os.environ.items() if name not in _WITHOUT}
    return {**kept, "LC_ALL": "C.UTF-8", "TERM": "xterm", **changes}


def command(*arguments: str | Path) -> list[str]:
    """The command line of ``weft`` with this Python."""
    return [sys.executable, "-m", "weft", *map(str, arguments)]


def weft(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] = {}) -> Ran:
    """Run ``weft`` to its end, with pipes for its streams; ``env`` is added to the `environment`."""
    done = subprocess.run(
        command(*arguments), input=stdin, capture_output=True, cwd=cwd, env=environment(**env), check=False, timeout=60
    )
    return Ran(done.returncode, done.stdout, done.stderr.decode().splitlines())


def start(*arguments: str | Path, cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """Start ``weft`` with pipes for its streams."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command(*arguments), stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, env=environment())


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until ``condition`` holds; fails if it does not within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
