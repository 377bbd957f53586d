"""Worlds of honest servers and liars come to rest with equal sets and views; planted mistakes are caught."""

from __future__ import annotations

import pytest

from tests.exchange.simulation.mutants import MUTANTS, planted
from tests.exchange.simulation.world import World

SEEDS = 300
AT_A_TIME = 10
CAUGHT_WITHIN = 200


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_worlds_heal(first: int) -> None:
    for seed in range(first, first + AT_A_TIME):
        assert why(seed) == "", f"replay: python -m tests.exchange.simulation --seed {seed}"


def test_a_seed_is_a_whole_history() -> None:
    assert World(11).run() == World(11).run()


@pytest.mark.parametrize("name", ["acknowledge before commit", "refused by the stated id", "a sketch that changes"])
def test_a_planted_mistake_is_caught_soon(name: str) -> None:
    assert caught(name, 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_each_planted_mistake_is_caught_within_200_seeds(name: str) -> None:
    assert caught(name, CAUGHT_WITHIN)


def caught(name: str, seeds: int) -> str:
    """Why the first seed that fails does, with a mistake planted; empty if none does."""
    with planted(name):
        return next((f"seed {seed}: {reason}" for seed in range(seeds) if (reason := why(seed))), "")


def why(seed: int) -> str:
    """Why a world does not come out as it must; empty if it does."""
    world = World(seed)
    try:
        world.run()
    except AssertionError as error:
        return f"step {world.schedule.steps}: {error}"
    return ""
