"""``python -m tests.exchange.simulation``: replay one seed, or run many, of both kinds of worlds."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product

from tests.exchange.simulation.plans import PLANS
from tests.exchange.simulation.violation import ViolationError
from tests.exchange.simulation.world import World


def outcome(which: tuple[str, int]) -> tuple[str, int, str]:
    """A kind and seed, and why it fails; empty if it does not."""
    kind, seed = which
    world = World(seed, plan=PLANS[kind])
    try:
        world.run()
    except Exception as error:
        return kind, seed, f"step {world.schedule.steps}: {type(error).__name__}: {error}"
    return kind, seed, ""


def replay(kind: str, seed: int) -> int:
    """One world, told as it goes."""
    world = World(
        seed, lambda line: print(f"{world.schedule.now:8.2f} {world.schedule.steps:6} {line}"), plan=PLANS[kind]
    )
    try:
        story = world.run()
    except ViolationError as error:
        print(f"{kind}, seed {seed}, step {world.schedule.steps}: {error}")
        return 1
    print(story)
    return 0


def many(kinds: list[str], first: int, count: int) -> int:
    """Worlds of many seeds, on all cores; how many fail."""
    started = time.monotonic()
    failed = 0
    with ProcessPoolExecutor() as pool:
        for kind, seed, reason in pool.map(outcome, product(kinds, range(first, first + count)), chunksize=10):
            if reason:
                failed += 1
                print(f"{kind}, seed {seed}, {reason}", flush=True)
    print(f"{count} seeds of {' and '.join(kinds)}, {failed} failed, {time.monotonic() - started:.0f} s")
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.exchange.simulation", description=__doc__)
    parser.add_argument(
        "--kind", choices=sorted(PLANS), help="worlds that mirror, or that ask for threads (default: both)"
    )
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--first", type=int, default=0, help="from which one on (default: 0)")
    arguments = parser.parse_args()
    kinds = [arguments.kind] if arguments.kind else sorted(PLANS)
    if arguments.seed is not None:
        sys.exit(max(replay(kind, arguments.seed) for kind in kinds))
    sys.exit(1 if many(kinds, arguments.first, arguments.seeds) else 0)
