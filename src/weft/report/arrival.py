"""Does the thread depend on who came first?  The same mail in several orders of arrival, linked in two ways.

Theory of operation
-------------------
The first order is that of arrival, the others are drawn from a seed.  In each the copies are linked as the textbook
says (`weft.report.jwz`; of several copies of one id the first is taken) and woven by `weft.core.forest`.  Two servers
with equal mail agree only as far as the result is the same in every order.  What is counted:

* ids whose parent is not the same in all orders: messages, and ghosts, which a reader sees only as gaps;
* threads of the first order whose messages are not, in every order, one whole thread: messages come or go;
* links that the textbook refused, as they would close a loop.  Which one of a loop is refused depends on the order too.

Weft's numbers are measured in the same way, and are 0 because its forest is a function of the set of copies.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from weft.core.forest import root_of_each
from weft.errors import UsageError
from weft.export.words import count
from weft.report.corpus import Corpus
from weft.report.jwz import chains, link
from weft.report.sentences import bullet
from weft.report.table import draw, number
from weft.report.weaving import weave


@dataclass(frozen=True, slots=True)
class Spread:
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
    textbook: Spread
    weft: Spread
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
        weft.take(weave(corpus, order).parents)
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

    def spread(self) -> Spread:
        """What the runs have shown."""
        moved = [node for node, mark in enumerate(self._moved) if mark]
        messages = sum(1 for node in moved if self._holders[node])
        # A thread's label is its first message, so a mark there says that its size changed.
        others = {self._labels[node] for node, mark in enumerate(self._other) if mark and self._holders[node]}
        return Spread(messages, len(moved) - messages, len(others), sum(map(bool, self._sizes)))


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
