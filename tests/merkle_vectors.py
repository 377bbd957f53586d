"""Roots of batches and proofs of some of their leaves, as test vectors: good ones, and those that prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from weft.core.merkle import Multiproof, whole_tree
from weft.errors import ClaimError


def content() -> object:
    """The contents of ``merkle.json``."""
    cases = [
        (1, [0]),
        (2, [1]),
        (3, [2]),
        (5, [0, 4]),
        (7, [1, 2, 3]),
        (8, [*range(8)]),
        (255, [254]),
        (256, [0, 100, 101]),
    ]
    found = []
    for count, positions in cases:
        tree = whole_tree([sha256(b"%d" % n).digest() for n in range(count)])
        proof = tree.prove(positions)
        found.append(
            {
                "leaf_count": count,
                "root": tree.root.hex(),
                "positions": list(proof.positions),
                "hashes": [data.hex() for data in proof.hashes],
                "proof": proof.encode().hex(),
            }
        )
    return {"accepted": found, "refused": list(_false_proofs())}


def _false_proofs() -> Iterator[object]:
    """Proofs for the leaves 1 and 4 of 7, each with a fault."""
    tree = whole_tree([sha256(b"%d" % n).digest() for n in range(7)])
    good = tree.prove([1, 4])
    hashes = list(good.hashes)
    cases = {
        "the leaves in the other order": (7, tree.root, (4, 1), hashes, (1, 4)),
        "another leaf": (7, tree.root, (1, 5), hashes, (1, 4)),
        "a leaf too few": (7, tree.root, (1,), hashes, (1, 4)),
        "a hash too few": (7, tree.root, (1, 4), hashes[:-1], (1, 4)),
        "a hash too many": (7, tree.root, (1, 4), [*hashes, bytes(32)], (1, 4)),
        "two hashes in the other order": (7, tree.root, (1, 4), [hashes[1], hashes[0], *hashes[2:]], (1, 4)),
        "other positions": (7, tree.root, (1, 4), hashes, (1, 5)),
        "a position that the batch does not have": (7, tree.root, (1, 4), hashes, (1, 7)),
        "another number of leaves": (9, tree.root, (1, 4), hashes, (1, 4)),
        "no leaves": (0, tree.root, (1, 4), hashes, (1, 4)),
        "257 leaves": (257, tree.root, (1, 4), hashes, (1, 4)),
        "another root": (7, bytes(32), (1, 4), hashes, (1, 4)),
    }
    for rule, (count, root, leaves, beside, positions) in cases.items():
        proof = Multiproof(positions, tuple(beside))
        ids = [sha256(b"%d" % n).digest() for n in leaves]
        assert not _proves(proof, count, ids, root), rule
        yield {
            "rule": rule,
            "leaf_count": count,
            "root": root.hex(),
            "leaves": [identity.hex() for identity in ids],
            "proof": proof.encode().hex(),
        }


def _proves(proof: Multiproof, count: int, ids: list[bytes], root: bytes) -> bool:
    try:
        proof.verify(count, ids, root)
    except ClaimError:
        return False
    return True
