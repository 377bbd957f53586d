"""The tests.  Some fork, in a process in which others have used gRPC: its handlers for that would end the forks."""

import os

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
