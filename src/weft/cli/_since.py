"""Points in time as people type them: a day, RFC 3339, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from weft.errors import UsageError

_AGO = re.compile(r"([0-9]{1,6})([hdwy])")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


def parse_since(text: str, now: float) -> int:
    """Seconds since 1970 of ``2003-02-10``, ``2003-02-10T12:00:00Z`` or ``7d`` (h, d, w, y before ``now``).

    What names no zone is in UTC.  `UsageError` for anything else.
    """
    if ago := _AGO.fullmatch(text):
        return int(now) - int(ago[1]) * _SECONDS[ago[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date; give one like 2003-02-10, 2003-02-10T12:00:00Z or 7d") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
