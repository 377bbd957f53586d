"""Dates in any form but the ordinary one: RFC 5322 section 4.3, and what programs have written instead.

Theory of operation
-------------------
Comments go, the rest is cut into tokens, and these are sorted into a day, a month, a year, a time of day and a zone,
whatever their order.  So one reader takes the obsolete syntax of RFC 5322, ctime (with or without a zone), ISO 8601,
the forms of IMAP, JavaScript and old news, AM and PM, and full names of months.

Each part but the zone has to be there, once.  What has two meanings (``02/03/2004``), lacks a part or has one twice
is not read: nothing is guessed.

A zone is an offset, or one of the names to which RFC 5322 gives one.  Any other is unknown, as the RFC says; so is that
of military letters but ``Z``.  An offset counts more than a name beside it.

A value has at most `weft.core.header.MAX_DATE` bytes, and each of them is looked at a few times.  The answers do not
depend on the version of Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from weft._patterns import deferred

_MONTHS = b"january february march april may june july august september october november december".split()
_MONTH = {name[:length]: n + 1 for n, name in enumerate(_MONTHS) for length in (3, len(name))} | {b"sept": 9}
_WEEKDAYS = b"monday tuesday wednesday thursday friday saturday sunday".split()
_WEEKDAY = {name[:length] for name in _WEEKDAYS for length in (2, 3, 4, 5, len(name))}
_NAMED_ZONES = {
    b"ut": 0, b"utc": 0, b"gmt": 0, b"z": 0, b"edt": -240, b"est": -300, b"cdt": -300, b"cst": -360, b"mdt": -360,
    b"mst": -420, b"pdt": -420, b"pst": -480,
}  # fmt: skip
_NOTHING = -1440
"""The offset ``-0000``, which says that it is unknown."""

_COMMENT_MARK = deferred(rb"\\.|[()]", re.DOTALL)
_YEAR_FIRST = deferred(rb"(?<![0-9:])([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])(?:t(?=[0-9]))?")
_BASIC = deferred(rb"(?<![0-9])([0-9]{4})([0-9]{2})([0-9]{2})t([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])")
_JOINED = deferred(
    rb"(?<![0-9a-z])([0-9]{1,2}(?=[-/.][a-z])|[a-z]{3,9})([-/.])([a-z]{3,9}|[0-9]{1,2})\2([0-9]{2,4})(?![0-9])"
)
_SQUEEZED = deferred(rb"([0-9])([a-z]{3,9})([0-9])")
_TOKEN = deferred(
    rb"(?P<space>[ ,]+)"
    rb"|(?P<time>[0-9]{1,2} *: *[0-9]{1,2}(?: *: *[0-9]{1,2}(?:[.,][0-9]+)?)?(?![0-9:.])"
    rb"|[0-9]{1,2}\.[0-9]{2}(?:\.[0-9]{2})?(?![0-9:.]))"
    rb"|(?P<half>[ap])\.?m\.?(?![0-9a-z])"
    rb"|(?P<offset>(?:(?:gmt|utc?) *)?[-+] ?[0-9]{1,2}(?::?[0-9]{2})?(?![0-9a-z:.]))"
    rb"|(?P<number>[0-9]+)(?:(?:st|nd|rd|th)(?![a-z])|\.(?= ))?(?![0-9:])"
    rb"|(?P<word>[a-z\x80-\xff][-+0-9a-z_/\x80-\xff]*)\.?"
)


class Stated(NamedTuple):
    """The parts of a date as they are stated; whether there is such a day is not looked at."""

    year: int
    month: int
    day: int
    minute: int
    """Of the day, 0 to 1440."""
    second: int
    """0 to 60."""
    zone: int | None
    """Minutes east of UTC; None if unknown."""


@dataclass(slots=True)
class _Parts:
    """What was found so far."""

    words_before: int = 0
    """Words in front of everything else: a weekday, in whatever language."""
    small: list[bytes] = field(default_factory=list)
    """Numbers of one or two digits: the day, or the day and the year."""
    years: list[int] = field(default_factory=list)
    months: list[int] = field(default_factory=list)
    times: list[tuple[int, int, int]] = field(default_factory=list)
    halves: list[bytes] = field(default_factory=list)
    offsets: set[int | None] = field(default_factory=set)
    names: list[bytes] = field(default_factory=list)


def read_obsolete(value: bytes) -> Stated | None:
    """The date that ``value`` states, in whatever form; None if it has not one meaning."""
    text = _without_comments(value).replace(b"\t", b" ").lower().strip(b" \"'")
    text = _BASIC.sub(rb"\1-\2-\3t\4:\5:\6", text)
    text = _JOINED.sub(rb"\1 \3 \4 ", _YEAR_FIRST.sub(_day_first, text))
    text = _SQUEEZED.sub(rb"\1 \2 \3", text)
    parts, position = _Parts(), 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found or not _take(parts, found):
            return None
        position = found.end()
    return _whole(parts)


def _without_comments(value: bytes) -> bytes:
    """``value`` with a space for each comment, nested or not; one that does not end goes on up to the end."""
    kept, depth, start = [], 0, 0
    for mark in _COMMENT_MARK.finditer(value):
        if mark[0] == b"(":
            if not depth:
                kept.append(value[start : mark.start()])
            depth += 1
        elif mark[0] == b")" and depth:
            depth -= 1
            start = mark.end()
    if not depth:
        kept.append(value[start:])
    return b" ".join(kept)


def _day_first(found: re.Match[bytes]) -> bytes:
    """What begins with its year, in the other order; as it is if there is no such month."""
    month = int(found[3])
    return b"%s %s %s " % (found[4], _MONTHS[month - 1], found[1]) if 1 <= month <= 12 else found[0]


def _take(parts: _Parts, token: re.Match[bytes]) -> bool:
    """Sort one token in; False if it can be no part of a date."""
    kind = token.lastgroup or ""
    text = token[kind]
    if kind == "number":
        return _take_number(parts, text)
    if kind == "word":
        return _take_word(parts, text)
    if kind == "time":
        hour, minute, *rest = (int(part) for part in re.split(rb" *[:.,] *", text))
        parts.times.append((hour, minute, rest[0] if rest else 0))
    elif kind == "half":
        parts.halves.append(text)
    elif kind == "offset":
        parts.offsets.add(_offset(text))
        return bool(parts.times) and None not in parts.offsets
    return True


def _take_number(parts: _Parts, text: bytes) -> bool:
    if len(text) <= 2:
        parts.small.append(text)
    elif len(text) == 4 and parts.times and parts.years:
        parts.names.append(text)  # an offset without its sign says nothing
    elif len(text) <= 4:
        parts.years.append(int(text) + (1900 if len(text) == 3 else 0))
    return len(text) <= 4


def _take_word(parts: _Parts, text: bytes) -> bool:
    if text in _MONTH:
        parts.months.append(_MONTH[text])
    elif parts.times and text not in _WEEKDAY:
        parts.names.append(text)
    elif not text.isalpha() or not text.isascii():
        return False
    elif text not in _WEEKDAY:
        parts.words_before += 1
    return parts.words_before <= 1


def _offset(text: bytes) -> int | None:
    """Minutes east: ``+0200``, ``+02:00``, ``+200``, ``+2``, with or without GMT before it; None if there is none."""
    west = b"-" in text
    digits = re.sub(rb"[^0-9]", b"", text)
    if len(digits) <= 2:
        digits += b"00"
    minutes = int(digits[:-2]) * 60 + int(digits[-2:])
    if minutes >= 1440 or int(digits[-2:]) >= 60:
        return None
    return (-minutes or _NOTHING) if west else minutes


def _whole(parts: _Parts) -> Stated | None:
    """The date that the parts make, if each is there once."""
    small, years = parts.small, parts.years
    if len(small) == 2 and not years and len(small[1]) == 2:
        years = [int(small[1]) + (2000 if small[1] < b"50" else 1900)]
    elif len(small) != 1:
        return None
    if not len(years) == len(parts.months) == len(parts.times) == 1 or len(parts.offsets) > 1:
        return None
    hour, minute, second = parts.times[0]
    if parts.halves:
        if len(parts.halves) > 1 or not 1 <= hour <= 23 or (hour > 12 and parts.halves == [b"a"]):
            return None
        if hour <= 12:
            hour = hour % 12 + (12 if parts.halves == [b"p"] else 0)
    if minute > 59 or second > 60 or hour * 3600 + minute * 60 + second > 86400 + (second == 60):
        return None
    return Stated(years[0], parts.months[0], int(small[0]), hour * 60 + minute, second, _zone(parts))


def _zone(parts: _Parts) -> int | None:
    if parts.offsets:
        [offset] = parts.offsets
        return None if offset == _NOTHING else offset
    return _NAMED_ZONES.get(parts.names[0]) if len(parts.names) == 1 else None
