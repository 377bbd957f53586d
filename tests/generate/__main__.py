"""``python -m tests.generate FOLDER --messages 10000 --lists 5``: write archives of generated mail."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from tests.generate import Shape, write_mboxes


def main() -> None:
    """Write a file for each list, and the truth about them if it is asked for."""
    shape = Shape()
    parser = argparse.ArgumentParser(prog="python -m tests.generate", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--lists", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    for name, what in (
        ("cross", "share of the threads that begin on several lists"),
        ("drop", "share of the replies to several lists that leave one out"),
        ("add", "share of the replies that go to one more list"),
    ):
        parser.add_argument(f"--{name}", type=float, default=getattr(shape, name), help=f"{what} (%(default)s)")
    parser.add_argument("--truth", action="store_true", help="write truth.json: what reports of this mail have to find")
    given = parser.parse_args()
    shape = replace(shape, cross=given.cross, drop=given.drop, add=given.add)
    for path in write_mboxes(given.folder, given.messages, given.lists, given.seed, shape, truth=given.truth):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
