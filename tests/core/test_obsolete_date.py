"""Dates in every form but the ordinary one: what they read as, and which of them are not read at all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from weft.core.date import MISSING, format_date, parse_date
from weft.core.obsolete_date import read_obsolete

READ = {
    "2003-02-13T10:00:00+01:00": [
        # Comments, nested, escaped, of all sorts of text, and without an end.
        b"Thu, 13 Feb (February) 2003 10:00:00 +0100",
        b"Thu, (a (nested (deep)) one) 13 Feb 2003 10:00:00 +0100",
        rb"Thu, 13 (a \) b \( c) Feb 2003 10:00:00 +0100",
        b"(before) Thu (x), (y) 13 (z) Feb 2003 10 (h) : (m) 00:00 (s) +0100 (CET)",
        b"Thu, 13 Feb 2003 10:00:00 +0100 (caf\xe9)",
        b"Thu, 13 Feb 2003 10:00:00 +0100 (Central Europe",
        b"Thu, 13 Feb 2003 10:00:00 +0100 (GMT+02:00)",
        # White space and commas.
        b"Thu,13 Feb 2003 10:00:00 +0100",
        b"Thu 13 Feb 2003 10:00:00 +0100",
        b"Thu , 13 Feb , 2003 10:00:00 +0100",
        b"Thu,\t13\tFeb\t2003\t10:00:00\t+0100",
        b"  13   Feb   2003   10:00:00   +0100  ",
        b"Thu, 13 Feb 2003, 10 : 00 : 00 +0100",
        b"13Feb2003 10:00:00 +0100",
        # The day.
        b"Fri, 13 Feb 2003 10:00:00 +0100",
        b"Thursday, 13 February 2003 10:00:00 +0100",
        b"Donnerstag, 13 Feb 2003 10:00:00 +0100",
        b"THU, 13 FEB 2003 10:00:00 +0100",
        b"Thu., 13. Feb. 2003 10:00:00 +0100",
        b"Thu, 13th Feb 2003 10:00:00 +0100",
        b"February 13, 2003 10:00:00 +0100",
        b"Thu, 13-Feb-2003 10:00:00 +0100",
        b"13/Feb/2003 10:00:00 +0100",
        b"13.Feb.2003 10:00:00 +0100",
        b"Feb-13-2003 10:00:00 +0100",
        # The year.
        b"Thu, 13 Feb 03 10:00:00 +0100",
        b"Thu, 13 Feb 103 10:00:00 +0100",
        b"13-Feb-03 10:00:00 +0100",
        # The time.
        b"Thu, 13 Feb 2003 10:00 +0100",
        b"Thu, 13 Feb 2003 10.00.00 +0100",
        b"Thu, 13 Feb 2003 10.00 +0100",
        b"Thu, 13 Feb 2003 10:0:0 +0100",
        b"Thu, 13 Feb 2003 10:00:00.123 +0100",
        b"Thu, 13 Feb 2003 10:00:00 AM +0100",
        b"Thu, 13 Feb 2003 10:00a.m. +0100",
        b"10:00:00 +0100 Thu, 13 Feb 2003",
        # The zone.
        b"Thu, 13 Feb 2003 10:00:00 +01:00",
        b"Thu, 13 Feb 2003 10:00:00 +100",
        b"Thu, 13 Feb 2003 10:00:00 +1",
        b"Thu, 13 Feb 2003 10:00:00 + 0100",
        b"Thu, 13 Feb 2003 10:00:00+0100",
        b"Thu, 13 Feb 2003 10:00:00 GMT+0100",
        b"Thu, 13 Feb 2003 10:00:00 UTC+01:00",
        b"Thu, 13 Feb 2003 10:00:00 GMT +0100",
        b"Thu, 13 Feb 2003 10:00:00 UTC+1",
        b"Thu, 13 Feb 2003 10:00:00 +0100 CET",
        b"Thu, 13 Feb 2003 10:00:00 CET +0100",
        b"Thu, 13 Feb 2003 10:00:00 +0100 +01:00",
        # ctime, JavaScript, ISO 8601, in quotes.
        b"Thu Feb 13 10:00:00 2003 +0100",
        b"Thu Feb 13 10:00:00 +0100 2003",
        b"Thu Feb 13 2003 10:00:00 GMT+0100 (Central European Standard Time)",
        b"2003-02-13 10:00:00 +0100",
        b"2003-02-13T10:00:00+01:00",
        b"2003-02-13T10:00:00.000000+0100",
        b"2003/02/13 10:00 +0100",
        b"20030213T100000+0100",
        b"Thu, 2003-02-13 10:00:00 +0100",
        b"2003 Feb 13 10:00:00 +0100",
        b'"Thu, 13 Feb 2003 10:00:00 +0100"',
    ],
    "2003-02-13T10:00:00-00:00": [
        b"Thu, 13 Feb 2003 10:00:00",
        b"Thu Feb 13 10:00:00 2003",
        b"2003-02-13T10:00:00",
        b"Thu, 13 Feb 2003 10:00:00 -0000 (UTC)",
        b"Thu, 13 Feb 2003 10:00:00 CET",
        b"Thu, 13 Feb 2003 10:00:00 EST5EDT",
        b"Thu, 13 Feb 2003 10:00:00 Pacific Daylight Time",
        b"Thu, 13 Feb 2003 10:00:00 W. Europe Standard Time",
        b"Thu, 13 Feb 2003 10:00:00 Mitteleurop\xe4ische Zeit",
        b"Thu, 13 Feb 2003 10:00:00 Europe/Berlin",
        b"Thu, 13 Feb 2003 10:00:00 Etc/GMT-1",
        b"Thu, 13 Feb 2003 10:00:00 A",
        b"Thu, 13 Feb 2003 10:00:00 y",
        b"Thu, 13 Feb 2003 10:00:00 0100",
        b"Thu, 13 Feb 2003 10:00:00 (GMT+02:00)",
        b"Thu Feb 13 10:00:00 CET 2003",
    ],
    "2003-02-13T10:00:00+00:00": [
        b"Thu, 13 Feb 2003 10:00:00 UT",
        b"Thu, 13 Feb 2003 10:00:00 gmt",
        b"Thu, 13 Feb 2003 10:00:00 Z",
        b"2003-02-13T10:00:00Z",
        b"20030213T100000Z",
        b"Thu, 13-Feb-03 10:00:00 GMT",
        b"Thu, 13 Feb 2003 10:00:00 +0000 GMT",
        b"Thu Feb 13 10:00:00 UTC 2003",
    ],
    "2003-02-13T10:00:00-05:00": [
        b"Thu, 13 Feb 2003 10:00:00 EST",
        b"Thu, 13 Feb 2003 10:00:00 UTC-0500",
        b"Thu, 13 Feb 2003 10:00:00 -5",
        b"Thu, 13 Feb 2003 10:00:00 EST -0500",
    ],
    "2003-02-13T22:00:00+00:00": [b"13 Feb 2003 10:00:00 PM GMT", b"13 Feb 2003 10:00pm +0000", b"13 Feb 03 22:00PM Z"],
    "2003-02-13T00:30:00+00:00": [b"13 Feb 2003 12:30 AM GMT"],
    "2003-02-13T12:30:00+00:00": [b"13 Feb 2003 12:30 PM GMT"],
    "2003-02-14T00:00:00+00:00": [b"Thu, 13 Feb 2003 24:00:00 +0000", b"Thu, 13 Feb 2003 24:00 +0000"],
    "2005-12-31T23:59:59+00:00": [b"Sat, 31 Dec 2005 23:59:60 +0000", b"31 Dec 05 23:59:60 GMT"],
    "1999-09-09T09:09:09+00:00": [b"9 Sept 99 9:09:09 GMT", b"Thu Sep  9 09:09:09 GMT 1999"],
    "1950-01-01T00:00:00+00:00": [b"1 Jan 50 00:00:00 GMT"],
    "2049-01-01T00:00:00+00:00": [b"1 Jan 49 00:00:00 GMT"],
}  # fmt: skip

UNREADABLE = [
    b"02/03/2004 10:00:00 +0100",  # whose month comes first?
    b"02-03-2004 10:00:00 +0100",
    b"02.03.2004 10:00:00 +0100",
    b"Thu, 13 Feb 2003",
    b"Thu, 13 Feb 10:00:00 +0100",
    b"13 2003 10:00:00 +0100",
    b"10:00:00 +0100",
    b"Thu, 13 Feb 2003 10:00:00 11:00:00 +0100",
    b"Thu, 13 Feb 2003 10:00:00 +0100 +0200",
    b"Thu, 13 Feb 2003 10:00:00 +0100, 14 Feb 2003",
    b"Thu, 13 Feb Mar 2003 10:00:00 +0100",
    b"Thu, 13 Feb 2003 10:00:00 +0160",
    b"Thu, 13 Feb 2003 10:00:00 +2400",
    b"Thu, 13 Feb 2003 10:00:61 +0100",
    b"Thu, 13 Feb 2003 10:60 +0100",
    b"Thu, 13 Feb 2003 15:00 AM +0100",
    b"Thu, 13 Feb 2003 0:30 PM +0100",
    b"13 Feb 3 10:00:00 +0100",
    b"13 Mai 2003 10:00:00 +0100",
    b"31 Jun 2003 10:00:00 +0100",
    b"0 Jan 2003 10:00:00 +0100",
    b"1 Jan 0000 10:00:00 +0100",
    b"1045130400",
    b"now or then, 13 Feb 2003 10:00:00 +0100",
    b"+0100",
    b"((((",
    b"2003-13-13 10:00:00 +0100",
    b"Thu, 13 Feb 2003 10:00:00 +0100;",
]


@pytest.mark.parametrize(("stated", "shown"), [(stated, shown) for shown, forms in READ.items() for stated in forms])
def test_a_date_in_an_odd_form_is_read(stated: bytes, shown: str) -> None:
    assert format_date(*parse_date(stated)) == shown


@pytest.mark.parametrize("stated", UNREADABLE)
def test_what_has_not_one_meaning_is_not_read(stated: bytes) -> None:
    assert parse_date(stated)[0] == MISSING


FORMS = [
    "{day} {month} {year} {clock} {zone}",
    "{weekday}, {day} {month} {year} {clock} {zone}",
    "{weekday} {day}-{month}-{year} {clock} {zone}",
    "{weekday} {month} {day} {clock} {year} {zone}",
    "{weekday} {month} {day} {clock} {zone} {year}",
    "{month} {day}, {year} {clock} {zone}",
    "{iso} {clock} {zone}",
    "{iso}T{clock}{zone}",
]
commented = st.lists(
    st.text(st.characters(codec="latin-1", exclude_characters="()\\\r\n"), max_size=6).map(lambda text: f"({text})")
    | st.sampled_from([" ", "  ", r" (\)) ", " (a (b) c) ", "\t"]),
    max_size=2,
).map(lambda pieces: " " + "".join(pieces) + " ")


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2049, 12, 31)).map(lambda at: at.replace(microsecond=0)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(FORMS),
    st.sampled_from(["%b", "%B"]),
    st.sampled_from(["{}{:02d}{:02d}", "{}{:02d}:{:02d}", "GMT{}{:02d}{:02d}", "UTC{}{:02d}:{:02d}"]),
    st.data(),
)
@settings(max_examples=examples(150), deadline=None)
def test_every_form_with_comments_anywhere_is_read_to_the_second(
    moment: datetime, minutes: int, form: str, month: str, offset: str, data: st.DataObject
) -> None:
    at = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = form.format(
        day=at.day, month=at.strftime(month), year=at.strftime("%Y"), clock=at.strftime("%H:%M:%S"),
        weekday=at.strftime("%a"), iso=at.strftime("%Y-%m-%d"),
        zone=offset.format("-" if minutes < 0 else "+", *divmod(abs(minutes), 60)),
    )  # fmt: skip
    text = "".join(data.draw(commented) if one == " " else one for one in text)
    assert format_date(*parse_date(text.encode("latin-1"))) == at.isoformat()


PIECES = (
    b"Thu, |13 |Feb |2003 |03 |103 |10:00:00 |10:00 |10.00 |24:00 |:60|+0100 |-0000 |GMT|GMT+0100|PM |(|)|\\|-|/|.|T|Z"
)
pieces = st.sampled_from(PIECES.split(b"|"))


@given(st.lists(pieces, max_size=14).map(b"".join))
@settings(max_examples=examples(500), deadline=None)
def test_both_readers_agree_wherever_both_read(stated: bytes) -> None:
    """What the ordinary form and its memory make of a date is what the reader of all other forms makes of it."""
    seconds, zone = parse_date(stated)
    parts = read_obsolete(stated)
    again = parse_date(b" " + stated + b" ")
    assert (seconds == MISSING) or (parts is not None and again == (seconds, zone))
