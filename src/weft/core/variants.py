"""Variants: how many unrelated contents stand under one message id.

Lists edit subjects (prefixes) and bodies (footers), so copies count as unrelated only if both the base subject and the
body digest differ.  Copies that share either belong together, and so do copies that a third one connects.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable


def count_variants(copies: Iterable[tuple[str, Hashable]]) -> int:
    """The number of groups of (base subject, body) that nothing connects.  Union-find: all but linear."""
    above: dict[Hashable, Hashable] = {}

    def top(key: Hashable) -> Hashable:
        while above.setdefault(key, key) != key:
            above[key] = key = above[above[key]]
        return key

    for subject, body in copies:
        above[top((0, subject))] = top((1, body))
    return sum(key == parent for key, parent in above.items())
