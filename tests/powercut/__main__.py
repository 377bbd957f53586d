"""``python -m tests.powercut --images 20000``: power cuts and failing disks; exit 1 if one does harm."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.powercut.running import CODES, KINDS, compiled, cuts, fail, record
from tests.powercut.scenarios import SCENARIOS

SHARES = {"ingest": 8, "receive": 5, "remember": 2, "files": 3, "backup": 2}
"""How many of 20 images are of which scenario."""


def _found(recorder: Path, folder: Path, images: int, failures: int, seed: int) -> Iterator[str]:
    recordings = record(recorder, folder / "recorded", [(name, "") for name in SHARES])
    for (name, share), recording in zip(SHARES.items(), recordings, strict=True):
        count = images * share // sum(SHARES.values())
        for number, found in enumerate(cuts(recording, count, seed)):
            yield from (f"{name}, power cut {number}: {line}" for line in found)
        print(f"{name}: {count} power cuts", flush=True)
    todo = [
        (name, kind, code, nth)
        for name in SCENARIOS
        for kind in KINDS
        for code in CODES
        for nth in range(1, failures + 1)
    ]
    for one in fail(recorder, folder / "failing", todo):
        yield from (f"{one.scenario}, {one.kind} {one.nth} ({one.code}): {line}" for line in one.found)
    print(f"{len(todo)} runs with a write or sync that failed", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.powercut")
    parser.add_argument("--images", type=int, default=20_000, help="how many power cuts (default: %(default)s)")
    parser.add_argument("--failures", type=int, default=50, help="how many of the first writes and syncs fail")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as made:
        recorder = compiled(Path(made))
        if recorder is None:
            parser.error("needs a C compiler (cc)")
        bad = 0
        for line in _found(recorder, Path(made), chosen.images, chosen.failures, chosen.seed):
            bad += 1
            print(line, flush=True)
    print("all survived" if not bad else f"{bad} things are lost, damaged or contradict themselves")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
