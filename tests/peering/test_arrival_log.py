"""What comes in while a session is live stands in the log: all of it, and on few lines."""

from __future__ import annotations

from collections.abc import Mapping

from weft.peering.arrival_log import APART, ArrivalLog


def lines(comes: Mapping[int, int], seconds: int) -> dict[int, int]:
    """When it is told that so many came, if claims come at these seconds; 10 were there before."""
    arrivals, received, told = ArrivalLog(10), 10, {}
    for now in range(seconds):
        received += comes.get(now, 0)
        if more := arrivals.look(received, float(now)):
            told[now] = more
    return told


def test_a_batch_is_one_line_when_nothing_more_comes() -> None:
    assert lines({3: 60}, 60) == {4: 60}
    assert lines({3: 20, 4: 30, 5: 10}, 60) == {6: 60}
    assert lines({}, 60) == {}


def test_two_batches_close_together_are_two_lines_that_are_not() -> None:
    told = lines({3: 5, 5: 7}, 60)
    assert list(told.values()) == [5, 7]
    first, second = told
    assert second - first >= APART


def test_a_stream_is_told_every_few_seconds_and_all_of_it() -> None:
    told = lines(dict.fromkeys(range(100), 3), 120)
    assert sum(told.values()) == 300
    assert 15 <= len(told) <= 100 / APART + 1


def test_at_the_end_the_rest_is_told() -> None:
    arrivals = ArrivalLog(0)
    assert arrivals.look(4, 1.0) == 0
    assert arrivals.look(4, 1.0, last=True) == 4
    assert arrivals.look(4, 1.0, last=True) == 0
