"""Callers who are no peers, for the log of a server: each is named once an hour.

Anybody can make as many keys as they like, so only so many are remembered and named; whoever calls beyond that costs
one line a minute, all together.
"""

from __future__ import annotations

from collections import OrderedDict

from weft.core.signing import fingerprint

NAMED = 300
"""Callers that are named within an hour."""
HOUR = 3600.0
MINUTE = 60.0


class Strangers:
    """Who called, and when that was said."""

    def __init__(self) -> None:
        self._named: OrderedDict[bytes, float] = OrderedDict()
        """The oldest first."""
        self._more = 0
        """Calls of those who are not named, since the last line about them."""
        self._told = float("-inf")

    def called(self, key: bytes, now: float) -> str | None:
        """The line that is to be logged, if one is; ``now``: seconds of a clock that never goes back."""
        while self._named and now - next(iter(self._named.values())) >= HOUR:
            self._named.popitem(last=False)
        if key in self._named:
            return None
        if len(self._named) < NAMED:
            self._named[key] = now
            name = fingerprint(key)
            return f"{name} called, and is no peer; admit it with: weft peers add {name}"
        self._more += 1
        if now - self._told < MINUTE:
            return None
        more, self._more, self._told = self._more, 0, now
        return f"{more} more calls by others that are no peers; {NAMED} of them were named within an hour"
