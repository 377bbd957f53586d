"""What one client may have: by a clock that the tests wind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import OverloadedError
from weft.server.client_limits import CALLS, ClientLedger, ClientLimits

LIMITS = ClientLimits(
    calls_at_once=5, calls_per_second=2.0, work_at_once=3.0, work_per_second=0.5, calls_in_flight=4,
    streams_in_flight=2, streams={"Digests": 1},
)  # fmt: skip


def begun(ledger: ClientLedger, client: str, now: float, kind: str = CALLS) -> bool:
    """Whether a call may begin; it ends at once."""
    try:
        ledger.begin(client, kind, now)
    except OverloadedError:
        return False
    ledger.end(client, kind)
    return True


def refusal(ledger: ClientLedger, client: str, now: float, kind: str = CALLS) -> OverloadedError:
    with pytest.raises(OverloadedError) as refused:
        ledger.begin(client, kind, now)
    return refused.value


def test_so_many_calls_at_once_and_then_so_many_a_second() -> None:
    ledger = ClientLedger(LIMITS)
    assert [begun(ledger, "a", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    error = refusal(ledger, "a", 0.0)
    assert str(error) == "calls: 5 at once, then 2 a second"
    assert error.retry_seconds == 0.5
    assert begun(ledger, "a", 0.0 + error.retry_seconds)
    assert begun(ledger, "b", 0.0), "others have their own"
    assert [begun(ledger, "a", 100.0) for _ in range(6)] == [True] * 5 + [False]


@given(st.lists(st.floats(0, 1), max_size=60))
def test_no_client_has_more_calls_than_its_rate(pauses: list[float]) -> None:
    ledger, now, taken = ClientLedger(LIMITS), 0.0, 0
    for pause in pauses:
        now += pause
        taken += begun(ledger, "a", now)
        assert taken <= LIMITS.calls_at_once + LIMITS.calls_per_second * now + 1e-6


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 4)), max_size=40))
def test_the_time_to_wait_is_the_time_after_which_a_call_is_taken(steps: list[tuple[float, float]]) -> None:
    ledger, now = ClientLedger(LIMITS), 0.0
    for pause, cost in steps:
        now += pause
        if not begun(ledger, "a", now):
            wait = refusal(ledger, "a", now).retry_seconds
            assert wait > 0
            assert not begun(ledger, "a", now + wait * 0.99)
            now += wait * 1.01
            assert begun(ledger, "a", now)
        ledger.charge("a", cost, now)


def test_work_is_charged_with_what_it_cost_and_then_has_to_be_waited_for() -> None:
    ledger = ClientLedger(LIMITS)
    assert begun(ledger, "a", 0.0)
    ledger.charge("a", 4.0, 0.0)
    error = refusal(ledger, "a", 0.0)
    assert str(error).startswith("work: what you asked for has taken more than 3 seconds at once")
    assert error.retry_seconds == 2.0
    assert ledger.pause("a", 0.0) == 2.0
    assert ledger.pause("a", 1.5) == 0.5
    assert begun(ledger, "a", 2.0)
    assert ledger.pause("b", 0.0) == 0.0


def test_only_so_many_are_in_flight_and_each_kind_of_stream_counts_for_itself() -> None:
    ledger = ClientLedger(LIMITS)
    for kind, most in ((CALLS, 4), ("Watch", 2), ("Digests", 1)):
        client = f"with {kind}"
        for _ in range(most):
            ledger.begin(client, kind, 0.0)
        assert str(refusal(ledger, client, 0.0, kind)).startswith(f"{kind}: you have {most} in flight already")
        ledger.end(client, kind)
        ledger.begin(client, kind, 0.0)
    ledger.begin("with Watch", "GetThreads", 0.0)


def test_any_number_of_clients_costs_bounded_memory_and_no_call_in_flight_is_forgotten() -> None:
    ledger = ClientLedger(LIMITS, most=100)
    for number in range(50):
        ledger.begin(f"busy {number}", CALLS, 0.0)
    for number in range(10_000):
        begun(ledger, f"client {number}", 1.0)
    assert len(ledger) <= 101
    for number in range(50):
        ledger.end(f"busy {number}", CALLS)


def test_who_comes_again_and_again_is_not_forgotten_for_others() -> None:
    ledger = ClientLedger(LIMITS, most=10)
    taken = 0
    for number in range(1000):
        taken += begun(ledger, "a", 0.0)
        begun(ledger, f"other {number}", 0.0)
    assert taken == LIMITS.calls_at_once
