"""Mail readers: a thread as a mailbox in a file of its own, opened in mutt or another program.

The mailbox is a temporary file for its owner alone, which is gone when the reader has ended; what the reader writes
into it is lost.  Nothing that stands in mail becomes a part of the command line.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from weft.errors import UsageError, WeftError

PLACE = "{}"
READERS = {
    "mutt": "mutt -R -e 'set sort=threads' -f {}",
    "neomutt": "neomutt -R -e 'set sort=threads' -f {}",
    "aerc": "aerc mbox:{}",
    "less": "less {}",
}
"""The command lines of readers; ``{}`` stands for the file."""


def reader_words(name: str) -> list[str]:
    """The command line of a reader, or the one that ``name`` is, if ``{}`` stands in it.

    `UsageError` if there is no such reader, and `WeftError` if it is not installed.
    """
    line = READERS.get(name, name)
    if PLACE not in line:
        known = ", ".join(READERS)
        raise UsageError(f"{name!r} is not a reader: give {known}, or a command line with {PLACE} for the mailbox")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{name!r} is not a command line: {error}") from None
    if shutil.which(words[0]) is None:
        raise WeftError(f"{words[0]} is not installed, or not in PATH; give another reader with --in")
    return words


def open_in(words: list[str], write: Callable[[BinaryIO], None]) -> int:
    """Run a reader on a mailbox that ``write`` fills; its exit code."""
    with TemporaryDirectory(prefix="weft-") as folder:
        mailbox = Path(folder) / "thread.mbox"
        with mailbox.open("xb") as file:
            write(file)
        sys.stdout.flush()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the reader's to answer
        try:
            place = str(mailbox)
            ran = subprocess.run([word.replace(PLACE, place) for word in words], check=False)  # noqa: S603 - the user's own
            return ran.returncode
        finally:
            signal.signal(signal.SIGINT, before)
