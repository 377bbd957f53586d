"""Who is turned away leaves one line in the log, however often it calls and however many keys it makes."""

from __future__ import annotations

from weft.core.signing import fingerprint
from weft.peering.admission_limits import HOUR, MINUTE, NAMED, UnknownCallers


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_each_is_named_once_an_hour_with_what_lets_it_in() -> None:
    unknown_callers = UnknownCallers()
    name = fingerprint(key(1))
    line = f"{name} called, and is not a peer; admit it with: weft peers add {name}"
    assert [unknown_callers.called(key(1), now) for now in (5.0, 6.0, HOUR + 4.0)] == [line, None, None]
    assert unknown_callers.called(key(1), HOUR + 5.0) == line
    assert unknown_callers.called(key(2), HOUR + 5.0) not in (None, line)


def test_any_number_of_keys_costs_bounded_memory_and_a_line_a_minute() -> None:
    unknown_callers = UnknownCallers()
    seconds = 600
    lines = [
        line
        for number in range(100 * seconds)
        if (line := unknown_callers.called(key(number), number / 100)) is not None
    ]
    assert len(lines) <= NAMED + 1 + seconds / MINUTE
    assert lines[NAMED].startswith(
        f"1 more calls by others that are not peers, the last one by {fingerprint(key(NAMED))}"
    )
    assert sum(int(line.split()[0]) for line in lines[NAMED:]) > 50_000
    assert len(unknown_callers._named) == NAMED


def test_after_an_hour_others_are_named() -> None:
    unknown_callers = UnknownCallers()
    for number in range(2 * NAMED):
        unknown_callers.called(key(number), 0.0)
    assert fingerprint(key(7777)) in str(unknown_callers.called(key(7777), HOUR))
