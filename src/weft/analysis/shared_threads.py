"""What lists have of each other's threads: the numbers from which the pictures are drawn.

Theory of operation
-------------------
Only threads on several lists say anything here.  The **server where a thread began** is the list that holds its root;
where several do, the one that holds most of the thread, which is the kindest choice.  Where nobody holds the root there
is no such server.  Its **share** is what it holds of the messages that anybody holds.

Two lists **share** a thread if each holds a message of it, not necessarily the same one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from weft.analysis.corpus import Corpus, members, several
from weft.analysis.crossposts import holders_of_groups
from weft.core.forest import root_of_each

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Origins:
    """Threads on several lists, by what the server where they began holds of them.

    ``whole``        it holds all that anybody holds
    ``tenths``       of the others, how many of which it holds 0 to under 10 %, 10 to under 20 %, and so on
    ``root_unseen``  nobody holds the root
    """

    whole: int
    tenths: tuple[int, ...]
    root_unseen: int

    @property
    def lacking(self) -> int:
        """Threads of which that server lacks messages."""
        return sum(self.tenths)

    @property
    def threads(self) -> int:
        """All threads on several lists."""
        return self.whole + self.lacking + self.root_unseen


@dataclass(frozen=True, slots=True)
class ListPair:
    """Two lists, by number, and how many threads they share."""

    one: int
    other: int
    threads: int


def origins(corpus: Corpus) -> Origins:
    """Count all threads on several lists."""
    roots = root_of_each(corpus.forest.parents)
    spread = {root: some for root, (some, _) in holders_of_groups(corpus, roots).items() if several(some)}
    held: Counter[tuple[int, int]] = Counter()
    sizes: Counter[int] = Counter()
    for root, lists in zip(roots, corpus.holders, strict=True):
        if lists and root in spread:
            sizes[root] += 1
            held.update((root, number) for number in members(lists))
    whole, unseen, tenths = 0, 0, [0] * TENTHS
    for root, size in sizes.items():
        most = max((held[root, number] for number in members(corpus.holders[root])), default=None)
        if most is None:
            unseen += 1
        elif most == size:
            whole += 1
        else:
            tenths[most * TENTHS // size] += 1
    return Origins(whole, tuple(tenths), unseen)


def pairs(corpus: Corpus) -> list[ListPair]:
    """All pairs of lists that share a thread, those with most first, then by name."""
    shared: Counter[tuple[int, int]] = Counter()
    for some, _ in holders_of_groups(corpus, root_of_each(corpus.forest.parents)).values():
        shared.update(combinations(members(some), 2))
    return [ListPair(*pair, threads) for pair, threads in sorted(shared.items(), key=lambda one: (-one[1], one[0]))]
