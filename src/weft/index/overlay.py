"""The rows of the view while they change: read when asked for, written at the end of a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

from weft.core.forest import NONE
from weft.core.live_edges import State

_CHUNK = 500
CHILDREN = "SELECT node FROM nodes WHERE parent = ? AND parent >= 0"
"""The children of a node; the second condition lets SQLite use the index, which has no roots in it."""
_MOST = 200_000
"""So many rows are kept between transactions."""


class Overlay:
    """The `weft.core.live_edges.Nodes` of an index: table ``nodes`` under what has not been written yet.

    ``dates`` holds, beside the states, the earliest date that the best copies of a node state, in seconds.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._states: dict[int, State] = {}
        self.dates: dict[int, int | None] = {}
        self.redated: set[int] = set()
        self.unnamed: set[int] = set()
        """Nodes that no claim of the view names any more: their rows go."""
        self._fresh: set[int] = set()  # without a row: a row is made even if nothing is known of them
        self._moved: set[int] = set()
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
                self._states[node] = State(rank, said, parent, loop)
                self.dates[node] = date
        for node in wanted:
            if node not in self._states:
                self._states[node] = State()
                self._fresh.add(node)

    def state(self, node: int) -> State:
        """The one state of a node."""
        found = self._states.get(node)
        if found is None:
            self.preload((node,))
            found = self._states[node]
        return found

    def children(self, node: int) -> Iterator[int]:
        """The nodes whose parent is ``node`` now."""
        yield from tuple(self._gained.get(node, ()))
        if node in self._fresh:
            return
        for (child,) in self._connection.execute(CHILDREN, (node,)):
            if child not in self._moved:
                yield child

    def message_id(self, node: int) -> bytes:
        """The id of a node."""
        return bytes(self._connection.execute("SELECT id FROM ids WHERE node = ?", (node,)).fetchone()[0])

    def moved(self, node: int, old: int, new: int) -> None:
        """The parent of a node has changed."""
        self._moved.add(node)
        if old != NONE and old in self._gained:
            self._gained[old].pop(node, None)
        if new != NONE:
            self._gained.setdefault(new, {})[node] = None

    def write(self, dirty: Collection[int]) -> None:
        """Write the rows that changed; to be called in the transaction in which they did."""
        states, dates, unnamed = self._states, self.dates, self.unnamed
        self._connection.executemany("DELETE FROM nodes WHERE node = ?", [(node,) for node in unnamed])
        self._connection.executemany(
            "INSERT OR REPLACE INTO nodes (node, rank, said, parent, loop, date) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (node, state.rank, state.said, state.parent, state.loop, dates.get(node))
                for node in sorted({*dirty, *self.redated, *self._fresh} - unnamed)
                for state in (states[node],)
            ),
        )
        for node in unnamed:
            states.pop(node, None)
            dates.pop(node, None)
        unnamed.clear()
        self.redated.clear()
        self._fresh.clear()
        self._moved.clear()
        self._gained.clear()
        if len(states) > _MOST:
            self.forget()

    def forget(self) -> None:
        """Let go of all rows: they were written, or the transaction was rolled back."""
        for part in (
            self._states, self.dates, self.redated, self.unnamed, self._fresh, self._moved, self._gained
        ):  # fmt: skip
            part.clear()
