"""gRPC's own log: lines of C++ on stderr, before the line in which a command says the same."""

from __future__ import annotations

import os
import sys


def silence() -> None:
    """Let gRPC say nothing, unless the user wants it to, or asked for ``--debug``; before it is imported."""
    if "--debug" not in sys.argv:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
