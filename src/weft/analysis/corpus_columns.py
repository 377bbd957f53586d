"""The columns of a `weft.analysis.corpus.Corpus` while they are filled, copy by copy, and their order at the end."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from weft.analysis.arrival_order import arrival_order
from weft.analysis.corpus import Corpus
from weft.core.forest import NONE, Forest


class Columns:
    """Copies of some lists, in the order in which they were read; `corpus` puts them in order of arrival."""

    def __init__(self) -> None:
        self.nodes = array("i")
        self._lists = array("i")
        self._files = array("i")
        self._places = array("q")
        self._seconds = array("q")
        self._authors: list[bytes] = []
        self._subjects: list[bytes] = []
        self._sane = bytearray()
        self._reply_starts = array("i", [0])
        self._replies = array("i")
        self._reference_starts = array("i", [0])
        self._references = array("i")
        self._texts: dict[bytes, bytes] = {}

    def add(
        self, node: int, number: int, place: tuple[int, int], replies: Sequence[int], sane: bool, chain: Sequence[int]
    ) -> None:
        """One more copy: its list's number, its place, In-Reply-To and References; `describe` comes next.

        ``place``: (file, where in it).  Files are numbers whose order does not depend on who asked.
        """
        self.nodes.append(node)
        self._lists.append(number)
        self._files.append(place[0])
        self._places.append(place[1])
        self._sane.append(sane)
        self._replies.extend(replies)
        self._reply_starts.append(len(self._replies))
        self._references.extend(chain)
        self._reference_starts.append(len(self._references))

    def describe(self, seconds: int, author: bytes, subject: bytes) -> None:
        """What the copy that was added last says of itself."""
        self._seconds.append(seconds)
        self._authors.append(self._texts.setdefault(author, author))
        self._subjects.append(self._texts.setdefault(subject, subject))

    def corpus(self, names: Sequence[str], forest: Forest, places: Mapping[int, int] | None = None) -> Corpus:
        """All of them in order of arrival (`weft.analysis.arrival_order`), with the forest of them all.

        ``names`` are those of the lists, sorted; ``places``: where among them the list of each number stands, if its
        number does not say so.  Nodes are numbered anew, as the copies name them, so that equal copies give equal
        columns whatever the order in which they were read.
        """
        lists = self._lists if places is None else array("i", map(places.__getitem__, self._lists))
        order = arrival_order(lists, self._files, self._places, self._seconds)
        numbers = self._numbers(order, len(forest.ids))
        holders = [0] * len(forest.ids)
        for node, number in zip(self.nodes, lists, strict=True):
            holders[numbers[node]] |= 1 << number
        reply_starts, replies = _rows(order, self._reply_starts, self._replies, numbers)
        reference_starts, references = _rows(order, self._reference_starts, self._references, numbers)
        return Corpus(
            tuple(names),
            _renumbered(forest, numbers),
            holders,
            array("i", (numbers[self.nodes[copy]] for copy in order)),
            array("i", map(lists.__getitem__, order)),
            array("q", map(self._seconds.__getitem__, order)),
            [self._authors[copy] for copy in order],
            [self._subjects[copy] for copy in order],
            bytearray(map(self._sane.__getitem__, order)),
            reply_starts,
            replies,
            reference_starts,
            references,
        )

    def _numbers(self, order: Sequence[int], nodes: int) -> array[int]:
        """The new number of each node: in the order in which copies are about it or name it."""
        numbers = array("i", [NONE]) * nodes
        given = 0
        for copy in order:
            chain = self._references[self._reference_starts[copy] : self._reference_starts[copy + 1]]
            replies = self._replies[self._reply_starts[copy] : self._reply_starts[copy + 1]]
            for node in (*chain, *replies, self.nodes[copy]):
                if numbers[node] == NONE:
                    numbers[node] = given
                    given += 1
        assert given == nodes, "every node of the forest is one that some copy names"
        return numbers


def _rows(
    order: Sequence[int], starts: array[int], values: array[int], numbers: Sequence[int]
) -> tuple[array[int], array[int]]:
    """A column of rows of nodes in another order, with other numbers."""
    new_starts, new_values = array("i", [0]), array("i")
    for row in order:
        new_values.extend([numbers[node] for node in values[starts[row] : starts[row + 1]]])
        new_starts.append(len(new_values))
    return new_starts, new_values


def _renumbered(forest: Forest, numbers: Sequence[int]) -> Forest:
    """The same forest with other numbers for its nodes."""

    def number(node: int) -> int:
        return NONE if node == NONE else numbers[node]

    ids = [b""] * len(numbers)
    tiers = bytearray(len(numbers))
    parents = array("i", [NONE]) * len(numbers)
    for node, new in enumerate(numbers):
        ids[new], tiers[new], parents[new] = forest.ids[node], forest.tiers[node], number(forest.parents[node])
    contested = {numbers[node]: tuple(map(number, rivals)) for node, rivals in forest.contested.items()}
    cuts = {numbers[node]: numbers[parent] for node, parent in forest.cuts.items()}
    return Forest(ids, parents, tiers, contested, cuts)
