"""How many examples a property is tried on: a fifth of what it states by default, all of them with WEFT_EXAMPLES=all.

Each run tries others, so what a fifth of them leaves out comes with the next ones.
"""

from __future__ import annotations

import os

_ALL = os.environ.get("WEFT_EXAMPLES") == "all"
_LEAST = 10


def examples(count: int) -> int:
    """How many of ``count`` are tried in this run."""
    return count if _ALL else max(_LEAST, count // 5)
