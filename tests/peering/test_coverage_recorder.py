"""What a peer was asked is remembered soon, but not with each message of a stream of them."""

from __future__ import annotations

import math
from itertools import pairwise

from weft.exchange.events import CoverageGained
from weft.peering.coverage_recorder import APART, LATEST, SETTLED, CoverageRecorder
from weft.policy.feed_ranges import NO_FEEDS


def covered(number: int = 0) -> CoverageGained:
    return CoverageGained(NO_FEEDS, frozenset([bytes([number])]))


def written(coverage_reader: CoverageRecorder, comes: list[float], until: float) -> list[float]:
    """When it is remembered, if something more comes at these times."""
    times = []
    now = 0.0
    while now <= until:
        if comes and comes[0] <= now:
            coverage_reader.put(covered(), comes.pop(0), wait=True)
        if coverage_reader.take(now, last=False) is not None:
            times.append(now)
        now += 0.125
    return times


def test_what_is_there_at_first_is_remembered_at_once() -> None:
    coverage_reader = CoverageRecorder()
    coverage_reader.put(covered(), 5.0, wait=False)
    assert coverage_reader.take(5.0, last=False) == covered()
    assert coverage_reader.take(5.0, last=True) is None
    assert coverage_reader.due == math.inf


def test_it_is_remembered_once_when_nothing_more_comes() -> None:
    assert written(CoverageRecorder(), [10.0, 10.5, 11.0], 60) == [11.0 + SETTLED]


def test_a_steady_stream_is_remembered_now_and_then() -> None:
    comes = [second / 2 for second in range(200)]
    times = written(CoverageRecorder(), comes, 120)
    assert times[:3] == [LATEST, 2 * LATEST + 0.5, 3 * LATEST + 1.0]
    assert times[3:] == [99.5 + SETTLED]


def test_what_comes_every_few_seconds_does_not_have_it_written_each_time() -> None:
    times = written(CoverageRecorder(), [float(2 * step) for step in range(30)], 90)
    assert min(b - a for a, b in pairwise(times)) >= APART
    assert len(times) > 10


def test_at_the_end_all_is_remembered_and_the_newest_counts() -> None:
    coverage_reader = CoverageRecorder()
    coverage_reader.put(covered(1), 1.0, wait=True)
    coverage_reader.put(covered(2), 1.0, wait=True)
    assert coverage_reader.take(1.0, last=False) is None
    assert coverage_reader.take(1.0, last=True) == covered(2)
