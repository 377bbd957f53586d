"""The search for bytes in gigabytes of mail: stringzilla where it has a wheel, else the standard library."""

from __future__ import annotations

from collections.abc import Callable

Find = Callable[[bytes | bytearray, bytes, int, int], int]
"""``find(haystack, needle, start, end)``: the lowest place of ``needle`` in ``haystack[start:end]``, or -1."""


def _plain_find(haystack: bytes | bytearray, needle: bytes, start: int, end: int) -> int:
    return haystack.find(needle, start, end)


def _fastest() -> Find:
    try:
        from stringzilla import find
    except ImportError:  # six times slower, the same answer
        return _plain_find
    fast: Find = find
    return fast


find = _fastest()
