"""What a peer was asked is remembered soon, but not with each message of a stream of them."""

from __future__ import annotations

import math
from itertools import pairwise

from weft.exchange.events import CoverageGained
from weft.peering.latest_recorder import APART, LATEST, SETTLED, LatestRecorder
from weft.policy.feed_ranges import NO_FEEDS


def covered(number: int = 0) -> CoverageGained:
    return CoverageGained(NO_FEEDS, frozenset([bytes([number])]))


def written(recorder: LatestRecorder[CoverageGained], comes: list[float], until: float) -> list[float]:
    """When it is remembered, if something more comes at these times."""
    times = []
    now = 0.0
    while now <= until:
        if comes and comes[0] <= now:
            recorder.put(covered(), comes.pop(0), wait=True)
        if recorder.take(now, last=False) is not None:
            times.append(now)
        now += 0.125
    return times


def test_what_is_there_at_first_is_remembered_at_once() -> None:
    recorder = LatestRecorder[CoverageGained]()
    recorder.put(covered(), 5.0, wait=False)
    assert recorder.take(5.0, last=False) == covered()
    assert recorder.take(5.0, last=True) is None
    assert recorder.due == math.inf


def test_it_is_remembered_once_when_nothing_more_comes() -> None:
    assert written(LatestRecorder[CoverageGained](), [10.0, 10.5, 11.0], 60) == [11.0 + SETTLED]


def test_a_steady_stream_is_remembered_now_and_then() -> None:
    comes = [second / 2 for second in range(200)]
    times = written(LatestRecorder[CoverageGained](), comes, 120)
    assert times[:3] == [LATEST, 2 * LATEST + 0.5, 3 * LATEST + 1.0]
    assert times[3:] == [99.5 + SETTLED]


def test_what_comes_every_few_seconds_does_not_have_it_written_each_time() -> None:
    times = written(LatestRecorder[CoverageGained](), [float(2 * step) for step in range(30)], 90)
    assert min(b - a for a, b in pairwise(times)) >= APART
    assert len(times) > 10


def test_at_the_end_all_is_remembered_and_the_newest_counts() -> None:
    recorder = LatestRecorder[CoverageGained]()
    recorder.put(covered(1), 1.0, wait=True)
    recorder.put(covered(2), 1.0, wait=True)
    assert recorder.take(1.0, last=False) is None
    assert recorder.take(1.0, last=True) == covered(2)
