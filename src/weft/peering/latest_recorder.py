"""When a session remembers what it knows of its peer: what that was asked, and what it has of us.

What is written is one row with all of it, which may be some hundred KB (`weft.exchange.events.CoverageGained`): too
much to write it with each message that arrives.  So a live session waits until nothing more comes, but not for ever,
and not again at once.
"""

from __future__ import annotations

import math
from typing import Generic, TypeVar

RecordT = TypeVar("RecordT")

SETTLED = 1.5
"""Seconds without anything more, after which it is remembered."""
APART = 3.0
"""The least seconds between two times."""
LATEST = 30.0
"""The most that anything waits, if there is always more."""


class LatestRecorder(Generic[RecordT]):
    """The latest of what is known of a peer, if it was not remembered yet."""

    def __init__(self) -> None:
        self._latest: RecordT | None = None
        self._by = self._last = -math.inf
        self.due = math.inf
        """When to `take` it."""

    def put(self, latest: RecordT, now: float, *, wait: bool) -> None:
        """Remember this in place of what waits; ``wait``: more may follow."""
        if self._latest is None:
            self._by = now + LATEST
        self._latest = latest
        self.due = min(max(now + SETTLED, self._last + APART), self._by) if wait else now

    def take(self, now: float, *, last: bool) -> RecordT | None:
        """What is to be remembered now, which is then thought to be; ``last``: there will be no other time."""
        if self._latest is None or (now < self.due and not last):
            return None
        latest, self._latest = self._latest, None
        self.due, self._last = math.inf, now
        return latest
