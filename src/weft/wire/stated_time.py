"""Dates of mail on the wire: a moment and the zone in which it was stated, and back to RFC 3339.

A moment outside of the years 1-9999 in UTC does not fit into a ``google.protobuf.Timestamp``; it is left out, as a date
that cannot be read is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

from weft.core.date import UNKNOWN_ZONE, format_date
from weft.errors import AnswerError
from weft.v1 import threads_pb2 as wire

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The seconds that a ``Timestamp`` can have."""
_DAY = 1440
_UNKNOWN = "-00:00"


def timestamp(seconds: int) -> Timestamp | None:
    """Seconds since 1970 as a message; None if they do not fit."""
    return Timestamp(seconds=seconds) if _FIRST <= seconds <= _LAST else None


@lru_cache(maxsize=1024)  # a message and its copies have nearly always the same
def to_stated_time(date: str | None) -> wire.StatedTime | None:
    """An RFC 3339 date of `weft.model`; None if there is none, or it does not fit."""
    if not date:
        return None
    moment = datetime.fromisoformat(date)
    time = timestamp((moment - _EPOCH) // _SECOND)
    if time is None:
        return None
    offset = moment.utcoffset()
    minutes = None if offset is None or date.endswith(_UNKNOWN) else offset // timedelta(minutes=1)
    return wire.StatedTime(time=time, utc_offset_minutes=minutes)


def from_stated_time(found: wire.StatedTime) -> str | None:
    """RFC 3339, or None if there is no time in it; `AnswerError` for what is no date."""
    if not found.HasField("time"):
        return None
    stated = found.HasField("utc_offset_minutes")
    zone = found.utc_offset_minutes if stated else UNKNOWN_ZONE
    local = found.time.seconds + (60 * zone if stated else 0)
    if (stated and abs(zone) >= _DAY) or not (_FIRST <= found.time.seconds <= _LAST and _FIRST <= local <= _LAST):
        raise AnswerError("a date outside of the years 1-9999, or in no zone")
    return format_date(found.time.seconds, zone)


def server_time(text: str) -> Timestamp | None:
    """A time of a server, RFC 3339 in UTC."""
    return timestamp((datetime.fromisoformat(text) - _EPOCH) // _SECOND)


def from_server_time(found: Timestamp) -> str:
    """RFC 3339 in UTC; `AnswerError`."""
    if not _FIRST <= found.seconds <= _LAST:
        raise AnswerError("a time outside of the years 1-9999")
    return (_EPOCH + timedelta(seconds=found.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
