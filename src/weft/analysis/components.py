"""Two ways to say what belongs together: trees of the forest, and components.

A **tree** is what a reader calls a thread: a root and all that hangs on it.  A **component** is all ids that are
connected by any reference at all, in References or In-Reply-To of any copy, whoever of them is held.  Every tree lies
within one component; a component holds several trees where a mail names ids that are not above it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping

from weft.analysis.corpus import Corpus
from weft.analysis.corpus_forest import named_in


def components(corpus: Corpus) -> array[int]:
    """For each node a node that stands for its component, the same for all of it."""
    joined = Joined()
    for copy, node in enumerate(corpus.nodes):
        joined.join(node, refers(corpus, copy))
    return array("i", map(joined.top, range(len(corpus.forest.ids))))


def pieces(corpus: Corpus) -> Iterator[tuple[int, Mapping[int, int]]]:
    """For each list the components that it would see alone: its number, and for each node that its copies are about
    a node that stands for the piece."""
    copies: list[list[int]] = [[] for _ in corpus.names]
    for copy, number in enumerate(corpus.lists):
        copies[number].append(copy)
    for number, own in enumerate(copies):
        joined = Joined()
        for copy in own:
            joined.join(corpus.nodes[copy], refers(corpus, copy))
        yield number, {corpus.nodes[copy]: joined.top(corpus.nodes[copy]) for copy in own}


def refers(corpus: Corpus, copy: int) -> set[int]:
    """The nodes that a copy names in References or In-Reply-To."""
    replies, references = named_in(corpus, copy)
    return {*replies, *references}


class Joined:
    """Nodes that were joined are one set; `top` halves the way as it goes, so that ways stay short (union-find)."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._above)

    def join(self, node: int, others: Iterable[int]) -> None:
        """Make one set of these."""
        own = self.top(node)
        for other in others:
            root = self.top(other)
            low, high = (own, root) if own < root else (root, own)
            self._above[high] = own = low

    def top(self, node: int) -> int:
        """The smallest node of the set in which a node is."""
        above = self._above
        higher = above.setdefault(node, node)
        while higher != node:
            above[node] = higher = above[higher]
            node, higher = higher, above[higher]
        return node
