"""What each claim did when it came, worked out from the log afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.factories import Origin, mail
from weft.client.calls import changes
from weft.core.claim import Claim
from weft.index.index import Index
from weft.policy.rows import Origin as Row
from weft.policy.rules import Mute, Policy
from weft.server import handlers
from weft.server.reader_pool import IndexReader

NEW, FILLED, CONTESTED, CYCLE, WITHDRAWN = "new claim", "ghost filled", "contested", "cycle", "withdrawal"
NEAR, FAR = Origin("near"), Origin("far")
POLICY = Policy(origins={NEAR.public: Row(1, None), FAR.public: Row(2, None)})


def causes(path: Path, *steps: tuple[Origin, str, Claim], policy: Policy = POLICY) -> list[list[str]]:
    """The causes of each claim, which come one after the other."""
    with Index.open(path / "index.db", policy=POLICY) as index:
        for origin, name, claim in steps:
            index.admit([origin.batch(name, claim)])
        index.set_policy(replace(policy, own=index.origin))
        used = index.policy
    reading = IndexReader(path / "index.db", used)
    try:
        return [list(change.causes) for change in changes(handlers.changes(reading, 0))]
    finally:
        reading.close()


CASES: dict[str, tuple[list[tuple[Origin, str, Claim]], list[list[str]]]] = {
    "a reply that comes first makes a ghost, which its parent fills": (
        [(NEAR, "l", mail("b", "a")), (NEAR, "l", mail("a")), (NEAR, "k", mail("a"))],
        [[NEW], [NEW, FILLED], [NEW]],
    ),
    "copies that agree contest nothing": (
        [(NEAR, "l", mail("b", "a")), (NEAR, "k", mail("b", "a"))],
        [[NEW], [NEW]],
    ),
    "only the first that disagrees contests": (
        [(NEAR, "l", mail("b", "a")), (NEAR, "k", mail("b", "c")), (NEAR, "m", mail("b", "d"))],
        [[NEW], [NEW, CONTESTED], [NEW]],
    ),
    "a worse tier contests nothing": (
        [(NEAR, "l", mail("b", "a")), (FAR, "l", mail("b", "c"))],
        [[NEW], [NEW]],
    ),
    "the last edge of a cycle closes it, and no copy of it does so again": (
        [(NEAR, "l", mail("a", "b")), (NEAR, "l", mail("b", "a")), (NEAR, "k", mail("a", "b"))],
        [[NEW], [NEW, FILLED, CYCLE], [NEW]],
    ),
    "a cycle of three through a ghost is closed by the witness that came last": (
        [(NEAR, "l", mail("a", reply_to=["g"])), (NEAR, "l", mail("c", "a", "g"))],
        [[NEW], [NEW, CYCLE]],
    ),
    "replies to a message on a cycle do not close it": (
        [(NEAR, "l", mail("a", "b")), (NEAR, "l", mail("b", "a")), (NEAR, "l", mail("c", "a"))],
        [[NEW], [NEW, FILLED, CYCLE], [NEW]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_causes(name: str, tmp_path: Path) -> None:
    steps, wanted = CASES[name]
    assert causes(tmp_path, *steps) == wanted


def test_what_is_muted_or_not_admitted_is_not_told_of(tmp_path: Path) -> None:
    steps = [(NEAR, "l", mail("a")), (NEAR, "l", mail("b", "a")), (FAR, "l", mail("c", "a"))]
    policy = Policy(origins={NEAR.public: Row(1, None)}, mute=Mute(ids=frozenset({b"b"})))
    assert causes(tmp_path, *steps, policy=policy) == [[NEW]]


def test_a_claim_that_was_withdrawn_is_told_of_before_its_withdrawal(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index.db", policy=POLICY) as index:
        index.admit([NEAR.batch("l", mail("a", "r"))])
        index.admit([NEAR.batch("l", NEAR.withdrawal("l", mail("a", "r")))])
    assert causes(tmp_path) == [[NEW], [WITHDRAWN]]


def test_a_cycle_too_long_to_look_at_is_closed_by_nobody(tmp_path: Path) -> None:
    size = 300
    claims = [mail(f"m{n}", f"m{(n + 1) % size}") for n in range(size)]
    with Index.open(tmp_path / "index.db", policy=POLICY) as index:
        index.admit([NEAR.batch("l", *claims[:200]), NEAR.batch("l", *claims[200:])])
    found = causes(tmp_path)
    assert len(found) == 256
    assert all(CYCLE not in one for one in found)
