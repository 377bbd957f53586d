"""The textbook: JWZ's message threading and RFC 5256 section 3 (REFERENCES), step 1, which links messages as they come.

Theory of operation
-------------------
Every id has a container.  A message names a chain: its References, or without any the first id of its In-Reply-To.
Each id of the chain becomes the parent of the next, unless that one has a parent already or a loop would come of it.
Then the message itself is taken from whatever parent others gave it and hung below the last id of the chain, unless
that makes a loop; without a chain it becomes a root.  A message whose id has come before is skipped: the first is kept.
So it matters who comes first: that is what `weft.analysis.arrival_order` measures.

Ids are read from the headers by Weft's rules; only the linking is the textbook's.  The later steps (pruning empty
containers, sorting, joining by subject) decide no parent and are left out.

A loop could come only of a link below one's own descendant.  A container without children has none; for the others
sets of what was ever linked say "surely not" in all but constant time.  Where they do not, because a link was taken
away or a loop is real, one climbs: the cost is bounded by such links times depth.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from weft.analysis.corpus import Corpus
from weft.analysis.corpus_forest import named_in
from weft.core.forest import NONE


def chains(corpus: Corpus) -> list[array[int]]:
    """What each copy names, as the textbook reads it: References, else the first id of In-Reply-To."""
    found = []
    for copy in range(len(corpus.nodes)):
        replies, references = named_in(corpus, copy)
        found.append(references or replies[:1])
    return found


class Containers:
    """The containers of ``count`` ids.  ``parents``: of each, or `NONE`; ``refused``: links that would make a loop."""

    def __init__(self, count: int) -> None:
        self.parents = array("i", [NONE]) * count
        self.refused = 0
        self._children = array("i", [0]) * count
        self._sets = array("i", range(count))
        self._seen = bytearray(count)

    def add(self, node: int, chain: Sequence[int]) -> None:
        """The next message, unless its id has come before.  ``chain`` holds each id once, and not its own."""
        if self._seen[node]:
            return
        self._seen[node] = 1
        parents = self.parents
        above = NONE
        for link in chain:
            if above != NONE and parents[link] == NONE:
                self._link(link, above)
            above = link
        if parents[node] != above:
            self._unlink(node)
            if above != NONE:
                self._link(node, above)

    def _unlink(self, node: int) -> None:
        parent = self.parents[node]
        if parent != NONE:
            self._children[parent] -= 1
            self.parents[node] = NONE

    def _link(self, node: int, parent: int) -> None:
        """Hang a root below ``parent``."""
        if self._children[node] and self._is_above(node, parent):
            self.refused += 1
            return
        self.parents[node] = parent
        self._children[parent] += 1
        self._sets[self._set(node)] = self._set(parent)

    def _is_above(self, node: int, other: int) -> bool:
        """Whether ``other`` is ``node`` or hangs below it."""
        if self._set(node) != self._set(other):
            return False
        parents = self.parents
        while other not in (node, NONE):
            other = parents[other]
        return other == node

    def _set(self, node: int) -> int:
        """The representative of all that was ever linked with a node (union-find with path halving)."""
        sets = self._sets
        while sets[node] != node:
            sets[node] = node = sets[sets[node]]
        return node


def link(corpus: Corpus, chain_of: Sequence[array[int]], order: Iterable[int]) -> Containers:
    """The containers after the copies came in ``order``."""
    containers = Containers(len(corpus.holders))
    nodes = corpus.nodes
    for copy in order:
        containers.add(nodes[copy], chain_of[copy])
    return containers
