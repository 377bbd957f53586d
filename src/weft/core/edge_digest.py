"""The digest of a tree by its edges: equal for equal trees, whatever the order in which they are visited.

Each edge is the label of the child and that of its parent; a label is an id behind its length in one byte, and a root
has `NO_PARENT` above it.  The digest is SHA-256 over the sorted edges.
"""

from __future__ import annotations

from hashlib import sha256

LABEL_FRONTS = [bytes([length]) for length in range(256)]
"""What stands before an id of each length."""
NO_PARENT = b"\0"


def digest_of_edges(edges: list[bytes]) -> str:
    """The digest of a tree with these edges, as hex; sorts them."""
    edges.sort()
    return sha256(b"weft/v1/tree\0" + b"".join(edges)).hexdigest()
