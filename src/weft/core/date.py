"""Dates as mail states them: seconds and zone of a Date field (RFC 5322 sections 3.3 and 4.3).

The ordinary forms are read by one regular expression with a memo for each day; the rest goes to the standard
library.  A Date decides nothing but display order, and is shown as stated.  Who can lie: everybody.
"""

from __future__ import annotations

import re
from datetime import date as _day
from email.utils import parsedate_tz

MISSING = -(1 << 62)
"""The seconds of a date that is absent or cannot be read."""
UNKNOWN_ZONE = -(1 << 14)
"""The zone of ``-0000``: a time in UTC that says nothing of where it was written (RFC 5322 section 3.3)."""

_ORDINARY = re.compile(
    rb"(?:[A-Za-z]{3},)?[ \t]*([0-9]{1,2} [A-Za-z]{3} [0-9]{4}) ([0-2][0-9]):([0-5][0-9])(?::([0-6][0-9]))? "
    rb"([+-])([0-9]{2})([0-5][0-9])(?:[ \t]*\([^()]*\))?"
)
_ZONE = re.compile(r":[0-9]+\s*(?:[AaPp][Mm]\s*)?[-+A-Za-z]")
_MONTHS = {name: n + 1 for n, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split())}
_EPOCH = _day(1970, 1, 1).toordinal()
_LAST_SECOND = (_day(9999, 12, 31).toordinal() - _EPOCH) * 86400 + 86399 - 86400
_FIRST_SECOND = -_EPOCH * 86400 + 2 * 86400
_MEMO_SIZE = 20_000

_days: dict[bytes, int] = {}
_names: dict[int, str] = {}
_offsets = {UNKNOWN_ZONE: "-00:00"}
_SIXTY = [f"{number:02d}" for number in range(60)]


def parse_date(value: bytes) -> tuple[int, int]:
    """(seconds since 1970 in UTC, zone in minutes east) of a Date value; (`MISSING`, 0) if it cannot be read.

    The zone is `UNKNOWN_ZONE` for ``-0000``.  A year outside 1-9999 cannot be read.
    """
    found = _ORDINARY.fullmatch(value)
    if found:
        day, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
        midnight = _days.get(day)
        if midnight is None:
            midnight = _midnight(day)
        zone = int(zone_hours) * 60 + int(zone_minutes)
        if midnight != MISSING and zone < 1440 and hour < b"24":
            seconds = midnight + int(hour) * 3600 + int(minute) * 60 + min(int(second or 0), 59)
            if sign == b"-":
                return seconds + zone * 60, -zone or UNKNOWN_ZONE
            return seconds - zone * 60, zone
        return MISSING, 0
    return _parse_odd(value) if value else (MISSING, 0)


def format_date(seconds: int, zone: int) -> str | None:
    """RFC 3339 text of a parsed date, in its own zone (``-00:00`` where that is unknown); None if it is missing."""
    if seconds == MISSING:
        return None
    offset = _offsets.get(zone)
    if offset is None:
        offset = _offsets[zone] = f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"
    days, rest = divmod(seconds if zone == UNKNOWN_ZONE else seconds + zone * 60, 86400)
    name = _names.get(days)
    if name is None:
        if len(_names) > _MEMO_SIZE:
            _names.clear()
        name = _names[days] = _day.fromordinal(days + _EPOCH).isoformat()
    minute, second = divmod(rest, 60)
    return f"{name}T{_SIXTY[minute // 60]}:{_SIXTY[minute % 60]}:{_SIXTY[second]}{offset}"


def _midnight(day: bytes) -> int:
    number, month, year = day.split(b" ")
    try:
        midnight = (_day(int(year), _MONTHS[month.lower()], int(number)).toordinal() - _EPOCH) * 86400
    except (ValueError, KeyError):
        midnight = MISSING
    if not _FIRST_SECOND <= midnight <= _LAST_SECOND:
        midnight = MISSING
    if len(_days) > _MEMO_SIZE:
        _days.clear()
    _days[day] = midnight
    return midnight


def _parse_odd(value: bytes) -> tuple[int, int]:
    """The standard library's reading of an obsolete or broken date."""
    text = value.decode("latin-1")
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return MISSING, 0
        year, month, day, hour, minute, second = parts[:6]
        midnight = (_day(year, month, day).toordinal() - _EPOCH) * 86400
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return MISSING, 0
    zone = parts[9]
    east = 0 if zone is None else zone // 60
    inside = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60 and abs(east) < 1440
    if not inside or not _FIRST_SECOND <= midnight <= _LAST_SECOND:
        return MISSING, 0
    seconds = midnight + hour * 3600 + minute * 60 + min(second, 59)
    unknown = zone is None or "-0000" in text or not _ZONE.search(text)
    return seconds - east * 60, UNKNOWN_ZONE if unknown else east
