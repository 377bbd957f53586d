"""How often a peer may call: some calls at once, and then one now and then (a token bucket).

A session with a new key makes us read all that the peer may have, and even one with nothing to say costs a handshake;
so the number of sessions at a time is not enough of a limit.

Callers who are no peers, for the log of a server: each is named once an hour.

Anybody can make as many keys as they like, so only so many are remembered and named; whoever calls beyond that costs
one line a minute, all together.
"""

from __future__ import annotations

from collections import OrderedDict

from weft.core.signing import fingerprint
from weft.errors import OverloadedError

AT_ONCE = 10
SECONDS = 10.0
"""After which one more call is allowed."""
KEY_SECONDS = 600.0
"""After which one more new key is allowed."""


class CallRate:
    """Calls of peers, or new keys that they bring; there are as few of these as rows in the policy."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """``seconds``: after which one more is allowed."""
        self._seconds = seconds
        self._left: dict[bytes, tuple[float, float]] = {}

    def may(self, peer: bytes, now: float) -> bool:
        """Whether `take` would take one."""
        return self._now(peer, now) >= 1

    def take(self, peer: bytes, now: float) -> None:
        """Count a call; `OverloadedError` if it is one too many.  ``now``: seconds of a clock that never goes back."""
        left = self._now(peer, now)
        self._left[peer] = (left if left < 1 else left - 1, now)
        if left < 1:
            often = f"{AT_ONCE} at once, then one every {self._seconds:.0f} seconds"
            raise OverloadedError(f"calls: {often}; call again later", (1 - left) * self._seconds)

    def _now(self, peer: bytes, now: float) -> float:
        left, since = self._left.get(peer, (float(AT_ONCE), now))
        return min(float(AT_ONCE), left + (now - since) / self._seconds)

    def forget(self, peer: bytes) -> None:
        """It is not a peer any more."""
        self._left.pop(peer, None)


NAMED = 20
"""Callers that are named within an hour."""
HOUR = 3600.0
MINUTE = 60.0


class UnknownCallers:
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
        name = fingerprint(key)
        if len(self._named) < NAMED:
            self._named[key] = now
            return f"{name} called, and is not a peer; admit it with: weft peers add {name}"
        self._more += 1
        if now - self._told < MINUTE:
            return None
        more, self._more, self._told = self._more, 0, now
        return (
            f"{more} more calls by others that are not peers, the last one by {name}; {NAMED} were named within an hour"
        )
