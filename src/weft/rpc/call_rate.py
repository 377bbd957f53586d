"""How often a peer may call: some calls at once, and then one now and then (a token bucket).

A session with a new key makes us read our whole log, and even one with nothing to say costs a handshake; so the number
of sessions at a time is not enough of a limit.
"""

from __future__ import annotations

from weft.rpc.failures import OverloadedError

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
            raise OverloadedError(f"calls: {often}; call again later")

    def _now(self, peer: bytes, now: float) -> float:
        left, since = self._left.get(peer, (float(AT_ONCE), now))
        return min(float(AT_ONCE), left + (now - since) / self._seconds)

    def forget(self, peer: bytes) -> None:
        """It is no peer any more."""
        self._left.pop(peer, None)
