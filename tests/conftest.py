"""What holds for all tests: properties have no deadline, since other processes may have the processor, and children
heed signals, also where those who started the tests ignore them."""

from __future__ import annotations

import os
import signal
from types import FrameType

from hypothesis import HealthCheck, settings

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # gRPC's handlers would end the forks of a process in which it was used

settings.register_profile("weft", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("weft")


def _pass_over(number: int, frame: FrameType | None) -> None:
    """Nothing: a signal that is ignored is so in all children, but one that is handled is not."""


for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, _pass_over)
