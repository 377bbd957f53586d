"""The edges of a forest that grows: what each node is told, and one cut in each cycle, kept right edge by edge.

Theory of operation
-------------------
All that is known of a node's parent is one join: the statements of the best **rank** decide, if they are unanimous.
Ranks are small integers, lower is better: a claim about the node has its tier, a witness `WITNESS_RANK` + tier * 256 +
gap; so own headers silence witnesses, and the weakest ground is the highest rank.  A node's **edge** is what the join
gives; its **parent** is the edge, unless that is cut.

The edges are a functional graph, so each connected piece has a sink or one cycle, never both.  Hence:

*Taking* the edge of a node on a cycle opens the cycle, and the cut edge comes back; nothing else can happen, and in
that piece no cycle is left.  *Giving* an edge u -> p to a sink u closes a cycle if and only if u is p or above it.
Two searches decide that in step, up from p and down from u, until either ends: the cost is the smaller of both, and
n edges that are only ever added cost n log n steps in all.

When several edges change at once, all are taken before any is given.  Then no cycle is closed that does not stay, the
cycles closed and opened are disjoint, and since each is cut by its ranks and ids alone, the order does not matter.

Members of a cycle are marked, so that taking an edge elsewhere costs no search.  While new statements come, grounds
only get stronger, so only the cut node's own can move the cut; then the members are put in a heap by ground, kept as
a cache, and each further move costs O(log n).  Entries of members that got stronger meanwhile are corrected when they
surface.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappush, heapreplace
from typing import Protocol

from weft.core.forest import NONE

DISAGREED = -2
"""Equally good statements differ: no parent."""
SILENT = -3
"""Nothing is said: every statement is muted, or there is none."""
WITNESS_RANK = 1 << 16
"""Ranks from here on are those of witnesses."""
NO_RANK = 1 << 30
"""The rank of a node about which nothing was said."""
OFF, ON, CUT = 0, 1, 2
"""Where a node stands: on no cycle, on one, on one and its edge is the one that is cut."""
_CACHED = 1 << 17


@dataclass(slots=True)
class NodeState:
    """One node; four integers, all that a row needs.  `NodeState` without arguments is a node that was only named.

    ``rank``    of the best statements about it
    ``stated_parent``    what those state: a node, `NONE`, `DISAGREED` or `SILENT`
    ``parent``  the effective parent, or `NONE`
    ``cycle_state``    `OFF`, `ON` or `CUT`
    """

    rank: int = NO_RANK
    stated_parent: int = SILENT
    parent: int = NONE
    cycle_state: int = OFF

    @property
    def edge(self) -> int:
        """The parent before cycles are cut, or `NONE`."""
        return self.stated_parent if self.stated_parent >= 0 else NONE

    @property
    def tier(self) -> int:
        """The best tier of a claim about it, 255 for a ghost."""
        return self.rank if self.rank < WITNESS_RANK else 255

    @property
    def contested(self) -> bool:
        """The best claims about it disagree."""
        return self.stated_parent == DISAGREED and self.rank < WITNESS_RANK

    def join(self, rank: int, said: int) -> bool:
        """Take one more statement; whether that changed anything.  Commutative, associative, idempotent."""
        if rank > self.rank:
            return False
        if rank < self.rank:
            self.rank, self.stated_parent = rank, said
            return True
        if said in (self.stated_parent, SILENT) or self.stated_parent == DISAGREED:
            return False
        self.stated_parent = said if self.stated_parent == SILENT else DISAGREED
        return True


class ForestNodes(Protocol):
    """Where states are kept.  The forest changes them in place and says which (`IncrementalEdges.dirty`, `moved`)."""

    def state(self, node: int) -> NodeState:
        """The one state of a node, the same object every time."""

    def children(self, node: int) -> Iterator[int]:
        """The nodes whose ``parent`` is ``node``, lazily: often only the first few are asked for."""

    def message_id(self, node: int) -> bytes:
        """Breaks ties between members of a cycle; asked for nothing else."""

    def moved(self, node: int, old: int, new: int) -> None:
        """The ``parent`` of ``node`` was ``old`` and is ``new`` from now on; `children` must know at once."""


@dataclass(slots=True)
class _Cycle:
    """The members of a cycle by ground, weakest first; an entry may state a ground that was strengthened since."""

    heap: list[tuple[int, bytes, int]]
    cut: int
    size: int


class IncrementalEdges:
    """Keeps every ``parent`` and ``cycle_state`` right while ranks and statements change.

    ``dirty``  nodes whose state changed; for the caller to write and clear
    ``was``    the parent of each node that moved, before it first did; for the caller to read and clear
    """

    def __init__(self, nodes: ForestNodes) -> None:
        self.dirty: set[int] = set()
        self.was: dict[int, int] = {}
        self._nodes = nodes
        self._cycles: dict[int, _Cycle] = {}

    def forget(self) -> None:
        """Drop all that is remembered beside the nodes: they were put back to an earlier state."""
        self.dirty.clear()
        self.was.clear()
        self._cycles.clear()

    def apply(self, touched: Mapping[int, tuple[int, int]]) -> None:
        """Edges or ranks changed: ``touched`` gives (edge, rank) before of each such node.

        Nodes that are on no cycle and kept their edge need not be named.
        """
        state = self._nodes.state
        changed = [node for node, (edge, _) in touched.items() if state(node).edge != edge]
        # Those that are cut first: the lost edge of a cut node that stays is read from its state.
        for node in sorted(changed, key=lambda node: state(node).cycle_state != CUT) if len(changed) > 1 else changed:
            self._take(node, touched[node][0])
        for node, (_, rank) in touched.items():
            loop = state(node).cycle_state
            if loop == CUT or (loop == ON and state(node).rank > rank):
                self._move_cut(node)
        for node in changed:
            if (parent := state(node).edge) != NONE:
                self._give(node, parent)

    def _take(self, node: int, edge: int) -> None:
        """The edge of ``node``, which was ``edge``, is gone."""
        now = self._nodes.state(node)
        if now.cycle_state != OFF:
            self._open(node, edge)
        if now.parent != NONE:
            self._hang(node, NONE)

    def _give(self, node: int, parent: int) -> None:
        """``node``, a root without an edge, gets one to ``parent``."""
        if not self._is_above(node, parent):
            self._hang(node, parent)
            return
        members = self._path(parent, node)
        for member in members:
            self._mark(member, ON)
        weakest = self._weakest(members)
        self._mark(weakest, CUT)
        if weakest != node:
            self._hang(weakest, NONE)
            self._hang(node, parent)

    def _is_above(self, top: int, node: int) -> bool:
        """Whether the root ``top`` is ``node`` or above it, at the cost of the shorter search."""
        state = self._nodes.state
        below = self._below(top)
        climbing = node
        while climbing != top:
            climbing = state(climbing).parent
            if climbing == NONE:
                return False
            found = next(below, NONE)
            if found in (NONE, node):
                return found == node
        return True

    def _below(self, top: int) -> Iterator[int]:
        """All nodes below ``top``, breadth first."""
        children = self._nodes.children
        queue = deque((top,))
        while queue:
            for child in children(queue.popleft()):
                queue.append(child)
                yield child

    def _path(self, node: int, end: int) -> list[int]:
        """From ``node`` up to ``end``, both included."""
        state = self._nodes.state
        path = [node]
        while node != end:
            node = state(node).parent
            path.append(node)
        return path

    def _members(self, node: int, edge: int) -> tuple[int, list[int]]:
        """(the cut node, all members) of the cycle that ``node`` with its edge is on."""
        state = self._nodes.state
        if state(node).cycle_state == CUT:
            return node, self._path(edge, node)
        members = [node]
        while state(node).cycle_state != CUT:
            node = state(node).parent
            members.append(node)
        return node, members + self._path(state(node).edge, members[0])[:-1]

    def _weakest(self, members: list[int]) -> int:
        state, message_id = self._nodes.state, self._nodes.message_id
        worst = max(state(member).rank for member in members)
        ties = [member for member in members if state(member).rank == worst]
        return ties[0] if len(ties) == 1 else min(ties, key=message_id)

    def _open(self, node: int, edge: int) -> None:
        """The cycle of ``node`` loses its edge, so the edge that was cut comes back, unless it is the same."""
        cut, members = self._members(node, edge)
        for member in members:
            self._mark(member, OFF)
            self._cycles.pop(member, None)
        if cut != node:
            self._hang(cut, self._nodes.state(cut).edge)

    def _move_cut(self, node: int) -> None:
        """The ground of ``node`` on a cycle changed: cut at what is the weakest node now."""
        state = self._nodes.state
        cycle = self._cycles.get(node) or self._remember(node)
        if state(node).cycle_state != CUT:
            heappush(cycle.heap, self._evidence(node))
        while cycle.heap[0][0] != -state(cycle.heap[0][2]).rank:
            heapreplace(cycle.heap, self._evidence(cycle.heap[0][2]))
        weakest, cut = cycle.heap[0][2], cycle.cut
        if weakest != cut:
            self._mark(cut, ON)
            self._hang(cut, state(cut).edge)
            self._mark(weakest, CUT)
            self._hang(weakest, NONE)
            cycle.cut = weakest
        if len(cycle.heap) > 2 * cycle.size:
            cycle.heap = [self._evidence(member) for member in {entry[2] for entry in cycle.heap}]
            heapify(cycle.heap)

    def _remember(self, node: int) -> _Cycle:
        """Find the cycle of ``node`` again."""
        cut, members = self._members(node, self._nodes.state(node).edge)
        cycle = _Cycle([self._evidence(member) for member in members], cut, len(members))
        heapify(cycle.heap)
        if len(self._cycles) + len(members) > _CACHED:
            self._cycles.clear()
        self._cycles.update(dict.fromkeys(members, cycle))
        return cycle

    def _evidence(self, node: int) -> tuple[int, bytes, int]:
        """Smallest for the weakest."""
        return -self._nodes.state(node).rank, self._nodes.message_id(node), node

    def _mark(self, node: int, loop: int) -> None:
        self._nodes.state(node).cycle_state = loop
        self.dirty.add(node)

    def _hang(self, node: int, parent: int) -> None:
        now = self._nodes.state(node)
        old, now.parent = now.parent, parent
        self.dirty.add(node)
        self.was.setdefault(node, old)
        self._nodes.moved(node, old, parent)
