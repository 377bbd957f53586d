"""Whether an id stands twice in a list that may be long: a peer may list 67 million ids before it is stopped.

Theory of operation
-------------------
A set of Python takes about 100 bytes an element, the ids themselves 16.  So they are kept as they are, and divided at
the end by their bytes, one after the other, until a part is small enough for a set.  The peer chooses the ids: if it
makes most of them begin alike, they are divided once for each of the 16 bytes at worst.  So the time is linear, and the
memory twice that of the ids and one small set.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from weft.exchange.riblt.symbol import ELEMENT_BYTES

_SMALL = 1 << 16
"""Ids of which a set is made."""
_ELEMENT = Struct(f"{ELEMENT_BYTES}s")


class ListedIds:
    """The ids of a list as it comes, 16 bytes each."""

    def __init__(self, small: int = _SMALL) -> None:
        """``small``: of how many a set may be made."""
        self._small = small * ELEMENT_BYTES
        self._ids = bytearray()

    def add(self, elements: Iterable[bytes]) -> None:
        """A piece of the list."""
        self._ids += b"".join(elements)

    def has_repeated(self) -> bool:
        """Whether an id came twice, in one piece or in two; to be asked once, at the end."""
        waiting, self._ids = [(self._ids, 0)], bytearray()
        while waiting:
            ids, place = waiting.pop()
            if len(ids) > self._small and place < ELEMENT_BYTES:
                waiting += ((part, place + 1) for part in _divide(ids, place))
            elif len(set(_ELEMENT.iter_unpack(ids))) * ELEMENT_BYTES < len(ids):
                return True
        return False


def _divide(ids: bytearray, place: int) -> list[bytearray]:
    """The ids by one of their bytes."""
    parts = [bytearray() for _ in range(256)]
    for (element,) in _ELEMENT.iter_unpack(ids):
        parts[element[place]] += element
    return [part for part in parts if part]
