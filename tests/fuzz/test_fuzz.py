"""A short form of the fuzzing of every way in, and faults that it has to find."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fuzz.mutating import mutations
from tests.fuzz.targets import TARGETS
from weft.core import charset, claim, claim_encoding, header, obsolete_date, references
from weft.index import fulltext
from weft.policy import rules


@pytest.mark.parametrize("name", TARGETS)
def test_no_mutation_of_an_input_is_dealt_with_wrongly(name: str) -> None:
    fuzz(name, 1500)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_no_mutation_of_many(name: str) -> None:
    fuzz(name, 300_000)


Plant = Callable[[pytest.MonkeyPatch], None]
_to_tables = rules.Policy.to_tables
FAULTS: dict[str, Plant] = {
    "header": lambda patch: patch.setattr(header, "keep_subject", lambda value, *_: value),
    "ids": lambda patch: patch.setattr(references, "_without", lambda ids, *_: ids),
    "date": lambda patch: patch.setattr(obsolete_date, "_NOTHING", 0),
    "text": lambda patch: patch.setattr(charset, "_SURROGATE", re.compile("(?!)")),
    "claim": lambda patch: patch.setattr(
        claim, "encode_mail", lambda one: claim_encoding.encode_mail(replace(one, archived_at=b""))
    ),
    "query": lambda patch: patch.setattr(fulltext, "pairs", lambda run: [f'{run}"']),
    "policy": lambda patch: patch.setattr(
        rules.Policy, "to_tables", lambda one: {key: table for key, table in _to_tables(one).items() if key != "mute"}
    ),
}
"""For each way in, a fault that somebody could make."""


def fuzz(name: str, count: int) -> None:
    """Check a target with its seeds and ``count`` mutations of them."""
    for raw in mutations(TARGETS[name].seeds, count, name):
        TARGETS[name].check(raw)


@pytest.mark.parametrize("name", TARGETS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    charset._decoder.cache_clear()
    FAULTS[name](monkeypatch)
    with pytest.raises((AssertionError, UnicodeError)):
        fuzz(name, 1500)
    charset._decoder.cache_clear()


def test_the_same_seed_gives_the_same_mutations() -> None:
    one, other = (list(mutations([b"abc"], 50, "x")) for _ in range(2))
    assert one == other
    assert len(set(one)) > 25
