"""Periods of time that archives are cut into, in the names of files and directories: which there are, and their order.

Known are years, halves, quarters, months, weeks and days as digits, months and seasons by their names, and volumes with
their issues: pipermail writes months in the language of its server (``2003-February``, ``2003-Februar``), others behind
a name (``dev-2003-02``), before the year (``Feb2003``, ``Feb-03``), or as a folder of the year with files in it
(``2003/02``).  Majordomo writes two digits of the year and two of the month (``dev.0302``).
A rotated file ends in its number, which grows with its age (``dev.mbox.1``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from weft._patterns import deferred

_MONTHS = (
    "jan january januar janvier enero gennaio januari janeiro",
    "feb february februar février fevrier febrero febbraio februari fevereiro",
    "mar march märz maerz mars marzo maart março marco",
    "apr april avril abril aprile",
    "may mai mayo maggio mei maio",
    "jun june juni juin junio giugno junho",
    "jul july juli juillet julio luglio julho",
    "aug august août aout agosto augustus",
    "sep sept september septembre septiembre settembre setembro",
    "oct october oktober octobre octubre ottobre outubro",
    "nov november novembre noviembre novembro",
    "dec december dezember décembre decembre diciembre dicembre dezembro",
)
"""Names of each month, in English, German, French, Spanish, Italian, Dutch and Portuguese."""
_NUMBER = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_WORD = deferred(r"[^\W\d_]{3,10}")
_YEAR = r"(?:19[7-9][0-9]|20[0-9][0-9])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_SHORT = rf"(?:{_MONTH}|[1-9])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_NAME = r"\0+"  # as `_marked` leaves it
_SHORT_YEAR = "[0-37-9][0-9]"
_SEASON = "(?:spring|summer|autumn|fall|winter)"
_WEEK = "w(?:ee)?k?[-_.]?(?:[0-4]?[0-9]|5[0-3])"
_PART = rf"(?:{_NAME}|{_SEASON}|q[1-4]|[1-4]q|h[12]|{_WEEK})"
"""What stands on either side of a year."""
_PERIOD = (
    rf"(?:{_YEAR}(?:[-_.]?{_MONTH}(?:[-_.]?{_DAY}|[-_.]{_NAME})?|[-_.][1-9]|[-_.]?{_PART}"
    rf"|[-_.]?{_NAME}[-_.]?{_NAME})?|{_PART}[-_.]?{_YEAR}|{_SHORT}[-_.]{_YEAR}|{_DAY}[-_.]{_NAME}[-_.]{_YEAR}"
    rf"|(?:{_NAME}|[1-4]q|q[1-4])[-_.']?{_SHORT_YEAR}|y{_YEAR}m{_MONTH}|week-of-mon-{_YEAR}{_MONTH}{_DAY}"
    r"|(?:vol(?:ume)?|issue)[-_.]?[0-9]{1,4}(?:[-_.]?(?:no?|issue)[-_.]?[0-9]{1,4})?|v[0-9]{1,4}[-_.]?n[0-9]{1,4})"
)
_IS_PERIOD = deferred(_PERIOD, re.IGNORECASE | re.ASCII)
_IS_SHORT_PERIOD = deferred(rf"{_SHORT_YEAR}[-_.]{_MONTH}|log{_SHORT_YEAR}{_MONTH}[a-z]?", re.IGNORECASE | re.ASCII)
_IS_YEAR = deferred(_YEAR, re.ASCII)
_IS_MONTH = deferred(rf"{_YEAR}[-_.]?{_MONTH}")
_IN_A_YEAR = deferred(rf"{_SHORT}|{_PART}", re.IGNORECASE | re.ASCII)
_IS_DAY = deferred(_DAY)
_ENDS_IN_PERIOD = deferred(rf"(.*?[^-_.])[-_.](?:to[-_.])?{_PERIOD}", re.IGNORECASE | re.ASCII | re.DOTALL)
_MAJORDOMO = deferred(rf"(.*[^-_.0-9])\.[0-9]{{2}}{_MONTH}(?:{_DAY})?", re.DOTALL)
_ROTATED = deferred(r"(.*[^\W\d_])\.[1-9][0-9]?", re.DOTALL)
_NAMED_MONTH = deferred(
    rf"(?<![^/\-_.])(?:({_YEAR})([-_./]?)({_NAME})|({_NAME})[-_.']?({_YEAR}|{_SHORT_YEAR}))(?![^/\-_.])"
)
_DIGITS = deferred(r"([0-9]+)", re.ASCII)


@lru_cache(maxsize=1024)
def _marked(name: str) -> str:
    """The same with as many NULs, which no name has, as the name of each month in it has letters."""
    return _WORD.sub(lambda word: "\0" * len(word[0]) if _is_month(word[0].lower()) else word[0], name)


def _is_month(word: str) -> bool:
    """Whether a word is the name of a month, or two short ones as of a quarter (``janmar``)."""
    return word in _NUMBER or (len(word) == 6 and word[:3] in _NUMBER and word[3:] in _NUMBER)


def is_period(name: str) -> bool:
    """Whether a name says nothing but a period."""
    return _IS_PERIOD.fullmatch(_marked(name)) is not None


def is_period_of_file(name: str) -> bool:
    """The same of a file's name without suffixes, where a year may have two digits (``03-01``, ``LOG0301A``)."""
    return is_period(name) or _IS_SHORT_PERIOD.fullmatch(name) is not None


def without_period(name: str) -> str | None:
    """A name without the period at its end, or the number of a rotated file; None if there is none."""
    found = _ENDS_IN_PERIOD.fullmatch(_marked(name)) or _MAJORDOMO.fullmatch(name) or _ROTATED.fullmatch(name)
    return name[: found.end(1)] if found else None


def is_part(name: str, above: Sequence[str]) -> bool:
    """Whether a name is a month or a quarter in a directory that is a year, or a day in one that is a month."""
    last = above[-1] if above else ""
    if _IS_YEAR.fullmatch(last):
        return _IN_A_YEAR.fullmatch(_marked(name)) is not None
    in_year = len(above) > 1 and _IS_YEAR.fullmatch(above[-2]) and _IN_A_YEAR.fullmatch(_marked(last))
    return bool(in_year or _IS_MONTH.fullmatch(last)) and _IS_DAY.fullmatch(name) is not None


def in_order(path: str) -> tuple[list[tuple[int, str]], str]:
    """What paths are sorted by: months in the order of the calendar, and numbers as numbers."""
    pieces, end = [], 0
    for found in _NAMED_MONTH.finditer(_marked(path)):
        group = 3 if found[1] else 4
        word = path[found.start(group) : found.end(group)].lower()
        month = f"{_NUMBER[word if word in _NUMBER else word[:3]]:02}"
        year = _whole_year(found[1] or found[5])
        pieces += [path[end : found.start()], f"{found[1]}{found[2]}{month}" if found[1] else f"{year}-{month}"]
        end = found.end()
    counted = "".join([*pieces, path[end:]])
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(counted)], path


def _whole_year(year: str) -> str:
    return year if len(year) == 4 else f"{'20' if year < '70' else '19'}{year}"
