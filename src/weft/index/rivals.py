"""Table ``rivals``: which contested messages name a node as a rival parent.

A message whose best copies state different parents, or none, is a root.  The tree of each parent that they state says
so, and must find them without a look at every claim that refers to it: contested messages are few.  Like all tables of
the view this one follows from the claims, and can be thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from weft.core.cycle_cutting import DISAGREED, WITNESS_RANK
from weft.index.thread_reader import CountedClaim, ThreadReader, stated_parent
from weft.store.sqlite import SqliteStore

_CHUNK = 500


class Rivals:
    """Keeps the table of one index; within the store's transactions."""

    def __init__(self, store: SqliteStore, reader: ThreadReader) -> None:
        """``reader`` knows the policy and what was withdrawn."""
        self._store = store
        self._connection = store.connection
        self._reader = reader

    def write(self, contested: Iterable[int], others: Iterable[int], counts: Callable[[CountedClaim], bool]) -> None:
        """Write the rows of some nodes anew: of those that are contested now, and of others, which have none.

        ``counts``: whether a claim was seen by the view and stays in it.
        """
        contested = list(contested)
        gone = [(node,) for node in (*contested, *others)]
        self._connection.executemany("DELETE FROM rivals WHERE node = ?", gone)
        for start in range(0, len(contested), _CHUNK):
            for node, seen in self._reader.claims_about(contested[start : start + _CHUNK]).items():
                rows = [(parent, node) for parent in self._parents([one for one in seen if counts(one)])]
                self._connection.executemany("INSERT INTO rivals (parent, node) VALUES (?, ?)", rows)

    def wrong(self) -> set[int]:
        """The nodes whose rows are not what the claims say."""
        found: dict[int, set[int]] = {}
        for parent, node in self._connection.execute("SELECT parent, node FROM rivals"):
            found.setdefault(node, set()).add(parent)
        rows = self._connection.execute(f"SELECT node FROM nodes WHERE said = {DISAGREED} AND rank < {WITNESS_RANK}")  # noqa: S608
        contested = [node for (node,) in rows]
        wrong = found.keys() - set(contested)
        for start in range(0, len(contested), _CHUNK):
            for node, seen in self._reader.claims_about(contested[start : start + _CHUNK]).items():
                if found.get(node, set()) != set(self._parents(seen)):
                    wrong.add(node)
        return wrong

    def _parents(self, seen: Sequence[CountedClaim]) -> list[int]:
        """The nodes of the parents that the best of some claims about one message state."""
        best = min((one.source.tier for one in seen), default=0)
        reader, about = self._reader, [one.claim for one in seen if one.source.tier == best]
        states = {stated_parent(claim, reader.policy, reader.claimed) for claim in about}
        ids = [state for state in states if state]
        return [node for node in self._store.node_numbers(ids, create=False) if node is not None]
