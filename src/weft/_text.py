"""Numbers and their nouns, and some of many names, for lines that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

_MOST = 8
"""So many lists are named in a line."""


def noun(number: int, one: str, more: str = "") -> str:
    """The noun for so many; ``more`` for words that do not take an ``s``."""
    return one if number == 1 else more or f"{one}s"


def name_counts(counts: Mapping[str, int]) -> str:
    """`` (dev 12, users 3 and 4 more lists)``: the largest, in the order of their names; empty for none."""
    if not counts:
        return ""
    largest = sorted(counts, key=lambda name: (-counts[name], name))[:_MOST]
    rest = len(counts) - len(largest)
    named = ", ".join(f"{name} {counts[name]}" for name in sorted(largest))
    return f" ({named}" + (f" and {count(rest, 'more list')}" if rest else "") + ")"


def some_of(values: Sequence[T], most: int, show: Callable[[T], str] = str, between: str = ", ") -> str:
    """The first so many, and how many more there are: ``a, b and 3 more``."""
    more = len(values) - most
    return between.join(map(show, values[:most])) + (f" and {more} more" if more > 0 else "")


def count(number: int, one: str, more: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{number} {noun(number, one, more)}"
