"""Claims that come in while a session is live, for the log: a line for all that came at once, and few lines.

A session is looked at about once a second.  What came is told when nothing more has come since the look before, or a
few seconds after it began to come; and a few seconds after the line before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

APART = 5.0
"""The least seconds between two lines about one session, and the most that a line waits for more to come."""


@dataclass(slots=True)
class ArrivalLog:
    """Of one session; times are seconds of a clock that never goes back."""

    told: int
    """Claims of which the log knows."""
    _seen: int = 0
    _since: float = math.inf
    """When more was there than was told."""
    _last: float = -math.inf

    def look(self, received: int, now: float, *, last: bool = False) -> int:
        """How many claims are to be told of now, ``received`` being all of the session; ``last``: it is over."""
        quiet, self._seen = received == self._seen, received
        if received == self.told:
            return 0
        self._since = min(self._since, now)
        if not last and (now - self._last < APART or not (quiet or now - self._since >= APART)):
            return 0
        more, self.told = received - self.told, received
        self._since, self._last = math.inf, now
        return more
