"""Sentences with numbers in them, for people, in lines of the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

_WIDEST = 100
"""Sentences are hard to read in longer lines."""


def count(value: int, one: str, more: str = "") -> str:
    """``1 thread``, ``2 threads``; ``more`` for words that do not take an ``s``."""
    return f"{value:,} {one if value == 1 else more or f'{one}s'}"


def bullet(text: str, columns: int) -> Iterator[str]:
    """The lines of one sentence of ours (narrow characters only) in a list of such."""
    yield from wrap(text, min(columns, _WIDEST), initial_indent="* ", subsequent_indent="  ")
