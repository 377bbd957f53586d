"""The rows of the view while they change: read when asked for, written at the end of a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from weft.core.cycle_cutting import WITNESS_RANK, NodeState
from weft.core.forest import NONE
from weft.store.id_table import insert

_CHUNK = 500
CHILDREN = "SELECT node FROM nodes WHERE parent = ? AND parent >= 0"
"""The children of a node; the second condition lets SQLite use the index, which has no roots in it."""
_MOST = 200_000
"""So many rows are kept between transactions."""


class WrittenChanges(NamedTuple):
    """What was written at once, beside states.

    ``was``      the parent before of each node that moved
    ``redated``  the date before of each node whose date was said anew
    ``fresh``    nodes that had no row
    ``unnamed``  nodes whose rows are gone
    """

    was: dict[int, int]
    redated: dict[int, int | None]
    fresh: set[int]
    unnamed: set[int]


class _States(dict[int, NodeState]):
    """States by node; one that is missing is read."""

    def __init__(self, preload: Callable[[Collection[int]], None]) -> None:
        self._preload = preload

    def __missing__(self, node: int) -> NodeState:
        self._preload((node,))
        return self[node]


class NodeCache:
    """The `weft.core.cycle_cutting.ForestNodes` of an index: table ``nodes`` under what has not been written yet.

    ``dates`` holds, beside the states, the earliest date that the best copies of a node state, in seconds.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._states = _States(self.preload)
        self.state: Callable[[int], NodeState] = self._states.__getitem__
        """The one state of a node."""
        self.dates: dict[int, int | None] = {}
        self.redated: dict[int, int | None] = {}
        """The dates that were written of nodes whose dates were said anew."""
        self.unnamed: set[int] = set()
        """Nodes that no claim of the view names any more: their rows go."""
        self._fresh: set[int] = set()  # without a row: a row is made even if nothing is known of them
        self._was: dict[int, int] = {}
        self._gained: dict[int, dict[int, None]] = {}

    def preload(self, nodes: Collection[int]) -> None:
        """Read the rows of many nodes at once."""
        wanted = [node for node in nodes if node not in self._states]
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._connection.execute(
                f"SELECT node, rank, said, parent, loop, date FROM nodes WHERE node IN ({marks})",  # noqa: S608
                chunk,
            )
            for node, rank, said, parent, loop, date in rows:
                self._states[node] = NodeState(rank, said, parent, loop)
                self.dates[node] = date
        for node in wanted:
            if node not in self._states:
                self._states[node] = NodeState()
                self._fresh.add(node)

    def is_claimed(self, node: int) -> bool:
        """Whether a claim of the view is about a node; makes no row."""
        if node in self._states:
            return self._states[node].rank < WITNESS_RANK
        row = self._connection.execute("SELECT rank FROM nodes WHERE node = ?", (node,)).fetchone()
        return row is not None and row[0] < WITNESS_RANK

    def children(self, node: int) -> Iterator[int]:
        """The nodes whose parent is ``node`` now."""
        yield from tuple(self._gained.get(node, ()))
        if node in self._fresh:
            return
        for (child,) in self._connection.execute(CHILDREN, (node,)):
            if child not in self._was:
                yield child

    def message_id(self, node: int) -> bytes:
        """The id of a node."""
        return bytes(self._connection.execute("SELECT id FROM ids WHERE node = ?", (node,)).fetchone()[0])

    def moved(self, node: int, old: int, new: int) -> None:
        """The parent of a node has changed."""
        self._was.setdefault(node, old)
        if old != NONE and old in self._gained:
            self._gained[old].pop(node, None)
        if new != NONE:
            self._gained.setdefault(new, {})[node] = None

    def date(self, node: int, seconds: int | None) -> None:
        """The date of a node is another, or is said anew."""
        self.redated.setdefault(node, self.dates.get(node))
        self.dates[node] = seconds

    def write(self, dirty: Collection[int]) -> WrittenChanges:
        """Write the rows that changed, in the transaction in which they did; what has changed beside states."""
        states, dates, unnamed = self._states, self.dates, self.unnamed
        fresh = self._fresh - unnamed

        def rows(nodes: Collection[int]) -> Iterator[tuple[int | None, ...]]:
            for node in sorted(nodes):
                state = states[node]
                yield node, state.rank, state.stated_parent, state.parent, state.cycle_state, dates.get(node)

        self._connection.executemany("DELETE FROM nodes WHERE node = ?", [(node,) for node in unnamed])
        known = {*dirty, *self.redated} - fresh - unnamed
        self._connection.executemany(
            "INSERT OR REPLACE INTO nodes (node, rank, said, parent, loop, date) VALUES (?, ?, ?, ?, ?, ?)",
            rows(known & self._was.keys()),
        )
        # Those that did not move: the index of parents, which costs most, need not be met for them.
        self._connection.executemany(
            "UPDATE nodes SET rank = ?2, said = ?3, loop = ?5, date = ?6 WHERE node = ?1",
            rows(known - self._was.keys()),
        )
        insert(self._connection, "nodes", rows(fresh), 6)
        for node in unnamed:
            states.pop(node, None)
            dates.pop(node, None)
        changes = WrittenChanges(self._was, self.redated, self._fresh, unnamed)
        self._was, self.redated, self._fresh, self.unnamed = {}, {}, set(), set()
        self._gained.clear()
        return changes

    def drop_fresh(self) -> None:
        """Let go of rows that were looked for since the last write and are not there: else the next one made them."""
        for node in self._fresh:
            self._states.pop(node, None)
            self.dates.pop(node, None)
        self._fresh.clear()

    def trim(self) -> None:
        """Let go of rows that were written, if they are many."""
        if len(self._states) > _MOST:
            self.forget()

    def forget(self) -> None:
        """Let go of all rows: they were written, or the transaction was rolled back."""
        for part in (
            self._states, self.dates, self.redated, self.unnamed, self._fresh, self._was, self._gained
        ):  # fmt: skip
            part.clear()
