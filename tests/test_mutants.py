"""Planted faults: each is caught by the tests that are named beside it (``python -m tests.mutants``)."""

from __future__ import annotations

import pytest

from tests.mutants.running import ROOT, changed, survives
from tests.mutants.table import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_changes_one_place_into_a_program_with_the_tests_that_concern_it(mutant: Mutant) -> None:
    compile(changed(mutant, ROOT / "src" / "weft"), mutant.path, "exec")
    assert all((ROOT / "tests" / test.partition("::")[0]).is_file() for test in mutant.tests)


def test_no_two_planted_faults_have_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_planted_fault_is_caught(mutant: Mutant) -> None:
    assert not survives(mutant)
