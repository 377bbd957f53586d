"""What stands above every table: when, on what shape of machine, with which command.  Nothing of it names anybody."""

from __future__ import annotations

import datetime
import os
import platform
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """The shape of this machine; ``memory`` in bytes."""

    date: str
    cores: int
    processor: str
    memory: int
    system: str
    python: str
    command: str

    def __str__(self) -> str:
        return (
            f"{self.date}: {self.cores} cores ({self.processor}), {self.memory / 2**30:.0f} GiB of memory, "
            f"{self.system}, {self.python}; {self.command}"
        )


def this_machine() -> Machine:
    """As the operating system describes it."""
    return Machine(
        datetime.datetime.now(datetime.UTC).date().isoformat(),
        len(os.sched_getaffinity(0)),
        _processor(),
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        platform.system(),
        f"Python {platform.python_version()}",
        shlex.join(["python", "-m", "tests.bench", *_without_paths(sys.argv[1:])]),
    )


def _processor() -> str:
    """The family of the processor."""
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    name = found[1] if found else platform.machine()
    return re.sub(r"\s+", " ", re.sub(r"\(R\)|\(TM\)|CPU|Processor|@.*", " ", name)).strip()


def _without_paths(arguments: list[str]) -> list[str]:
    """Where files lie here is nobody's business."""
    return [Path(argument).name if "/" in argument else argument for argument in arguments]
