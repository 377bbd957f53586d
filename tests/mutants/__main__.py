"""``python -m tests.mutants [WORD...]``: all planted faults, or those with a word in their names."""

from __future__ import annotations

import argparse
import sys
import time

from tests.mutants.running import survives
from tests.mutants.table import MUTANTS


def main() -> int:
    """How many survive is 0, or something has to be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="of names (default: all)")
    words = parser.parse_args().words
    chosen = [one for one in MUTANTS if not words or any(word in one.name for word in words)]
    survived = 0
    for mutant in chosen:
        started = time.monotonic()
        lives = survives(mutant)
        survived += lives
        print(f"{'SURVIVED' if lives else 'caught':8} {time.monotonic() - started:5.0f} s  {mutant.name}", flush=True)
    print(f"{len(chosen)} planted faults, {survived} survived")
    return 1 if survived or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
