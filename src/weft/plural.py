"""A number and its noun, for lines that people read."""

from __future__ import annotations


def noun(number: int, one: str, more: str = "") -> str:
    """The noun for so many; ``more`` for words that do not take an ``s``."""
    return one if number == 1 else more or f"{one}s"


def count(number: int, one: str, more: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{number} {noun(number, one, more)}"
