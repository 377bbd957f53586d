"""Worlds of honest servers and liars come to rest as they must; planted mistakes are caught."""

from __future__ import annotations

import pytest

from tests.exchange.simulation.mutants import MUTANTS, planted
from tests.exchange.simulation.plans import PLANS, ThreadsPlan
from tests.exchange.simulation.threads_mutants import THREADS_MUTANTS
from tests.exchange.simulation.world import World

SEEDS = 80
MORE_SEEDS = 1000
AT_A_TIME = 10
CAUGHT_WITHIN = 200


@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
@pytest.mark.parametrize("kind", PLANS)
def test_worlds_heal(kind: str, first: int) -> None:
    for seed in range(first, first + AT_A_TIME):
        assert why(kind, seed) == "", f"replay: python -m tests.exchange.simulation --kind {kind} --seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SEEDS, MORE_SEEDS, AT_A_TIME))
@pytest.mark.parametrize("kind", PLANS)
def test_more_worlds_heal(kind: str, first: int) -> None:
    test_worlds_heal(kind, first)


@pytest.mark.parametrize("seed", [20188, 21343, 21683, 21792, 27777])
def test_worlds_heal_in_which_one_lost_what_it_had_handed_over(seed: int) -> None:
    assert why("threads", seed) == ""


@pytest.mark.parametrize("kind", PLANS)
def test_a_seed_is_a_whole_history(kind: str) -> None:
    assert World(11, plan=PLANS[kind]).run() == World(11, plan=PLANS[kind]).run()


@pytest.mark.parametrize("seed", range(10))
def test_a_store_in_two_pieces_answers_as_one_does(seed: int) -> None:
    whole, pieces = World(seed, plan=ThreadsPlan), World(seed, plan=ThreadsPlan, sharded=True)
    assert whole.run() == pieces.run()  # frame by frame, or the steps would not be as many
    assert [host.claims() for host in whole.honest] == [host.claims() for host in pieces.honest]


@pytest.mark.parametrize(
    ("kind", "name", "first"),
    [
        ("mirror", "acknowledge before commit", 0),
        ("mirror", "a sketch that changes", 0),
        ("mirror", "refusals are planted", 20),
        ("threads", "one hop", 0),
        ("threads", "news ignored", 0),
        ("threads", "contested ids end questions", 0),
    ],
)
def test_a_planted_mistake_is_caught_soon(kind: str, name: str, first: int) -> None:
    assert caught(kind, name, 40, first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"), [*(("mirror", name) for name in MUTANTS), *(("threads", name) for name in THREADS_MUTANTS)]
)
def test_each_planted_mistake_is_caught_within_200_seeds(kind: str, name: str) -> None:
    assert caught(kind, name, CAUGHT_WITHIN)


def caught(kind: str, name: str, seeds: int, first: int = 0) -> str:
    """Why the first seed that fails does, with a mistake planted; empty if none of so many does."""
    with planted(name):
        return next(
            (f"seed {seed}: {reason}" for seed in range(first, first + seeds) if (reason := why(kind, seed))), ""
        )


def why(kind: str, seed: int) -> str:
    """Why a world does not come out as it must; empty if it does."""
    world = World(seed, plan=PLANS[kind])
    try:
        world.run()
    except AssertionError as error:
        return f"step {world.schedule.steps}: {error}"
    return ""
