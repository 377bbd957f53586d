"""What proofs cost: ``python -m tests.bench.proof_sizes`` prints bytes of proof for each claim that is sent.

A batch is made as a bulk ingest makes it, in thread order: its trees lie one after the other.  A peer wants whole
trees (it has a message of each), or, for comparison, the same number of claims anywhere in the batch.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random

from weft.core.merkle import MAX_LEAVES, PartialTree, whole_tree

BATCHES = 200
LARGEST_TREE = 60


def wanted_trees(random: Random, share: float) -> list[int]:
    """The positions of the trees that a peer wants, each with probability ``share``; small trees are many."""
    positions: list[int] = []
    start = 0
    while start < MAX_LEAVES:
        size = min(int(random.paretovariate(1.1)), LARGEST_TREE, MAX_LEAVES - start)
        if random.random() < share:
            positions.extend(range(start, start + size))
        start += size
    return positions


def measure(share: float) -> tuple[int, float, float]:
    """(claims sent in all batches, bytes of proof a claim in thread order, the same if scattered)."""
    random = Random(f"{share}")
    tree: PartialTree = whole_tree([sha256(b"%d" % n).digest() for n in range(MAX_LEAVES)])
    sent = threads = scattered = 0
    for _ in range(BATCHES):
        positions = wanted_trees(random, share)
        if positions:
            sent += len(positions)
            threads += len(tree.prove(positions).encode())
            scattered += len(tree.prove(random.sample(range(MAX_LEAVES), len(positions))).encode())
    return sent, threads / sent, scattered / sent


if __name__ == "__main__":
    print(f"{'share of trees':>14} {'claims a batch':>14} {'in thread order':>16} {'scattered':>10}")
    for percent in (1, 5, 10, 25, 50, 75, 90, 100):
        count, ordered, mixed = measure(percent / 100)
        print(f"{percent:>13}% {count / BATCHES:>14.1f} {ordered:>14.1f} B {mixed:>8.1f} B")
