"""A store in memory, for tests and simulations: dicts and lists, and what to undo if a transaction fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from weft.core.claim import Claim, Withdrawal
from weft.core.feed import Feed, Lists
from weft.core.id_digest import id_digest
from weft.core.merkle import Multiproof, PartialTree
from weft.core.signing import SignedRoot
from weft.errors import StoreError
from weft.store.batch_proofs import check_part, joined, kept_proof, tree_of
from weft.store.interface import PAGE, IngestedFile, InsertedClaim, LogSlice, StoredClaim, VerifiedClaim, VerifiedPart

_PREFIX = 16

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Batch:
    signed: SignedRoot
    tree: PartialTree
    """All that is known of it."""
    leaves: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """The claims that are held under it."""


class MemoryStore:
    """A `weft.store.interface.Store` that is gone with the process."""

    def __init__(self) -> None:
        self._log: list[StoredClaim] = []
        self._parsed: list[Claim | Withdrawal] = []
        self._positions: dict[bytes, int] = {}
        self._prefixes: dict[bytes, tuple[int, ...]] = {}
        self._about: dict[bytes, list[int]] = {}
        self._referring: dict[bytes, list[int]] = {}
        self._nodes: dict[bytes, int] = {}
        self._digests: dict[bytes, tuple[bytes, ...]] = {}
        self._batches: dict[int, _Batch] = {}
        self._batch_numbers: dict[tuple[Feed, int, bytes], int] = {}
        self._feeds: dict[Feed, int] = {}
        self._files: dict[int, IngestedFile] = {}
        self._file_numbers: list[int] = []
        self._undo: list[Callable[[], object]] | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes happen inside one; if it fails, nothing of it is left."""
        if self._undo is not None:
            raise RuntimeError("a transaction within a transaction")
        undo = self._undo = []
        try:
            yield
        except BaseException:
            while undo:
                undo.pop()()
            raise
        finally:
            self._undo = None

    def put(self, parts: Iterable[VerifiedPart]) -> list[InsertedClaim]:
        """Keep what is not held yet; each new one, in order."""
        stored = []
        for part in parts:
            check_part(part)
            batch = 0
            for claim in part.claims:
                if position := self._positions.get(claim.identity):
                    self._take_place(self._log[position - 1], claim)
                    continue
                batch = batch or self._join(part)
                stored.append(self._add(batch, claim))
        return stored

    def holds(self, identities: Sequence[bytes]) -> set[bytes]:
        """Those of the claim ids that are held, expunged ones too."""
        return {identity for identity in identities if identity in self._positions}

    def get(self, identities: Sequence[bytes]) -> list[StoredClaim]:
        """The claims with these ids or 16-byte prefixes of ids, in order of position."""
        positions: set[int] = set()
        for identity in identities:
            positions.update(self._prefixes.get(identity, ()))
            positions.update(filter(None, [self._positions.get(identity)]))
        return [self._log[position - 1] for position in sorted(positions)]

    def claims_about(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims about any of the message ids, in order of position, from beyond ``after``; expunged ones too."""
        return self._page(self._about, ids, after, limit)

    def claims_referring_to(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims that name any of the message ids in References or In-Reply-To, in order of position."""
        return self._page(self._referring, ids, after, limit)

    def positions_concerning(self, ids: Sequence[bytes], after: int = 0, limit: int = PAGE) -> list[int]:
        """Where claims about any of the message ids, or that refer to one, stand in the log: ascending, each once."""
        found = {
            position for index in (self._about, self._referring) for data in ids for position in index.get(data, ())
        }
        return sorted(position for position in found if position > after)[:limit]

    def at(self, positions: Sequence[int]) -> list[StoredClaim]:
        """The claims at these positions, in order; those that are not in the log are left out."""
        return [self._log[position - 1] for position in sorted(set(positions)) if 0 < position <= len(self._log)]

    def digest_ids(self, most: int) -> bool:  # noqa: ARG002 - there is nothing to do
        """It always is."""
        return True

    def ids_with(self, digests: Sequence[bytes]) -> list[list[bytes]]:
        """For each digest (`weft.core.id_digest`) the message ids here that have it, sorted."""
        return [sorted(self._digests.get(digest, ())) for digest in digests]

    def log(self, after: int = 0, limit: int = PAGE) -> list[StoredClaim]:
        """Claims beyond a position, in order."""
        return self._log[after : after + limit]

    def log_of(
        self, feeds: Mapping[bytes, Lists], after: int = 0, upto: int | None = None, limit: int = PAGE
    ) -> LogSlice:
        """Claims of some feeds, given by origin, beyond a position and up to another one, in order."""
        end = self.position() if upto is None else min(upto, self.position())
        claims: list[StoredClaim] = []
        for held in self.log(after, end - after) if end > after else ():
            origin, name = self.feed(held.batch)
            if origin in feeds and name in feeds[origin]:
                claims.append(held)
                if len(claims) == limit:
                    return LogSlice(claims, held.position)
        return LogSlice(claims, max(after, end))

    def position(self) -> int:
        """The position of the newest claim, 0 if there is none."""
        return len(self._log)

    def feeds(self) -> dict[Feed, int]:
        """How many claims are held of each feed."""
        return dict(self._feeds)

    def signed(self, batch: int) -> tuple[SignedRoot, PartialTree]:
        """The signed root of a batch and what is known of its tree, whose leaves are the claims held under it."""
        known = self._batches.get(batch)
        if known is None:
            raise StoreError(f"there is no batch {batch} in this store")
        proof = kept_proof(known.tree, known.leaves)
        tree = tree_of(known.signed.leaf_count, known.signed.root, known.leaves, proof)
        if tree is None:
            raise StoreError(f"batch {batch} proves nothing; this is a defect of Weft")
        return known.signed, tree

    def signed_root(self, batch: int) -> SignedRoot:
        """The signed root of a batch alone."""
        known = self._batches.get(batch)
        if known is None:
            raise StoreError(f"there is no batch {batch} in this store")
        return known.signed

    def feed(self, batch: int) -> Feed:
        """The feed of a batch, which never changes."""
        known = self._batches.get(batch)
        if known is None:
            raise StoreError(f"there is no batch {batch} in this store")
        return Feed(known.signed.origin, known.signed.list)

    def batches_at(self, positions: Sequence[int]) -> dict[int, int]:
        """The batch of the claim at each of these positions that is in the log; nothing of the claims is read."""
        return {at: self._log[at - 1].batch for at in positions if 0 < at <= len(self._log)}

    def prove(self, batch: int, leaves: Sequence[int]) -> Multiproof:
        """One proof of held leaves of a batch."""
        try:
            return self.signed(batch)[1].prove(leaves)
        except KeyError as error:
            raise StoreError(f"leaf {error} of batch {batch} is not held") from None

    def expunge(self, identities: Sequence[bytes]) -> int:
        """Forget the bytes of claims, where they came from and what they named; keep their ids.  How many."""
        held = [one for one in self.get(identities) if one.data]
        for one in held:
            self._replace(one._replace(data=b"", place=None))
            for data in _named(self._parsed[one.position - 1]):
                left = [position for position in self._referring[data] if position != one.position]
                self._set(self._referring, data, left)
        return len(held)

    def file(self, file: IngestedFile) -> int:
        """Remember the state of a file (by path and list); its number."""
        numbers = [number for number, known in self._files.items() if _same(known, file)]
        if not numbers:
            numbers = [len(self._file_numbers) + 1]
            self._append(self._file_numbers, numbers[0])
        self._set(self._files, numbers[0], file)
        return numbers[0]

    def files(self) -> dict[int, IngestedFile]:
        """All files that are remembered."""
        return dict(sorted(self._files.items()))

    def known_file(self, number: int) -> IngestedFile | None:
        """The file with this number; None if it is not remembered."""
        return self._files.get(number)

    def move_file(self, file: IngestedFile, path: str) -> None:
        """A file lies at another path now, with all places in it; what was known of that path and list is replaced."""
        moved = replace(file, path=path)
        for number, known in list(self._files.items()):
            if _same(known, file):
                for other in [other for other, one in self._files.items() if _same(one, moved) and other != number]:
                    self._delete(self._files, other)
                self._set(self._files, number, replace(known, path=path))

    def rename_files(self, old: str, new: str) -> None:
        """The files of list ``old`` belong to list ``new``; what was known of them there is replaced."""
        for number, file in list(self._files.items()):
            if file.list != old or old == new:
                continue
            renamed = replace(file, list=new)
            for other in [other for other, known in self._files.items() if _same(known, renamed)]:
                self._delete(self._files, other)
            self._set(self._files, number, renamed)

    def forget_files(self, list_name: str) -> None:
        """The files of a list are read again when they are met again; places in them can no longer be found."""
        for number in [number for number, file in self._files.items() if file.list == list_name]:
            self._delete(self._files, number)

    def close(self) -> None:
        """Nothing has to be let go of."""

    def _join(self, part: VerifiedPart) -> int:
        """The number of the batch of a part, which joins what is known of it."""
        signed = part.signed
        key = (Feed(signed.origin, signed.list), signed.leaf_count, signed.root)
        number = self._batch_numbers.get(key)
        if number is None:
            number = len(self._batches) + 1
            self._set(self._batch_numbers, key, number)
            self._set(self._batches, number, _Batch(signed, part.tree))
        else:
            known = self._batches[number]
            self._set(self._batches, number, replace(known, tree=joined([known.tree, part.tree])))
        return number

    def _add(self, batch: int, claim: VerifiedClaim) -> InsertedClaim:
        parsed = claim.parsed
        position = len(self._log) + 1
        self._append(self._log, StoredClaim(position, claim.identity, claim.data, batch, claim.leaf, claim.place))
        self._append(self._parsed, parsed)
        self._set(self._positions, claim.identity, position)
        prefix = claim.identity[:_PREFIX]
        self._set(self._prefixes, prefix, (*self._prefixes.get(prefix, ()), position))
        self._append(self._about.setdefault(parsed.message_id, []), position)
        for data in _named(parsed):
            self._append(self._referring.setdefault(data, []), position)
        known = self._batches[batch]
        leaves = {**known.leaves, claim.leaf: claim.identity}
        self._set(self._batches, batch, replace(known, leaves=MappingProxyType(leaves)))
        self._set(self._feeds, parsed.feed, self._feeds.get(parsed.feed, 0) + 1)
        replies, chain = (parsed.in_reply_to, parsed.references) if isinstance(parsed, Claim) else ((), ())
        return InsertedClaim(
            position,
            claim,
            self._node(parsed.message_id),
            tuple(map(self._node, replies)),
            tuple(map(self._node, chain)),
        )

    def _take_place(self, held: StoredClaim, claim: VerifiedClaim) -> None:
        if held.place is None and claim.place is not None and held.data:
            self._replace(held._replace(place=claim.place))

    def _node(self, data: bytes) -> int:
        if data not in self._nodes:
            self._set(self._nodes, data, len(self._nodes) + 1)
            digest = id_digest(data)
            self._set(self._digests, digest, (*self._digests.get(digest, ()), data))
        return self._nodes[data]

    def _page(
        self, index: Mapping[bytes, list[int]], ids: Sequence[bytes], after: int, limit: int
    ) -> list[StoredClaim]:
        positions = {position for data in ids for position in index.get(data, ()) if position > after}
        return [self._log[position - 1] for position in sorted(positions)[:limit]]

    def _replace(self, held: StoredClaim) -> None:
        index = held.position - 1
        before = self._log[index]
        self._undoing(lambda: self._log.__setitem__(index, before))
        self._log[index] = held

    def _append(self, values: list[V], value: V) -> None:
        self._undoing(values.pop)
        values.append(value)

    def _set(self, mapping: dict[K, V], key: K, value: V) -> None:
        if key in mapping:
            before = mapping[key]
            self._undoing(lambda: mapping.__setitem__(key, before))
        else:
            self._undoing(lambda: mapping.pop(key))
        mapping[key] = value

    def _delete(self, mapping: dict[K, V], key: K) -> None:
        before = mapping[key]
        self._undoing(lambda: mapping.__setitem__(key, before))
        del mapping[key]

    def _undoing(self, undo: Callable[[], object]) -> None:
        """Note how to undo what comes next."""
        if self._undo is None:
            raise RuntimeError("the store is written outside of a transaction")
        self._undo.append(undo)


def _same(one: IngestedFile, other: IngestedFile) -> bool:
    return (one.path, one.list) == (other.path, other.list)


def _named(claim: Claim | Withdrawal) -> set[bytes]:
    return {*claim.references, *claim.in_reply_to} if isinstance(claim, Claim) else set()
