"""What the simulation says when something that must hold does not."""

from __future__ import annotations


class ViolationError(AssertionError):
    """Something that must hold does not."""
