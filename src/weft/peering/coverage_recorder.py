"""When a session remembers what its peer was asked (`weft.exchange.events.CoverageGained`).

What is written is one row with all that was ever asked, which may be some hundred KB: too much to write it with each
message that arrives.  So a live session waits until nothing more comes, but not for ever, and not again at once.
"""

from __future__ import annotations

import math

from weft.exchange.events import CoverageGained

SETTLED = 1.5
"""Seconds without anything more, after which it is remembered."""
APART = 3.0
"""The least seconds between two times."""
LATEST = 30.0
"""The most that anything waits, if there is always more."""


class CoverageRecorder:
    """What we know the peer to have said, and have not remembered yet."""

    def __init__(self) -> None:
        self._covered: CoverageGained | None = None
        self._by = self._last = -math.inf
        self.due = math.inf
        """When to `take` it."""

    def put(self, covered: CoverageGained, now: float, *, wait: bool) -> None:
        """Remember this in place of what waits; ``wait``: more may follow."""
        if self._covered is None:
            self._by = now + LATEST
        self._covered = covered
        self.due = min(max(now + SETTLED, self._last + APART), self._by) if wait else now

    def take(self, now: float, *, last: bool) -> CoverageGained | None:
        """What is to be remembered now, which is then thought to be; ``last``: there will be no other time."""
        if self._covered is None or (now < self.due and not last):
            return None
        covered, self._covered = self._covered, None
        self.due, self._last = math.inf, now
        return covered
