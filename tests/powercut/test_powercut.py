"""Power cuts and failing disks: the short form, and the proof that faults would be found.

``pytest -m slow`` and ``python -m tests.powercut`` make more of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.powercut.__main__ import SHARES
from tests.powercut.running import CODES, KINDS, Failure, Recording, compiled, cuts, fail, record

IMAGES = 500
PLANTED = {
    "synchronous=NORMAL": "ingest",
    "rollback mode": "ingest",
    "folders are not synced": "files",
    "drafts are not synced": "files",
    "remembered with synchronous=OFF": "remember",
}


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder where writing costs nothing."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def recorder(memory: Path) -> Path:
    made = compiled(memory)
    if made is None:
        pytest.skip("no C compiler (cc), which the recorder of writes needs")
    return made


@pytest.fixture(scope="module")
def recordings(recorder: Path, memory: Path) -> dict[tuple[str, str], Recording]:
    """What each scenario does, without and with planted faults."""
    asked = [*((name, "") for name in SHARES), *((name, fault) for fault, name in PLANTED.items())]
    return dict(zip(asked, record(recorder, memory / "recorded", asked), strict=True))


@pytest.mark.parametrize("scenario", SHARES)
def test_what_was_acknowledged_outlives_a_power_cut(
    recordings: dict[tuple[str, str], Recording], scenario: str
) -> None:
    count = IMAGES * SHARES[scenario] // sum(SHARES.values())
    assert [found for found in cuts(recordings[scenario, ""], count, 1) if found] == []


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(recordings: dict[tuple[str, str], Recording], fault: str) -> None:
    assert any(cuts(recordings[PLANTED[fault], fault], IMAGES, 1))


def test_one_write_or_sync_that_fails_loses_nothing_and_the_next_run_goes_on(recorder: Path, memory: Path) -> None:
    assert wrong(recorder, memory / "failing", (1, 3, 7, 20, 45)) == []


@pytest.mark.slow
def test_each_of_the_first_writes_and_syncs_may_fail(recorder: Path, memory: Path) -> None:
    assert wrong(recorder, memory / "each", range(1, 51)) == []


def wrong(recorder: Path, folder: Path, which: Iterable[int]) -> list[Failure]:
    failures = [(name, kind, code, nth) for name in SHARES for kind in KINDS for code in CODES for nth in which]
    return [one for one in fail(recorder, folder, failures) if one.found]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SHARES)
def test_many_power_cuts(recordings: dict[tuple[str, str], Recording], scenario: str) -> None:
    assert [found for found in cuts(recordings[scenario, ""], 1000, 2) if found] == []
