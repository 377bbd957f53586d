"""Dates as mail states them: seconds and zone of a Date field (RFC 5322 sections 3.3 and 4.3).

The ordinary forms are read by one regular expression; what it makes of the text before and after the time of day is
remembered, so that the next date with the same day and the same zone costs a few look-ups.  The rest goes to
`weft.core.obsolete_date`.  A Date decides nothing but display order, and is shown as stated.  Who can lie: everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date as _date
from typing import TypeVar

MISSING = -(1 << 62)
"""The seconds of a date that is absent or cannot be read."""
UNKNOWN_ZONE = -(1 << 14)
"""The zone of ``-0000``: a time in UTC that says nothing of where it was written (RFC 5322 section 3.3)."""

_ORDINARY = re.compile(
    rb"(?:[A-Za-z]{3},)?[ \t]*([0-9]{1,2} [A-Za-z]{3} [0-9]{4}) ([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))? "
    rb"([+-])([0-9]{2})([0-5][0-9])(?:[ \t]*\([^()]*\))?"
)
_MONTHS = {name: n + 1 for n, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split())}
_EPOCH = _date(1970, 1, 1).toordinal()
_LAST_SECOND = (_date(9999, 12, 31).toordinal() - _EPOCH) * 86400 + 86399 - 86400
_FIRST_SECOND = -_EPOCH * 86400 + 2 * 86400
_MEMO_SIZE = 20_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_HOURS = {b"%02d" % number: number * 3600 for number in range(24)}
_MINUTES = {b"%02d" % number: number * 60 for number in range(60)}
_SECONDS = {b"%02d" % number: number for number in range(60)}
_COLON = 0x3A

_days: dict[bytes, int] = {}
"""All before the hour of an ordinary date -> the seconds of its midnight, as if in UTC."""
_zones: dict[bytes, tuple[int, int]] = {}
"""All after the second of an ordinary date -> (seconds to add, zone)."""
_names: dict[int, str] = {}
_offsets = {UNKNOWN_ZONE: (0, "-00:00")}
_SIXTY = [f"{number:02d}" for number in range(60)]
_CLOCK = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1440)]


def parse_date(value: bytes) -> tuple[int, int]:
    """(seconds since 1970 in UTC, zone in minutes east) of a Date value; (`MISSING`, 0) if it cannot be read.

    The zone is `UNKNOWN_ZONE` for ``-0000``.  A year outside 1-9999 cannot be read.
    """
    colon = value.find(b":")
    try:
        midnight, (west, zone) = _days[value[: colon - 2]], _zones[value[colon + 6 :]]
        clock = _HOURS[value[colon - 2 : colon]] + _MINUTES[value[colon + 1 : colon + 3]]
        if value[colon + 3] == _COLON:
            return midnight + clock + _SECONDS[value[colon + 4 : colon + 6]] + west, zone
    except (KeyError, IndexError):
        pass
    found = _ORDINARY.fullmatch(value)
    if found:
        return _parse_ordinary(found)
    return _parse_odd(value) if value else (MISSING, 0)


def year_of(seconds: int) -> int:
    """The year of a date, in UTC."""
    return _date.fromordinal(seconds // 86400 + _EPOCH).year


def start_of_year(year: int) -> int:
    """The first second of a year, in UTC."""
    return (_date(min(year, 9999), 1, 1).toordinal() - _EPOCH) * 86400


def plausible(seconds: int) -> int:
    """The seconds of a date by which mail may be ordered; `MISSING` before 1970, when there was no mail with dates."""
    return seconds if seconds >= 0 else MISSING


def earliest(dates: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The earliest of some parsed dates, an implausible one only if there is no other; (`MISSING`, 0) of none."""
    stated = [date for date in dates if date[0] != MISSING]
    return min([date for date in stated if date[0] >= 0] or stated, default=(MISSING, 0))


def format_date(seconds: int, zone: int) -> str | None:
    """RFC 3339 text of a parsed date, in its own zone (``-00:00`` where that is unknown); None if it is missing."""
    if seconds == MISSING:
        return None
    try:
        east, offset = _offsets[zone]
    except KeyError:
        name = f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"
        east, offset = _offsets[zone] = zone * 60, name
    days, rest = divmod(seconds + east, 86400)
    try:
        day = _names[days]
    except KeyError:
        day = _date.fromordinal(days + _EPOCH).isoformat()
        _remember(_names, days, day)
    minute, second = divmod(rest, 60)
    return f"{day}T{_CLOCK[minute]}:{_SIXTY[second]}{offset}"


def _parse_ordinary(found: re.Match[bytes]) -> tuple[int, int]:
    day, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    midnight = _midnight(day)
    zone = int(zone_hours) * 60 + int(zone_minutes)
    if midnight == MISSING or zone >= 1440:
        return MISSING, 0
    west = zone * 60 if sign == b"-" else -zone * 60
    if sign == b"-":
        zone = -zone or UNKNOWN_ZONE
    if second:
        _remember(_days, found.string[: found.start(2)], midnight)
        _remember(_zones, found.string[found.end(4) :], (west, zone))
    return midnight + int(hour) * 3600 + int(minute) * 60 + int(second or 0) + west, zone


def _remember(memo: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(memo) > _MEMO_SIZE:
        memo.clear()
    memo[key] = value


def _midnight(day: bytes) -> int:
    number, month, year = day.split(b" ")
    try:
        midnight = (_date(int(year), _MONTHS[month.lower()], int(number)).toordinal() - _EPOCH) * 86400
    except (ValueError, KeyError):
        return MISSING
    return midnight if _FIRST_SECOND <= midnight <= _LAST_SECOND else MISSING


def _parse_odd(value: bytes) -> tuple[int, int]:
    """An obsolete or broken date."""
    from weft.core.obsolete_date import read_obsolete  # few archives need it

    stated = read_obsolete(value)
    if stated is None:
        return MISSING, 0
    try:
        midnight = (_date(stated.year, stated.month, stated.day).toordinal() - _EPOCH) * 86400
    except ValueError:
        return MISSING, 0
    if not _FIRST_SECOND <= midnight <= _LAST_SECOND:
        return MISSING, 0
    seconds = midnight + stated.minute * 60 + min(stated.second, 59)
    return (seconds, UNKNOWN_ZONE) if stated.zone is None else (seconds - stated.zone * 60, stated.zone)
