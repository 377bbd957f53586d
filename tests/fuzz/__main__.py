"""``python -m tests.fuzz TARGET [options of libFuzzer]``: fuzz one way in with atheris (the extra ``fuzz``).

New inputs are kept in the folder that is given: ``python -m tests.fuzz date -runs=10000000 /tmp/date``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Run until a fault is found or the runs are done."""
    import atheris

    with atheris.instrument_imports(include=["weft"]):
        from tests.fuzz.targets import TARGETS
    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        raise SystemExit(f"which of {', '.join(TARGETS)}?")
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(TARGETS[name].seeds):
            Path(folder, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, folder], TARGETS[name].check)
        atheris.Fuzz()


main()
