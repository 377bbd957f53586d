"""Two charts made of bars: what the server of a thread's root holds of it, and what each list lacks.

Theory of operation
-------------------
On lists where all reply to all, most is whole and what is lacked is little.  So each chart shows all of it first, on
one scale from 0, where little looks little; and beside or below it only what is lacked, on a scale of its own, which
is said.  Every bar stands beside its number.
"""

from __future__ import annotations

from collections.abc import Iterator

from weft.analysis.chart import Chart, bar, empty, names, stacked, swatch
from weft.analysis.crossposts import Crossposts, Lacks
from weft.analysis.number_tables import number, share
from weft.analysis.shared_threads import TENTHS, Origins
from weft.render.lanes.geometry import COLUMN, MARGIN
from weft.render.lanes.marks import text
from weft.render.picture_labels import count

_WIDE = 640
_ROW = 24
_STRIP = 26
_BAR = 13
_MANY_COLUMNS = 34


def origin_chart(found: Origins) -> Chart:
    """The share of each thread that the server where it began holds."""
    title = "What the server where a thread began holds of it"
    if not found.threads:
        return empty(title, "No thread is on two lists or more: there is nothing to compare.")
    said = (
        f"{count(found.threads, 'thread')} on two lists or more. A thread began on the list that holds its root; "
        "of several such lists, the one that holds most of it is taken.",
    )
    parts = [*_all_of_them(found)]
    high = 96
    if found.lacking:
        parts += _those_that_lack(found, high + 22)
        high += 68 + TENTHS * _ROW
    return Chart(title, said, "\n".join(parts) + "\n", _WIDE + 2 * MARGIN, high)


def _all_of_them(found: Origins) -> Iterator[str]:
    groups = (
        (found.whole, "bar c0", "it holds all messages"),
        (found.lacking, "bar c1", "it lacks messages, which other lists hold"),
        (found.root_unseen, "hole dim", "nobody here holds the root, so there is no such server"),
    )
    shown = [(value, look) for value, look, _ in groups]
    yield from stacked(MARGIN, _STRIP / 2, _STRIP, (_WIDE - 4) / found.threads, shown)
    for place, (value, look, words) in enumerate(groups):
        yield swatch(MARGIN, _STRIP + 18 + 18 * place, look, f"{share(value, found.threads)}: {words}")


def _those_that_lack(found: Origins, top: float) -> Iterator[str]:
    which = f"the {number(found.lacking)}" if found.lacking > 1 else "the one"
    yield text(MARGIN, top, f"{which} of which it lacks messages, by the share that it holds", "ink b")
    yield text(MARGIN, top + 18, f"a scale of its own: {count(max(found.tenths), 'thread')} in the longest bar", "dim")
    left = MARGIN + 12 * COLUMN
    unit = (_WIDE - 12 * COLUMN - 8 * COLUMN) / max(found.tenths)
    for place, tenth in enumerate(reversed(range(TENTHS))):
        y, value = top + 44 + place * _ROW, found.tenths[tenth]
        yield text(left - 10, y, f"{tenth * 10} to {tenth * 10 + 10} %", "dim end")
        yield bar(left, y, _WIDE + MARGIN - left, _ROW - 8, "track dim")
        yield from stacked(left, y, _ROW - 8, unit, [(value, "bar c1")])
        yield text(left + value * unit + 8, y, number(value), "ink" if value else "dim")


def lacks_chart(report: Crossposts) -> Chart:
    """What each list lacks of its own threads: all on one scale, and beside it only what is lacked."""
    title = "What each list lacks of its own threads"
    rows = [(name, counts.messages, counts.lacks) for name, counts in report.lists.items()]
    most = max((held + lacks.messages for _, held, lacks in rows), default=0)
    if not most:
        return empty(title, "No list holds a message.")
    said = (
        "A thread is a list's own if the list holds any message of it. It can ask for a message that its mail names; "
        "of one that no mail of it names, it does not know.",
    )
    return _Lacks(rows, most).chart(title, said)


class _Lacks:
    """The columns of that chart: names, all messages, numbers, what is lacked, numbers."""

    def __init__(self, rows: list[tuple[str, int, Lacks]], most: int) -> None:
        self._rows, self._most = rows, most
        self._lacked = max(lacks.messages for _, _, lacks in rows)
        self._names, wide = names([name for name, _, _ in rows], _MANY_COLUMNS)
        self._all = MARGIN + wide + 14
        self._numbers = self._all + 290 + 10
        digits = max(len(_numbers(held, lacks.messages)) for _, held, lacks in rows)
        self._only = self._numbers + digits * COLUMN + 36
        self._end = self._only + 250 + 10

    def chart(self, title: str, said: tuple[str, ...]) -> Chart:
        top = 70 if self._lacked else 52
        parts = [*self._legend()]
        for place, (name, (_, held, lacks)) in enumerate(zip(self._names, self._rows, strict=True)):
            parts += self._row(top + place * _ROW, name, held, lacks)
        last = max(len(_numbers(lacks.named, lacks.not_named)) for _, _, lacks in self._rows) * COLUMN
        wide = self._end + last if self._lacked else self._only + 200
        return Chart(title, said, "\n".join(parts) + "\n", int(wide) + MARGIN, top + len(self._rows) * _ROW + 4)

    def _legend(self) -> Iterator[str]:
        yield text(self._all, 8, "messages of its own threads", "ink b")
        yield swatch(self._all, 28, "bar c0", "that it holds")
        yield swatch(self._all + 150, 28, "bar c1", "that it lacks")
        if self._lacked:
            yield text(self._only, 8, "only what it lacks (a scale of its own)", "ink b")
            yield swatch(self._only, 28, "bar c1", "that it can name")
            yield swatch(self._only, 46, "hole c1", "that none of its mail names")

    def _row(self, y: float, name: str, held: int, lacks: Lacks) -> Iterator[str]:
        yield text(self._all - 14, y, name, "ink end")
        yield bar(self._all, y, 290, _BAR, "track dim")
        yield from stacked(self._all, y, _BAR, 286 / self._most, [(held, "bar c0"), (lacks.messages, "bar c1")])
        yield text(self._numbers, y, _numbers(held, lacks.messages), "ink")
        if not self._lacked:
            return
        yield bar(self._only, y, 250, _BAR, "track dim")
        parts = [(lacks.named, "bar c1"), (lacks.not_named, "hole c1")]
        yield from stacked(self._only, y, _BAR, 246 / self._lacked, parts)
        yield text(self._end, y, _numbers(lacks.named, lacks.not_named), "ink" if lacks.messages else "dim")


def _numbers(one: int, other: int) -> str:
    return f"{number(one)} + {number(other)}" if one or other else "0"
