"""The inputs to begin with: ``seeds/TARGET/``, one file each, where inputs that have found a fault are added."""

from __future__ import annotations

from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"


def read_seeds(target: str) -> tuple[bytes, ...]:
    """The seeds of a target, by the names of their files."""
    return tuple(path.read_bytes() for path in sorted((SEEDS / target).iterdir()))
