"""``python -m tests.exchange.simulation``: replay one seed, or run many."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.exchange.simulation.failing import ViolationError
from tests.exchange.simulation.world import World


def outcome(seed: int) -> tuple[int, str]:
    """A seed and why it fails; empty if it does not."""
    world = World(seed)
    try:
        world.run()
    except Exception as error:
        return seed, f"step {world.schedule.steps}: {type(error).__name__}: {error}"
    return seed, ""


def replay(seed: int) -> int:
    """One world, told as it goes."""
    world = World(seed, lambda line: print(f"{world.schedule.now:8.2f} {world.schedule.steps:6} {line}"))
    try:
        story = world.run()
    except ViolationError as error:
        print(f"seed {seed}, step {world.schedule.steps}: {error}")
        return 1
    print(story)
    return 0


def many(first: int, count: int) -> int:
    """Worlds of many seeds, on all cores; how many fail."""
    started = time.monotonic()
    failed = 0
    with ProcessPoolExecutor() as pool:
        for seed, reason in pool.map(outcome, range(first, first + count), chunksize=10):
            if reason:
                failed += 1
                print(f"seed {seed}, {reason}", flush=True)
    print(f"{count} seeds, {failed} failed, {time.monotonic() - started:.0f} s")
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.exchange.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--first", type=int, default=0, help="from which one on (default: 0)")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        sys.exit(replay(arguments.seed))
    sys.exit(1 if many(arguments.first, arguments.seeds) else 0)
