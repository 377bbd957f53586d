"""A contender: something that does one of the tasks that Weft does."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.command_runner import Work
from tests.bench.corpora import Corpus

TASKS = {
    "threads": "threads of one mbox, nothing kept",
    "index": "an index of one mbox, made for the first time",
    "again": "all threads out of an index that is there",
}

SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where daemons lie, which a user's PATH may not name."""


@dataclass(frozen=True, slots=True)
class Contender:
    """``name``     what ``--only`` takes
    ``title``    what it does, as the table says it
    ``task``     a key of `TASKS`
    ``needs``    programs (or, with a slash, files) that have to be there, and Python modules as ``module:NAME``
    ``install``  how to get them
    ``prepare``  makes what the run needs in a folder, and says how it is run; not measured
    ``more``     what it does beyond the task, or less
    ``limit``    a limit of the machine rather than a peer
    """

    name: str
    title: str
    task: str
    needs: tuple[str, ...]
    install: str
    prepare: Callable[[Corpus, Path], Work]
    more: str = ""
    limit: bool = False

    def missing(self) -> list[str]:
        """What it needs and is not there."""
        return [need for need in self.needs if not _is_there(need)]


def program(name: str) -> str:
    """Where a program lies, also if only root has it in the PATH; its name if it is not there."""
    return shutil.which(name) or shutil.which(name, path=":".join(SYSTEM)) or name


def bytes_below(*places: Path) -> int:
    """The sizes of files and of all files in folders, added up."""
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*"))]
    return sum(path.stat().st_size for path in files if path.is_file())


def _is_there(need: str) -> bool:
    if need.startswith("module:"):
        return importlib.util.find_spec(need.removeprefix("module:")) is not None
    return Path(need).exists() if "/" in need else Path(program(need)).is_absolute()
