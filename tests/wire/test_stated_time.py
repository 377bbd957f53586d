"""Dates of mail travel as moments with the zone that they state, and come back as they were."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from weft.core.date import UNKNOWN_ZONE, format_date
from weft.errors import AnswerError
from weft.v1 import threads_pb2 as wire
from weft.wire.stated_time import from_server_time, from_stated_time, server_time, to_stated_time

FIRST, LAST = -62_135_596_800, 253_402_300_799


@given(st.integers(FIRST, LAST), st.integers(-1439, 1439) | st.just(UNKNOWN_ZONE))
def test_a_date_comes_back_with_its_zone(seconds: int, zone: int) -> None:
    if not FIRST <= seconds + (0 if zone == UNKNOWN_ZONE else 60 * zone) <= LAST:
        return
    date = format_date(seconds, zone)
    message = to_stated_time(date)
    assert message is not None
    assert message.time.seconds == seconds
    assert message.HasField("utc_offset_minutes") == (zone != UNKNOWN_ZONE)
    assert from_stated_time(wire.StatedTime.FromString(message.SerializeToString())) == date


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_outside_of_the_years_that_a_timestamp_has_is_left_out(date: str) -> None:
    assert to_stated_time(date) is None
    assert to_stated_time(None) is None
    assert from_stated_time(wire.StatedTime()) is None


@pytest.mark.parametrize(("seconds", "minutes"), [(LAST + 1, 0), (FIRST - 1, 0), (0, 1440), (LAST, 60), (FIRST, -1)])
def test_what_is_no_date_is_refused(seconds: int, minutes: int) -> None:
    with pytest.raises(AnswerError):
        from_stated_time(wire.StatedTime(time=Timestamp(seconds=seconds), utc_offset_minutes=minutes))


def test_times_of_servers_are_in_utc() -> None:
    found = server_time("2026-11-18T11:06:40Z")
    assert found is not None
    assert found.ToJsonString() == from_server_time(found) == "2026-11-18T11:06:40Z"
    with pytest.raises(AnswerError):
        from_server_time(Timestamp(seconds=LAST + 1))
