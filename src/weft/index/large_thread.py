"""Threads of any size, read in runs of messages: what a thread looks like first, and claims only where they are shown.

Theory of operation
-------------------
The order of a thread, its edges and ghosts stand in the view, so they are read without a single claim.  The messages of
a run are then made of the claims about them, wherever the run begins: nothing before it has to be read.  Only the
digest needs all claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256

from weft.index.coverage import CoverageReader
from weft.index.thread_reader import ThreadReader
from weft.model import Coverage, Message
from weft.policy.rules import thread_digest
from weft.thread_tree import to_text

RUN = 2000
"""Messages that are read at a time."""


class LargeThread:
    """One tree of a view, within snapshots of one state of it."""

    def __init__(self, reader: ThreadReader, root: int, *, hidden: bool) -> None:
        """``hidden``: with ghosts that have no held descendant."""
        self._reader = reader
        rows = reader.outline(root)
        withdrawn = len(reader.claim_filter.withdrawn)
        self.version = sha256(repr((rows, withdrawn, hidden)).encode()).digest()
        """What all runs have in common: another one where an edge, a date or the claims about an id are others."""
        self._tree = reader.gathered(rows)
        self._order = self._tree.order(hidden=hidden)
        self._hidden = hidden
        self._last: tuple[int, list[Message]] = -1, []

    @property
    def size(self) -> int:
        """Messages of the whole thread."""
        return len(self._order)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each id stands in display order."""
        ids = self._tree.ids
        return {to_text(ids[place]): at for at, (place, _) in enumerate(self._order)}

    @property
    def root(self) -> str:
        """The id of its root."""
        return to_text(self._tree.ids[0])

    def run(self, start: int) -> list[Message]:
        """The messages from ``start`` on, at most `RUN`."""
        if self._last[0] != start:
            self._last = -1, []
            self._last = start, self.part(start, RUN)
        return self._last[1]

    def part(self, start: int, size: int) -> list[Message]:
        """The messages from ``start`` on in display order, at most ``size``."""
        chosen, tree = self._order[start : start + size], self._tree
        held = {tree.node_list[place]: place for place, _ in chosen if not tree.ghosts[place]}
        for node, claims in self._reader.claims_about(list(held)).items():
            tree.seen[held[node]] = claims
        messages = self._reader.messages(tree, chosen)
        for place in held.values():
            tree.seen[place] = []  # a large thread is not kept with all its claims
        return messages

    def digest(self) -> bytes:
        """The digest of the thread; reads all its claims."""
        tree, identities = self._tree, []
        for start in range(0, len(tree.node_list), RUN):
            nodes = tree.node_list[start : start + RUN]
            held = [node for at, node in enumerate(nodes, start) if not tree.ghosts[at]]
            identities += [one.identity for claims in self._reader.claims_about(held).values() for one in claims]
        return thread_digest(identities, tree.edges())

    def coverage(self, coverage_reader: CoverageReader) -> Coverage:
        """How complete it can be."""
        return self._reader.coverage_of(self._tree, coverage_reader, None if self._hidden else self.places)
