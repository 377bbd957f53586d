"""Dates as mail states them, and what they read as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.date import MISSING, UNKNOWN_ZONE, format_date, parse_date

READ = [
    (b"Sun, 09 Feb 2003 22:52:25 -0500", "2003-02-09T22:52:25-05:00"),
    (b"Sun,  9 Feb 2003 22:52:25 -0500 (EST)", "2003-02-09T22:52:25-05:00"),
    (b"9 feb 2003 22:52 +0000", "2003-02-09T22:52:00+00:00"),
    (b"Sun, 9 Feb 2003 22:52:25 -0000", "2003-02-09T22:52:25-00:00"),
    (b"Sun, 9 Feb 2003 22:52:25 GMT", "2003-02-09T22:52:25+00:00"),
    (b"Sun, 9 Feb 2003 22:52:25 EST", "2003-02-09T22:52:25-05:00"),
    (b"Sun, 9 Feb 03 22:52:25 +0545", "2003-02-09T22:52:25+05:45"),
    (b"Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59+00:00"),
    (b"Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00+00:00"),
    (b"Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59+00:00"),
    (b"Tue, 19 Jan 2038 03:14:08 +0000", "2038-01-19T03:14:08+00:00"),
    (b"Fri, 1 Jan 2100 00:00:00 +1400", "2100-01-01T00:00:00+14:00"),
    (b"Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00+00:00"),
    (b"Wrong, 9 Feb 2003 22:52:25 -0500", "2003-02-09T22:52:25-05:00"),
]

UNREADABLE = [
    b"",
    b"today",
    b"Sat, 29 Feb 2003 00:00:00 +0000",
    b"Sun, 9 Foo 2003 22:52:25 -0500",
    b"Sun, 9 Feb 2003 24:00:01 +0000",
    b"Sun, 9 Feb 2003 25:00:00 +0000",
    b"Sun, 9 Feb 2003 22:60:00 +0000",
    b"Sun, 9 Feb 99999 22:52:25 +0000",
    b"Sun, 9 Feb 2003 22:52:25 +9900",
    b"\xff\0 9 Feb 2003",
    b"9" * 128,
]


@pytest.mark.parametrize(("stated", "shown"), READ)
def test_a_date_is_shown_in_the_zone_in_which_it_was_stated(stated: bytes, shown: str) -> None:
    assert format_date(*parse_date(stated)) == shown


@pytest.mark.parametrize("stated", UNREADABLE)
def test_a_date_that_cannot_be_read_is_missing(stated: bytes) -> None:
    assert parse_date(stated)[0] == MISSING
    assert format_date(*parse_date(stated)) is None


def test_the_seconds_are_those_of_utc() -> None:
    assert parse_date(b"Thu, 1 Jan 1970 01:00:00 +0100") == (0, 60)
    assert parse_date(b"Wed, 31 Dec 1969 19:00:00 -0500") == (0, -300)
    assert parse_date(b"Thu, 1 Jan 1970 00:00:00 -0000") == (0, UNKNOWN_ZONE)


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 31)).map(lambda at: at.replace(microsecond=0))


@given(moments, zones)
@settings(max_examples=examples(500), deadline=None)
def test_every_date_that_rfc5322_can_write_is_read_to_the_second(moment: datetime, zone: timezone) -> None:
    at = moment.replace(tzinfo=zone)
    parsed = parse_date(format_datetime(at).encode())
    assert parsed[0] == round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert format_date(*parsed) == at.isoformat()


words = st.lists(
    st.sampled_from(
        b"Sun, | |9|31|Feb|feb|2003|0000|99999999|22:52|:25|-0500|+|GMT|(|)|-|/|.|\0|\xff|AM|,".split(b"|")
    ),
    max_size=12,
)


@given(st.one_of(st.binary(max_size=128), words.map(b" ".join), words.map(b"".join)))
@settings(max_examples=examples(1000), deadline=None)
def test_no_bytes_raise_and_whatever_is_read_can_be_shown(stated: bytes) -> None:
    seconds, zone = parse_date(stated)
    assert (format_date(seconds, zone) is None) == (seconds == MISSING)
