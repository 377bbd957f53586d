"""Virtual time: what happens when, and how many steps it took."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from tests.exchange.simulation.violation import ViolationError

MAX_STEPS = 200_000


class Schedule:
    """Events by time; those of one time in the order in which they were planned."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = 0

    def at(self, time: float, act: Callable[[], None]) -> None:
        """Plan something."""
        self._planned += 1
        heapq.heappush(self._events, (max(time, self.now), self._planned, act))

    def after(self, delay: float, act: Callable[[], None]) -> None:
        """Plan something from now."""
        self.at(self.now + delay, act)

    def run(self, until: float = float("inf")) -> None:
        """Let happen what is planned, up to a time."""
        while self._events and self._events[0][0] <= until:
            self.now, _, act = heapq.heappop(self._events)
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise ViolationError("the world does not come to rest")
            act()
        if until != float("inf"):
            self.now = max(self.now, until)
