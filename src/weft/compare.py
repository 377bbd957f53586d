"""Two common views beside each other: which threads differ, and in each of them which ids, and who says so.

Theory of operation
-------------------
Both sides give the digests of their trees in the order of the roots, so one pass over both finds the trees that
differ, and nothing of the others is kept.  Of those, some at a time are fetched whole from both sides; an id that is
then known of one side only may stand in another tree of the other, which is asked for it.  Two trees with equal
digests hold the same ids, so what is in a tree that differs is in none that is equal.

A thread is on **both** sides if an id of its tree stands in a tree of the other one too: each of these trees holds a
message, or nobody would have named the id.  Two servers that each fetch the rest of their own threads, and nothing
else, are equal in those, while each has others that it keeps for itself.

An id is told of once: with its tree on the first side, or if it is in none there, with the one on the second.  A side
that gives another tree than the one whose digest it gave has changed, or lies: `weft.errors.AnswerError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from weft.errors import AnswerError
from weft.model import CommonSummary, ThreadDigest
from weft.thread_tree import PlacedId, PlacingClaim, ThreadTree, to_bytes

_CHUNK = 50
"""Trees that are fetched at a time."""
_MOST = 1_000_000
"""Threads that are looked into at most, to find out which of them both sides have."""


class ComparedSide(Protocol):
    """A server or an index."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def summary(self) -> CommonSummary:
        """Its common view as a whole, as it was when it was last asked for `digests`, or at first."""

    def digests(self) -> Iterator[ThreadDigest]:
        """Its trees, in the order of the bytes of their roots; `trees` is about the same state."""

    def trees(self, ids: Sequence[str]) -> Iterator[ThreadTree]:
        """The trees in which the ids stand; ids that it does not know are passed over."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A root whose tree differs: the digest on each side, None where it is no root of a tree."""

    root: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class IdPair:
    """An id on both sides; None: nobody there names it."""

    id: str
    first: PlacedId | None
    second: PlacedId | None

    @property
    def edge(self) -> bool:
        """Its parent differs."""
        return _parent(self.first) != _parent(self.second)

    @property
    def message(self) -> bool:
        """It was seen on one side only."""
        return _seen(self.first) != _seen(self.second)

    @property
    def differs(self) -> bool:
        """Anything that a digest is made of."""
        return self.edge or self.message or (_seen(self.first) and bool(self.only_first or self.only_second))

    @property
    def only_first(self) -> list[PlacingClaim]:
        """What only the first side counts about it."""
        return sorted(_said(self.first) - _said(self.second), key=lambda said: (said.list, said.origin, said.claim))

    @property
    def only_second(self) -> list[PlacingClaim]:
        """What only the second side counts about it."""
        return IdPair(self.id, self.second, self.first).only_first


@dataclass(frozen=True, slots=True)
class ThreadDifference:
    """A thread that differs, with its ids that do, in the order of the tree.

    ``within``: where one side has no tree with this root, the root of that in which the id stands there, if in any.
    """

    thread: Differing
    pairs: tuple[IdPair, ...]
    within: str | None
    both: bool
    """Whether both sides have something of it."""


@dataclass(slots=True)
class Comparison:
    """What is different, as far as it was looked at; to be read after `differences`."""

    both: bool = False
    """Whether only threads count that both sides have."""
    threads: int = 0
    """Roots whose trees differ, those beyond the limit too."""
    found: list[Differing] = field(default_factory=list)
    """Those of them that are looked into."""
    shown: int = 0
    """Those of these that `differences` gave."""
    on_both: int = 0
    only_first: int = 0
    only_second: int = 0
    """Of what was looked into: threads that both sides have, or one of them."""
    messages: int = 0
    edges: int = 0
    """In what counts of it: ids that were seen on one side only, and ids whose parent differs."""
    _limit: int | None = None

    @property
    def differing(self) -> int:
        """Threads that differ and count."""
        return self.on_both if self.both else self.threads

    def take(self, first: Iterable[ThreadDigest], second: Iterable[ThreadDigest], limit: int | None) -> None:
        """Find the trees that differ, and keep so many of them; if only some of them count, all."""
        self._limit = limit
        most = _MOST if self.both else limit
        for one in differing(first, second):
            self.threads += 1
            if most is None or len(self.found) < most:
                self.found.append(one)
            elif self.both:
                raise AnswerError(f"more than {_MOST} threads differ; so many are not looked into")

    def differences(self, first: ComparedSide, second: ComparedSide) -> Iterator[ThreadDifference]:
        """What differs in the trees that were kept, as far as it counts, and is to be shown."""
        for start in range(0, len(self.found), _CHUNK):
            for one in _look_into(self.found[start : start + _CHUNK], first, second):
                if self._counts(one) and (self._limit is None or self.shown < self._limit):
                    self.shown += 1
                    yield one

    def _counts(self, one: ThreadDifference) -> bool:
        self.on_both += one.both
        self.only_first += not one.both and one.thread.second is None
        self.only_second += not one.both and one.thread.first is None
        if self.both and not one.both:
            return False
        self.messages += sum(pair.message for pair in one.pairs)
        self.edges += sum(pair.edge for pair in one.pairs)
        return True


def differing(first: Iterable[ThreadDigest], second: Iterable[ThreadDigest]) -> Iterator[Differing]:
    """The roots of two ordered runs whose digests differ, or that are in one of them only."""
    left, right = iter(first), iter(second)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and to_bytes(one.root) < to_bytes(other.root)):
            assert one is not None
            yield Differing(one.root, one.digest, None)
            one = next(left, None)
        elif one is None or one.root != other.root:
            yield Differing(other.root, None, other.digest)
            other = next(right, None)
        else:
            if one.digest != other.digest:
                yield Differing(one.root, one.digest, other.digest)
            one, other = next(left, None), next(right, None)


def _look_into(found: Sequence[Differing], first: ComparedSide, second: ComparedSide) -> Iterator[ThreadDifference]:
    trees = _fetch(first, [(one.root, one.first) for one in found])
    others = _fetch(second, [(one.root, one.second) for one in found])
    here, there = _Known(first, trees.values()), _Known(second, others.values())
    names = list(here.standings), list(there.standings)
    here.ask(names[1])
    there.ask(names[0])
    for one in found:
        ids = list(_ids(trees.get(one.root))), list(_ids(others.get(one.root)))
        pairs = [IdPair(name, here.standings[name], there.standings.get(name)) for name in ids[0]]
        pairs += [IdPair(name, None, there.standings[name]) for name in ids[1] if name not in here.standings]
        within, both = None, True
        if one.first is None or one.second is None:
            lacking, names_of_it = (here, ids[1]) if one.first is None else (there, ids[0])
            within = lacking.roots.get(one.root)
            both = any(name in lacking.standings for name in names_of_it)
        yield ThreadDifference(one, tuple(pair for pair in pairs if pair.differs), within, both)


def _fetch(side: ComparedSide, wanted: Iterable[tuple[str, str | None]]) -> dict[str, ThreadTree]:
    """The trees with these roots and digests."""
    digests = {root: digest for root, digest in wanted if digest is not None}
    trees = {tree.root: tree for tree in side.trees(list(digests))}
    for root, digest in digests.items():
        if root not in trees or trees[root].digest != digest:
            raise AnswerError(
                f"{side.name}: the thread {root!r} is not the one of which it gave the digest; run it again"
            )
    return trees


class _Known:
    """What is known of the ids on one side."""

    def __init__(self, side: ComparedSide, trees: Iterable[ThreadTree]) -> None:
        self._side = side
        self.standings: dict[str, PlacedId] = {}
        self.roots: dict[str, str] = {}
        for tree in trees:
            self._take(tree)

    def ask(self, ids: Iterable[str]) -> None:
        """Look for ids in other trees too."""
        missing = [name for name in ids if name not in self.standings]
        for tree in self._side.trees(missing) if missing else ():
            self._take(tree)

    def _take(self, tree: ThreadTree) -> None:
        for one in tree.standings:
            self.standings[one.id] = one
            self.roots[one.id] = tree.root


def _ids(tree: ThreadTree | None) -> Iterator[str]:
    return (one.id for one in tree.standings) if tree is not None else iter(())


def _parent(standing: PlacedId | None) -> str | None:
    return None if standing is None else standing.parent


def _seen(standing: PlacedId | None) -> bool:
    return standing is not None and standing.seen


def _said(standing: PlacedId | None) -> set[PlacingClaim]:
    return set() if standing is None else set(standing.said)
