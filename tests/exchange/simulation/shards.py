"""A store in two pieces: each claim lies in the one that the hash of its message id names.

Theory of operation
-------------------
What a claim refers to may lie in the other piece, and so may other claims of its batch.  So each question goes to both,
and the answers are merged: positions of the whole are given in front of the pieces, and a batch is one again, with what
both pieces know of its tree.  Nothing that asks can tell such a store from another one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from heapq import merge
from itertools import islice
from typing import NamedTuple

from weft.core.feed import Feed
from weft.core.id_digest import id_digest
from weft.core.merkle import Multiproof, PartialTree
from weft.core.signing import SignedRoot
from weft.store.batch_proofs import joined
from weft.store.interface import PAGE, InsertedClaim, StoredClaim, VerifiedClaim, VerifiedPart
from weft.testing import MemoryStore

_PIECES = 2
_Lookup = Callable[[MemoryStore, Sequence[bytes], int, int], list[StoredClaim]]


class _Place(NamedTuple):
    piece: int
    position: int
    """In that piece."""


def piece_of(claim: VerifiedClaim) -> int:
    """In which piece a claim lies."""
    return id_digest(claim.parsed.message_id)[0] % _PIECES


class ShardedStore(MemoryStore):
    """A store of two; what the exchange needs of one."""

    def __init__(self) -> None:
        self._pieces = [MemoryStore() for _ in range(_PIECES)]
        self._places: list[_Place] = []
        """By position of the whole."""
        self._wholes: list[list[int]] = [[] for _ in range(_PIECES)]
        """Of each piece: the positions of the whole, by its own."""
        self._numbers: dict[bytes, int] = {}
        """Of batches, by what their origin signed."""
        self._parts: dict[int, dict[int, int]] = {}
        """By batch: its number in each piece that has some of it."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One of both."""
        before = len(self._places), [len(wholes) for wholes in self._wholes]
        try:
            with ExitStack() as stack:
                for piece in self._pieces:
                    stack.enter_context(piece.transaction())
                yield
        except BaseException:
            del self._places[before[0] :]
            for wholes, length in zip(self._wholes, before[1], strict=True):
                del wholes[length:]
            raise

    def put(self, parts: Iterable[VerifiedPart]) -> list[InsertedClaim]:
        """Claim by claim, so that the order of the log is the one in which they came."""
        stored = []
        for part in parts:
            for claim in part.claims:
                piece = piece_of(claim)
                for one in self._pieces[piece].put([part._replace(claims=[claim])]):
                    self._places.append(_Place(piece, one.position))
                    self._wholes[piece].append(len(self._places))
                    self._number(part.signed, piece, self._pieces[piece].at([one.position])[0].batch)
                    stored.append(one._replace(position=len(self._places)))
        return stored

    def _number(self, signed: SignedRoot, piece: int, batch: int) -> int:
        key = b"%s %s %d %s" % (signed.origin, signed.list, signed.leaf_count, signed.root)
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        self._parts.setdefault(number, {})[piece] = batch
        return number

    def _whole(self, piece: int, held: StoredClaim) -> StoredClaim:
        """As the whole store holds it."""
        signed = self._pieces[piece].signed(held.batch)[0]
        position = self._wholes[piece][held.position - 1]
        return held._replace(position=position, batch=self._number(signed, piece, held.batch))

    def holds(self, identities: Sequence[bytes]) -> set[bytes]:
        """In any piece."""
        return {identity for piece in self._pieces for identity in piece.holds(identities)}

    def get(self, identities: Sequence[bytes]) -> list[StoredClaim]:
        """Out of both."""
        return sorted(self._whole(at, held) for at, piece in enumerate(self._pieces) for held in piece.get(identities))

    def positions_concerning(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[int]:
        """What an id's own piece knows about it, and the other one of who refers to it."""
        found = []
        for wholes, piece in zip(self._wholes, self._pieces, strict=True):
            positions = piece.positions_concerning(ids, bisect_right(wholes, after), limit)
            found.append([wholes[position - 1] for position in positions])
        return list(islice(merge(*found), limit))

    def claims_about(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Out of both."""
        return self._paged(MemoryStore.claims_about, ids, after, limit)

    def claims_referring_to(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Out of both."""
        return self._paged(MemoryStore.claims_referring_to, ids, after, limit)

    def _paged(self, ask: _Lookup, ids: Sequence[bytes], after: int, limit: int) -> list[StoredClaim]:
        found = [
            self._whole(at, held)
            for at, (wholes, piece) in enumerate(zip(self._wholes, self._pieces, strict=True))
            for held in ask(piece, ids, bisect_right(wholes, after), limit)
        ]
        return sorted(found, key=lambda held: held.position)[:limit]

    def at(self, positions: Sequence[int]) -> list[StoredClaim]:
        """Each out of its piece."""
        places = [self._places[position - 1] for position in sorted(set(positions)) if 0 < position <= self.position()]
        return [self._whole(piece, self._pieces[piece].at([position])[0]) for piece, position in places]

    def ids_with(self, digests: Sequence[bytes]) -> list[list[bytes]]:
        """Those that either piece knows."""
        found = [piece.ids_with(digests) for piece in self._pieces]
        return [sorted(set().union(*ids)) for ids in zip(*found, strict=True)]

    def log(self, after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """In the order in which they came."""
        return self.at(range(after + 1, min(after + limit, self.position()) + 1))

    def position(self) -> int:
        """Of the whole."""
        return len(self._places)

    def signed(self, batch: int) -> tuple[SignedRoot, PartialTree]:
        """What both pieces know of a batch."""
        known = [self._pieces[piece].signed(number) for piece, number in sorted(self._parts[batch].items())]
        return known[0][0], joined(tree for _, tree in known)

    def signed_root(self, batch: int) -> SignedRoot:
        """What any piece says."""
        piece, number = next(iter(self._parts[batch].items()))
        return self._pieces[piece].signed_root(number)

    def feed(self, batch: int) -> Feed:
        """What any piece says."""
        piece, number = next(iter(self._parts[batch].items()))
        return self._pieces[piece].feed(number)

    def batches_at(self, positions: Sequence[int]) -> dict[int, int]:
        """Each out of its piece."""
        return {held.position: held.batch for held in self.at(positions)}

    def prove(self, batch: int, leaves: Sequence[int]) -> Multiproof:
        """Across both."""
        return self.signed(batch)[1].prove(leaves)
