"""What holds for all tests: properties have no deadline, since other processes may have the processor."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # gRPC's handlers would end the forks of a process in which it was used

settings.register_profile("weft", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("weft")
