"""Does the thread depend on who came first?  The same mail in several orders of arrival, linked in two ways.

Theory of operation
-------------------
The first order is that of arrival, the others are drawn from a seed.  In each the copies are linked as the textbook
says (`weft.analysis.jwz`; of several copies of one id the first is taken) and woven by `weft.core.forest`.  Two servers
with equal mail agree only as far as the result is the same in every order.  What is counted:

* ids whose parent is not the same in all orders: messages, and ghosts, which a reader sees only as gaps;
* threads of the first order whose messages are not, in every order, one whole thread: messages come or go;
* links that the textbook refused, as they would close a loop.  Which one of a loop is refused depends on the order too.

Weft's numbers are measured in the same way, and are 0 because its forest is a function of the set of copies.

The order of arrival of copies on several lists, as far as their archives tell it.

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

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import groupby
from random import Random
from statistics import median_low

from weft.analysis.bullets import bullet
from weft.analysis.corpus import Corpus
from weft.analysis.corpus_forest import build_forest
from weft.analysis.jwz import chains, link
from weft.analysis.number_tables import draw, number
from weft.core.date import MISSING
from weft.core.forest import root_of_each
from weft.errors import UsageError
from weft.render.picture_labels import count


@dataclass(frozen=True, slots=True)
class ArrivalSpread:
    """How far one way of linking depends on the order.

    ``messages`` and ``ghosts``  ids whose parent does
    ``threads``     threads of the first order whose messages do
    ``of_threads``  all threads of the first order
    """

    messages: int
    ghosts: int
    threads: int
    of_threads: int

    def as_json(self) -> dict[str, object]:
        """Its part of the report."""
        return {
            "messages_with_another_parent": self.messages,
            "ghosts_with_another_parent": self.ghosts,
            "threads": self.of_threads,
            "threads_with_other_messages": self.threads,
        }


@dataclass(frozen=True, slots=True)
class Arrival:
    """What ``runs`` orders of the same ``copies`` gave; the first is the order of arrival, the rest come of ``seed``.

    ``messages``  ids that somebody holds, ``ghosts`` ids that are only named
    ``refused``   links that the textbook refused, in each order
    ``unlike``    messages whose parent in the order of arrival is not the one that Weft gives them
    """

    runs: int
    seed: int
    copies: int
    messages: int
    ghosts: int
    textbook: ArrivalSpread
    weft: ArrivalSpread
    refused: tuple[int, ...]
    unlike: int

    def as_json(self) -> dict[str, object]:
        """For programs."""
        textbook = self.textbook.as_json()
        textbook["links_refused"] = list(self.refused)
        textbook["messages_with_another_parent_than_weft"] = self.unlike
        return {
            "orders": self.runs,
            "seed": self.seed,
            "copies": self.copies,
            "messages": self.messages,
            "ghosts": self.ghosts,
            "textbook": textbook,
            "weft": self.weft.as_json(),
        }

    @property
    def refused_words(self) -> str:
        """From how few to how many links the textbook refused."""
        least, most = min(self.refused), max(self.refused)
        return number(least) if least == most else f"{number(least)} to {number(most)}"

    def lines(self, columns: int) -> Iterator[str]:
        """For people: a table, and what stands in it."""
        textbook, weft = self.textbook, self.weft
        orders = count(self.runs, "order")
        yield from draw(
            [("messages", "moved"), ("ghosts", "moved"), ("threads", "changed"), ("links", "refused")],
            [
                ("all there is", (self.messages, self.ghosts, textbook.of_threads, "")),
                (
                    f"textbook (JWZ, RFC 5256), {orders}",
                    (textbook.messages, textbook.ghosts, textbook.threads, self.refused_words),
                ),
                ("Weft, woven again in each of them", (weft.messages, weft.ghosts, weft.threads, "")),
            ],
            columns,
            whole=True,
        )
        yield ""
        for text in (
            "Moved: its parent is not the same in every order. Changed: its messages are not.",
            f"Linked in order of arrival, the textbook gives {count(self.unlike, 'message')} another parent than Weft.",
        ):
            yield from bullet(text, columns)


def arrival(corpus: Corpus, runs: int = 6, seed: int = 1) -> Arrival:
    """Link a corpus in ``runs`` orders (the order of arrival, then others drawn from ``seed``) in both ways.

    `UsageError` for less than one run.
    """
    if runs < 1:
        raise UsageError(f"{runs} orders of arrival cannot be compared; ask for one or more")
    random = Random(seed)  # noqa: S311 - a seeded experiment, not a secret
    order = list(range(len(corpus.nodes)))
    named = chains(corpus)
    refused: list[int] = []
    textbook, weft = _Comparison(corpus.holders), _Comparison(corpus.holders)
    for _ in range(runs):
        containers = link(corpus, named, order)
        refused.append(containers.refused)
        textbook.take(containers.parents)
        weft.take(build_forest(corpus, order).parents)
        random.shuffle(order)
    pairs = zip(corpus.holders, textbook.first, weft.first, strict=True)
    messages = sum(map(bool, corpus.holders))
    return Arrival(
        runs,
        seed,
        len(order),
        messages,
        len(corpus.holders) - messages,
        textbook.spread(),
        weft.spread(),
        tuple(refused),
        sum(1 for holders, one, other in pairs if holders and one != other),
    )


class _Comparison:
    """Takes the parents of one run after the other and marks what is not as in the first."""

    def __init__(self, holders: Sequence[int]) -> None:
        self._holders = holders
        self._moved = bytearray(len(holders))
        self._other = bytearray(len(holders))
        self._labels = array("i")
        self._sizes = array("i")
        self.first = array("i")

    def take(self, parents: array[int]) -> None:
        """The parents of one run."""
        labels, sizes = _labels(parents, self._holders)
        if not self._labels:
            self.first, self._labels, self._sizes = parents, labels, sizes
            return
        _mark(self._moved, self.first, parents)
        _mark(self._other, self._labels, labels)
        _mark(self._other, self._sizes, sizes)

    def spread(self) -> ArrivalSpread:
        """What the runs have shown."""
        moved = [node for node, mark in enumerate(self._moved) if mark]
        messages = sum(1 for node in moved if self._holders[node])
        # A thread's label is its first message, so a mark there says that its size changed.
        others = {self._labels[node] for node, mark in enumerate(self._other) if mark and self._holders[node]}
        return ArrivalSpread(messages, len(moved) - messages, len(others), sum(map(bool, self._sizes)))


def _mark(marks: bytearray, one: array[int], other: array[int]) -> None:
    """Mark where two columns differ."""
    if one != other:
        for node, (value, now) in enumerate(zip(one, other, strict=True)):
            if value != now:
                marks[node] = 1


def _labels(parents: Sequence[int], holders: Sequence[int]) -> tuple[array[int], array[int]]:
    """Of each node the first message of its tree (-1: a tree of ghosts), and at such a node how many there are."""
    top = root_of_each(parents)
    first = array("i", [-1]) * len(parents)
    sizes = array("i", [0]) * len(parents)
    for node, root in enumerate(top):
        if holders[node]:
            if first[root] < 0:
                first[root] = node
            sizes[first[root]] += 1
    return array("i", map(first.__getitem__, top)), sizes


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
