"""The lower bound: compiles ``lower_bound.c``, and reads what it counts.

It is what a plain C program needs for the steps that no program can leave out: map the file, split it, find three
headers, intern the ids, link each to a parent.  Its counts have to be those of Weft, or it measures something else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("lower_bound.c")
_COUNTS = re.compile(r"(\d+) messages, (\d+) ids, (\d+) ghosts, (\d+) edges")


class Counts(NamedTuple):
    """What the C program counts; ``ids`` are those of messages."""

    messages: int
    ids: int
    ghosts: int
    edges: int


def compiled(folder: Path) -> Path:
    """The program, compiled into a folder."""
    target = folder / "lower_bound"
    if not target.exists() or target.stat().st_mtime < SOURCE.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([shutil.which("cc") or "cc", "-O2", "-o", str(target), str(SOURCE)], check=True, timeout=120)
    return target


def count(folder: Path, *mboxes: Path) -> Counts:
    """What it counts in some files."""
    command = [str(compiled(folder)), "thread", *map(str, mboxes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=600)
    found = _COUNTS.match(done.stdout)
    assert found is not None, done.stdout
    return Counts(*map(int, found.groups()))
