"""Points and periods of time as people type them: a day, RFC 3339, how long ago, a month, or from one to another."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from weft.errors import UsageError

_AGO = re.compile(r"([0-9]{1,6})([hdwy])")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_MONTH = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_since(text: str, now: float) -> int:
    """Seconds since 1970 of ``2003-02-10``, ``2003-02-10T12:00:00Z`` or ``7d`` (h, d, w, y before ``now``).

    A year or a month is its beginning.  What names no zone is in UTC.  `UsageError` for anything else.
    """
    if ago := _AGO.fullmatch(text):
        return int(now) - int(ago[1]) * _SECONDS[ago[2]]
    try:
        if found := _MONTH.fullmatch(text):
            return _seconds(int(found[1]), int(found[2] or 1))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a date; give one like 2003-02, 2003-02-10, 2003-02-10T12:00:00Z or 7d"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def parse_period(text: str, now: float) -> tuple[int | None, int | None]:
    """(from, up to but without) of ``2024``, ``2024-01``, ``2024-01-05``, or ``A..B`` of these or of points of time.

    Seconds since 1970; None where ``A..`` or ``..B`` leaves an end open.  B counts to its end.  `UsageError` for
    anything else, and for a period that ends before it begins.
    """
    first, between, last = text.partition("..")
    if not between:
        return _whole(text, now)
    start = _whole(first, now)[0] if first else None
    end = _whole(last, now)[1] if last else None
    if not (first or last) or (start is not None and end is not None and start >= end):
        raise UsageError(f"{text!r} is not a period; give one like 2024-01..2024-06")
    return start, end


def _whole(text: str, now: float) -> tuple[int, int]:
    """The beginning of a year, a month, a day or a second, and of the one after it."""
    start = parse_since(text, now)
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2] or 12)
        if (year, month) == (9999, 12):
            raise UsageError(f"{text!r} is not a date; nothing is known of the time after it")
        return start, _seconds(year + month // 12, month % 12 + 1)
    return start, start + (86400 if _DAY.fullmatch(text) else 1)


def _seconds(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())
