"""Merkle trees of batches, and proofs that some claims are leaves of one.

Theory of operation
-------------------
The leaves of a batch are the ids of 1 to 256 claims of one feed.  Hashes are those of RFC 6962 section 2.1: a leaf is
SHA-256(0x00, claim id), a node SHA-256(0x01, left, right), and the left part of n leaves is the largest power of two
below n.  That is the same tree as: pair each row from the left, and lift a last node without a partner unchanged into
the row above.  So a node has a place (level, index), and where its neighbour stands follows from the number of leaves.

A receiver seldom gets a whole batch.  It keeps a `PartialTree`: the leaves it holds, and the hashes of the largest
parts in which it holds nothing.  The hashes above a held leaf follow from these.  Two partial trees of one batch merge
into one of the same form: a largest part without a held leaf has a neighbour with one, so whichever tree had that leaf
knows the part's hash.  For the same reason a partial tree can prove *any* of its leaves to the next, with one
`Multiproof`: the hashes missing beside those leaves, lowest level first, left to right.

The number of leaves and the root come from what the origin signed (`weft.core.signing`), never from a proof.  A proof
says only which leaves it is about; how many hashes it must have follows from that and is checked before anything is
hashed.  Everything is iterative, and bounded by `MAX_LEAVES`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from google.protobuf.message import DecodeError

from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire

MAX_LEAVES = 256
"""The claims of one batch."""
HASH_BYTES = 32
_MAX_HELD = MAX_LEAVES // 8
_LEVEL = 8
"""A place is ``level << 8 | index``: an index is below 256."""


def leaf_hash(identity: bytes) -> bytes:
    """The hash of a leaf, from the id of its claim."""
    return sha256(b"\0" + identity).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


def root(ids: Sequence[bytes]) -> bytes:
    """The root over the claim ids of a batch, in the order of its leaves."""
    return whole_tree(ids).root


def whole_tree(ids: Sequence[bytes]) -> PartialTree:
    """The tree of a batch of which all 1 to 256 claim ids are here."""
    if not 1 <= len(ids) <= MAX_LEAVES:
        raise ValueError(f"a batch has 1 to {MAX_LEAVES} claims, not {len(ids)}")
    return _climb(len(ids), dict(enumerate(ids)), {})


@dataclass(frozen=True, slots=True)
class Multiproof:
    """Which leaves of a batch are proved, and the hashes beside them; as a peer gives it, it proves nothing yet."""

    positions: tuple[int, ...]
    """Ascending."""
    hashes: tuple[bytes, ...]
    """Lowest level first, left to right."""

    def verify(self, leaf_count: int, ids: Sequence[bytes], expected_root: bytes) -> PartialTree:
        """What is known after this proof: that ``ids`` are the leaves at ``positions``.

        ``leaf_count`` and ``expected_root`` must be those that the origin signed.  `ClaimError` if it proves nothing
        of the kind; the peer can lie about everything in it.
        """
        _check_positions(self.positions, leaf_count)
        if len(ids) != len(self.positions) or any(len(identity) != HASH_BYTES for identity in ids):
            raise _refused("it is not about as many claims as were given")
        missing = _beside(leaf_count, self.positions)
        if len(self.hashes) != len(missing) or any(len(data) != HASH_BYTES for data in self.hashes):
            raise _refused(f"it has not the {len(missing)} hashes that its leaves need")
        leaves = dict(zip(self.positions, ids, strict=True))
        tree = _climb(leaf_count, leaves, dict(zip(missing, self.hashes, strict=True)))
        if tree.root != expected_root:
            raise _refused("it does not lead to the root that was signed")
        return tree

    def to_message(self) -> wire.Multiproof:
        """For the wire."""
        return wire.Multiproof(held=_bitmap(self.positions), hashes=b"".join(self.hashes))

    @classmethod
    def from_message(cls, message: wire.Multiproof) -> Multiproof:
        """From the wire, unverified; `ClaimError` if it cannot be a proof of any batch."""
        return cls(_positions(message.held), _split(message.hashes))

    def encode(self) -> bytes:
        """The bytes of `to_message`."""
        return self.to_message().SerializeToString(deterministic=True)

    @classmethod
    def decode(cls, data: bytes) -> Multiproof:
        """The opposite of `encode`; `ClaimError` as in `from_message`."""
        try:
            return cls.from_message(wire.Multiproof.FromString(data))
        except DecodeError:
            raise _refused("its bytes are not a message of the schema") from None


@dataclass(frozen=True, slots=True)
class PartialTree:
    """What is held of one batch, verified.  Made by `whole_tree`, `Multiproof.verify`, `load` and `merge` only."""

    leaf_count: int
    leaves: Mapping[int, bytes]
    """The held claim ids by position, one at least."""
    known: Mapping[int, bytes]
    """Hashes by place: of the held leaves, of all above them, and of the neighbours of these."""

    @property
    def root(self) -> bytes:
        """The root of the batch."""
        return self.known[_top(self.leaf_count)]

    def merge(self, other: PartialTree) -> PartialTree:
        """All that two trees of the same batch hold; `ValueError` if they are not of the same."""
        if (self.leaf_count, self.root) != (other.leaf_count, other.root):
            raise ValueError("the trees are of different batches")
        return PartialTree(self.leaf_count, {**self.leaves, **other.leaves}, {**self.known, **other.known})

    def prove(self, positions: Iterable[int]) -> Multiproof:
        """The smallest proof for the leaves at ``positions``, all of which must be held (else `KeyError`)."""
        wanted = tuple(sorted(set(positions)))
        if not wanted:
            raise ValueError("a proof is about one leaf at least")
        for position in wanted:
            if position not in self.leaves:
                raise KeyError(position)
        return Multiproof(wanted, tuple(self.known[place] for place in _beside(self.leaf_count, wanted)))

    def dump(self) -> bytes:
        """For storage: the bytes in the bitmap, the bitmap of the held leaves, their ids, the hashes beside them.

        Where the ids are at hand elsewhere, ``prove(leaves).encode()`` is the same without them.
        """
        proof = self.prove(self.leaves)
        held = _bitmap(proof.positions)
        ids = (self.leaves[position] for position in proof.positions)
        return b"".join((bytes((len(held),)), held, *ids, *proof.hashes))


def load(data: bytes, leaf_count: int, expected_root: bytes) -> PartialTree:
    """The tree that `PartialTree.dump` gave; `ClaimError` if it is damaged or of another batch."""
    start = 1 + data[0] if data else 0
    positions = _positions(data[1:start])
    hashes = _split(data[start:])
    held = len(positions)
    return Multiproof(positions, hashes[held:]).verify(leaf_count, hashes[:held], expected_root)


def _climb(leaf_count: int, leaves: dict[int, bytes], known: dict[int, bytes]) -> PartialTree:
    """Hash from ``leaves`` (ascending) to the root; ``known`` has the neighbours, and takes what is computed."""
    row: Collection[int] = leaves
    for position, identity in leaves.items():
        known[position] = leaf_hash(identity)
    width, level = leaf_count, 0
    while width > 1:
        above = level + (1 << _LEVEL)
        row = dict.fromkeys([index >> 1 for index in row])
        for index in row:
            left = known[level | index << 1]
            right = index << 1 | 1
            known[above | index] = node_hash(left, known[level | right]) if right < width else left
        width, level = (width + 1) >> 1, above
    return PartialTree(leaf_count, leaves, known)


def _beside(leaf_count: int, positions: Collection[int]) -> list[int]:
    """The places whose hashes are needed beside the leaves at ``positions`` (ascending) to reach the root."""
    needed = []
    row = dict.fromkeys(positions)
    width, level = leaf_count, 0
    while width > 1:
        needed += [level | index ^ 1 for index in row if index ^ 1 < width and index ^ 1 not in row]
        row = dict.fromkeys([index >> 1 for index in row])
        width, level = (width + 1) >> 1, level + (1 << _LEVEL)
    return needed


def _top(leaf_count: int) -> int:
    return (leaf_count - 1).bit_length() << _LEVEL


def _check_positions(positions: Sequence[int], leaf_count: int) -> None:
    if not 1 <= leaf_count <= MAX_LEAVES:
        raise _refused(f"the batch has {leaf_count} leaves, not 1 to {MAX_LEAVES}")
    if not positions or positions[0] < 0 or positions[-1] >= leaf_count:
        raise _refused("it is about no leaf, or about one that the batch does not have")
    if any(before >= after for before, after in pairwise(positions)):
        raise _refused("its leaves are not in order")


def _bitmap(positions: Iterable[int]) -> bytes:
    bits = sum(1 << position for position in positions)
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def _positions(held: bytes) -> tuple[int, ...]:
    """The positions in a bitmap; it must be the one that `_bitmap` gives."""
    if not 0 < len(held) <= _MAX_HELD or not held[-1]:
        raise _refused(f"which leaves it is about is not said in 1 to {_MAX_HELD} bytes")
    bits = int.from_bytes(held, "little")
    return tuple(position for position in range(bits.bit_length()) if bits >> position & 1)


def _split(data: bytes) -> tuple[bytes, ...]:
    """Octets as hashes."""
    if len(data) % HASH_BYTES or len(data) > MAX_LEAVES * HASH_BYTES:
        raise _refused(f"its hashes are not up to {MAX_LEAVES} of {HASH_BYTES} bytes")
    return tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))


def _refused(reason: str) -> ClaimError:
    return ClaimError(f"proof refused: {reason}")
