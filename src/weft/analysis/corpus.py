"""The copies of messages on several lists, as columns of integers, with the forest of all of them.

Theory of operation
-------------------
A report asks the same question of many subsets of one body of mail: what would list L show alone, what would a master
know of it.  So the mail is read once, ids become node numbers, and each subset is woven again from the columns.  A set
of lists is an integer: bit n stands for the list ``names[n]``.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache

from weft.core.forest import Forest


@dataclass(frozen=True, slots=True)
class Corpus:
    """Some lists' mail.  ``C`` copies (0..C-1, in order of arrival), ``N`` nodes (0..N-1).

    ``names``    the lists, sorted
    ``forest``   of all copies; ``forest.ids[node]`` is the node's Message-ID
    ``holders``  N: the set of lists that hold a copy of the node, 0 for a ghost
    ``nodes``    C: the node of each copy
    ``lists``    C: the number of its list
    ``seconds``  C: its Date (`weft.core.date.MISSING` if it has none)
    ``authors``  C: its From, raw bytes
    ``subjects`` C: its Subject, raw bytes
    ``sane``     C: whether its In-Reply-To counts by itself (`weft.core.forest.statement`)
    ``reply_starts replies``          CSR: In-Reply-To of copy c is ``replies[reply_starts[c]:reply_starts[c + 1]]``
    ``reference_starts references``   CSR: its References, in their order
    """

    names: tuple[str, ...]
    forest: Forest
    holders: list[int]
    nodes: array[int]
    lists: array[int]
    seconds: array[int]
    authors: list[bytes]
    subjects: list[bytes]
    sane: bytearray
    reply_starts: array[int]
    replies: array[int]
    reference_starts: array[int]
    references: array[int]


@lru_cache(maxsize=1 << 16)
def members(lists: int) -> tuple[int, ...]:
    """The numbers of the lists in a set of lists."""
    return tuple(number for number in range(lists.bit_length()) if lists >> number & 1)


def several(lists: int) -> bool:
    """Whether these are two lists or more."""
    return lists & (lists - 1) != 0
