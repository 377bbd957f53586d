"""Running the tests of one planted fault on a changed copy of the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.table import Mutant

ROOT = Path(__file__).parents[2]
_ENDED = (0, 1)
"""pytest: all passed, some failed.  Anything else is a mistake in the table."""


def changed(mutant: Mutant, source: Path) -> str:
    """The text of its file with the fault in it; `ValueError` unless the place is there, once."""
    text = (source / mutant.path).read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: {mutant.path} has {text.count(mutant.old)} places of {mutant.old!r}, not one")
    return text.replace(mutant.old, mutant.new)


def survives(mutant: Mutant, tests: Sequence[str] = ()) -> bool:
    """Whether all the tests that concern it pass with the fault in place."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "weft"
        shutil.copytree(ROOT / "src" / "weft", copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / mutant.path).write_text(changed(mutant, ROOT / "src" / "weft"))
        where = [str(ROOT / "tests" / test) for test in tests or mutant.tests]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *where],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": folder}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if ran.returncode not in _ENDED:
        raise RuntimeError(f"{mutant.name}: the tests do not run\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 0
