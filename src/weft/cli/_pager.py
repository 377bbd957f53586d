"""``$PAGER``, as other tools that print more than a screen use it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from weft.cli._output import on_terminal


def pager() -> str | None:
    """The command line of the pager: ``$PAGER``, else less; None where stdout is no terminal, or there is no pager."""
    if not on_terminal():
        return None
    chosen = os.environ.get("PAGER", "" if os.environ.get("TERM", "dumb") == "dumb" else "less")
    with suppress(ValueError):  # an open quote
        words = shlex.split(chosen)
        if words and shutil.which(words[0]):
            return chosen
    return None


@contextmanager
def through(command: str) -> Iterator[BinaryIO]:
    """The input of a pager, which may be closed by its user at any time; waits until the user has left it."""
    env = {"LESS": "FRX", **os.environ}
    process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env=env)  # noqa: S602 - the user's own
    assert process.stdin is not None
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the pager's to answer
    try:
        with suppress(BrokenPipeError), process.stdin:
            yield process.stdin  # type: ignore[misc]
    finally:
        process.wait()
        signal.signal(signal.SIGINT, before)
