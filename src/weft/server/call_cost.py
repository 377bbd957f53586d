"""What a call costs: the time in which threads work for it, and a line of the log for one that costs much.

The cost goes along with a call, by a context variable, whichever threads do its work; what is done for several callers
at once is nobody's (`weft.server.limited_client.shared_work`).  The line has the method, the client as its limits know
it, and numbers; what was asked for is not in it.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar

SLOW_WORK_SECONDS = 1.0
"""Seconds of a thread's work from which on a call stands in the log."""

log = logging.getLogger("weft.server")


class CallCost:
    """The cost of one call so far."""

    def __init__(self) -> None:
        self.work = 0.0
        """Seconds in which threads have worked for it."""

    def add(self, seconds: float) -> None:
        """A thread has worked for it."""
        self.work += seconds


CALL_COST: ContextVar[CallCost | None] = ContextVar("call_cost", default=None)
"""Of the call for which something is done; None: for the server itself."""


def log_if_slow(method: str, client: str, cost: CallCost, seconds: float, code: str) -> None:
    """Write the line about a call that has ended with a gRPC status after some seconds, if it has cost much."""
    if cost.work < SLOW_WORK_SECONDS:
        return
    fields = {"method": method, "client": client, "work_seconds": round(cost.work, 3), "seconds": round(seconds, 3)}
    log.info(
        "slow: %s of %s took %.1f s of work in %.1f s, and ended with %s", method, client, cost.work, seconds, code,
        extra={"fields": {**fields, "code": code}},
    )  # fmt: skip
