"""The nodes of a live forest in dictionaries: what an index does with rows, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator

from weft.core.cycle_cutting import NodeState
from weft.core.forest import NONE


class DictNodes:
    """Message ids get nodes on first use, as `ForestBuilder.node` does it; ``reads`` counts what would be rows read."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.states: dict[int, NodeState] = {}
        self.reads = 0
        self._nodes: dict[bytes, int] = {}
        self._children: dict[int, set[int]] = {}

    def node(self, message_id: bytes) -> int:
        known = self._nodes.get(message_id)
        if known is None:
            known = self._nodes[message_id] = len(self.ids)
            self.ids.append(message_id)
            self.states[known] = NodeState()
        return known

    def state(self, node: int) -> NodeState:
        self.reads += 1
        return self.states[node]

    def children(self, node: int) -> Iterator[int]:
        self.reads += 1
        return iter(self._children.get(node, ()))

    def message_id(self, node: int) -> bytes:
        return self.ids[node]

    def moved(self, node: int, old: int, new: int) -> None:
        if old != NONE:
            self._children[old].remove(node)
        if new != NONE:
            self._children.setdefault(new, set()).add(node)
