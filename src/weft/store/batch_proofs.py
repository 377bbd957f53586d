"""What every store does with a part: see that it is of one piece, and work out the proof to keep for its batch.

A batch is (feed, leaf count, root).  The signature is not a part of that: an origin can make any number of them.
The proof that is kept for a batch is about exactly the leaves held under it, so that their ids, which are computed
from the claims, complete it; it is None if all leaves are held, because then nothing is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import reduce

from weft.core.merkle import Multiproof, PartialTree, whole_tree
from weft.errors import ClaimError
from weft.store.interface import VerifiedPart


def check_part(part: VerifiedPart) -> None:
    """`ValueError` unless the tree is that of the signed root, and the claims are its leaves and of its feed."""
    signed, tree = part.signed, part.tree
    if (tree.leaf_count, tree.root) != (signed.leaf_count, signed.root):
        raise ValueError("the tree of a part is not that of its signed root")
    leaves, origin, name = tree.leaves, signed.origin, signed.list
    for claim in part.claims:
        if leaves.get(claim.leaf) != claim.identity:
            raise ValueError(f"claim {claim.identity.hex()} is not at leaf {claim.leaf} of its batch")
        if claim.parsed.origin != origin or claim.parsed.list != name:
            raise ValueError(f"claim {claim.identity.hex()} is of another feed than its batch")


def joined(trees: Iterable[PartialTree]) -> PartialTree:
    """All that some trees of one batch hold, one tree at least."""
    return reduce(PartialTree.merge, trees)


def kept_proof(tree: PartialTree, leaves: Collection[int]) -> Multiproof | None:
    """The proof to keep for a batch of which ``leaves`` are held; None if these are all."""
    return None if len(leaves) == tree.leaf_count else tree.prove(leaves)


def tree_of(leaf_count: int, root: bytes, leaves: Mapping[int, bytes], proof: Multiproof | None) -> PartialTree | None:
    """The tree that a kept proof and the ids at its leaves make; None if they do not lead to the root: damaged."""
    if proof is None:
        if set(leaves) != set(range(leaf_count)):
            return None
        tree = whole_tree([leaves[leaf] for leaf in range(leaf_count)])
        return tree if tree.root == root else None
    try:
        return proof.verify(leaf_count, [leaves[leaf] for leaf in proof.positions], root)
    except (ClaimError, KeyError):
        return None
