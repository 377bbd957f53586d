"""The order of arrival of copies on several lists, as far as their archives tell it.

Theory of operation
-------------------
An archive is written in the order in which its list got its mail, so within a file nothing is moved.  The files of one
list follow each other by the median of the dates in them (archives by month have names that do not sort by month), then
by name.  What came from elsewhere than a file, claims of a peer, is taken as a file in the order of its dates.

Between lists there is no common order but what dates say, and a date may say anything.  So each list has a **clock**
that never runs back: it stands at the latest date so far, where a date counts only as far as the copies that follow it
confirm it: not beyond the third smallest of the next seven.  One mail from 2038 moves it by a few copies, one from 1970
not at all.  A copy without a date arrives when the one before it does.  All copies are then merged by the clock of
their list; ties go by the list's name, then by the order within it.

Who can lie: the author about the date of each mail.  It moves whole stretches of a list against others only for who
can post more than half of them; it decides no edge, and no number but those of what happens in order of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from itertools import groupby
from statistics import median_low

from weft.core.date import MISSING

_NEXT = 7
_DOUBTED = 3
"""So many of the next copies must say less for a date to be doubted."""


def arrival_order(
    lists: Sequence[int], files: Sequence[int], places: Sequence[int], seconds: Sequence[int]
) -> list[int]:
    """The numbers of all copies in order of arrival.

    Of each copy: the number of its list, of the file in which it stands (in the order of their names), where in the
    file, and its date (`weft.core.date.MISSING` if it has none).
    """
    order = _in_lists(lists, files, places, seconds)
    clocks: list[int] = [0] * len(order)
    for _, group in groupby(order, key=lists.__getitem__):
        copies = list(group)
        for copy, now in zip(copies, clock([seconds[copy] for copy in copies]), strict=True):
            clocks[copy] = now
    order.sort(key=clocks.__getitem__)  # stable, so ties stay by list and place
    return order


def clock(seconds: Sequence[int]) -> list[int]:
    """The clock of one list at each of its copies: it never runs back."""
    dates = [date for date in seconds if date != MISSING]
    if not dates:
        return list(seconds)
    confirmed = iter([_confirmed(dates, place) for place in range(len(dates))])
    now = _confirmed(dates, 0)
    clocks = []
    for date in seconds:
        if date != MISSING:
            now = max(now, next(confirmed))
        clocks.append(now)
    return clocks


def _confirmed(dates: Sequence[int], place: int) -> int:
    """The date at a place, or what the dates that follow leave of it."""
    date, following = dates[place], dates[place + 1 : place + 1 + _NEXT]
    if len(following) < _DOUBTED or sum(other < date for other in following) < _DOUBTED:
        return date
    return nsmallest(_DOUBTED, following)[-1]


def _in_lists(lists: Sequence[int], files: Sequence[int], places: Sequence[int], seconds: Sequence[int]) -> list[int]:
    """All copies, list by list, file by file."""
    dates: dict[int, list[int]] = {file: [] for file in files}
    for file, date in zip(files, seconds, strict=True):
        if date != MISSING:
            dates[file].append(date)
    # A file without a date stands behind the others of its list.
    ranks = {file: (not found, median_low(found) if found else 0, file) for file, found in dates.items()}
    return sorted(range(len(lists)), key=lambda copy: (lists[copy], ranks[files[copy]], places[copy]))
