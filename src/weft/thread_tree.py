"""A tree of the common view with who says so, as two servers are compared by it: read from an index, or over gRPC."""

from __future__ import annotations

from dataclasses import dataclass

from weft.policy.rules import thread_digest

DIGEST_BYTES = 16
"""Of the digest of a tree, the first so many are compared."""


@dataclass(frozen=True, slots=True, order=True)
class PlacingClaim:
    """A claim that counts for the parent of an id.  Its origin can lie about all of it.

    ``claim``   its id, as hex
    ``origin``  the fingerprint of who made it
    ``parent``  what it says is the parent; None: that there is none
    ``by``      the message in whose References that stands; empty: the claim is about the id itself
    """

    claim: str
    origin: str
    list: str
    parent: str | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class PlacedId:
    """Where an id stands in the common view, and why: ``rule`` as in `weft.model.Explanation`."""

    id: str
    parent: str | None
    seen: bool
    rule: str
    said: tuple[PlacingClaim, ...]


@dataclass(frozen=True, slots=True)
class ThreadTree:
    """A whole tree: the root first, each id before those below it."""

    standings: tuple[PlacedId, ...]

    @property
    def root(self) -> str:
        """The id of its root."""
        return self.standings[0].id

    @property
    def digest(self) -> str:
        """What `weft.model.ThreadDigest` says of it, worked out from what is in it."""
        claims = (bytes.fromhex(said.claim) for one in self.standings if one.seen for said in one.said)
        edges = ((one.id, one.parent) for one in self.standings if one.parent is not None)
        found = thread_digest(claims, ((to_bytes(child), to_bytes(parent)) for child, parent in edges))
        return found[:DIGEST_BYTES].hex()


def to_text(message_id: bytes) -> str:
    """An id as text."""
    return message_id.decode("utf-8", "surrogateescape")


def to_bytes(message_id: str) -> bytes:
    """The opposite."""
    return message_id.encode("utf-8", "surrogateescape")
