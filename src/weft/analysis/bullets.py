"""Sentences for people, in lines of the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

_WIDEST = 100
"""Sentences are hard to read in longer lines."""


def bullet(text: str, columns: int) -> Iterator[str]:
    """The lines of one sentence of ours (narrow characters only) in a list of such."""
    yield from wrap(text, min(columns, _WIDEST), initial_indent="* ", subsequent_indent="  ")
