"""What is kept of a peer between sessions: the key of the pair, and sketches of our own sets under it.

Theory of operation
-------------------
The sketches say nothing about the peer; they are of the claims that *we* hold in the agreed feeds, as far as a position
of our log, and the next session folds in what came since.  So all of it can be lost at any time and costs one listing.
It counts only if both sides have kept it for the same agreement and key, which `Kept.mark` tells without telling them.

A log that was restored from a backup is another one.  The element at the position is kept as well, and if it is not
there any more, nothing kept is used.  Where that is not enough the sketch does not decode, and is made anew.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from weft.errors import StoreError
from weft.exchange.agreement import Scope
from weft.exchange.mapping import KEY_OCTETS
from weft.exchange.sketch import Sketch
from weft.exchange.symbol import ELEMENT_OCTETS

MARK_OCTETS = 16
DOMAIN = b"weft/v1/kept-sketch\0"
_VERSION = 1
_DIGEST_OCTETS = 32
_HEADER = struct.Struct(f"<B{_DIGEST_OCTETS}s{KEY_OCTETS}sQ{ELEMENT_OCTETS}s")
_SCOPE = struct.Struct("<BI")


@dataclass(frozen=True, slots=True)
class Kept:
    """Key, agreement, and how far the sketches go."""

    digest: bytes
    """32 octets: of the agreement."""
    key: bytes
    position: int = 0
    element: bytes = bytes(ELEMENT_OCTETS)
    """The one at the position; zeros at 0."""
    sketches: Mapping[Scope, bytes] | None = None
    """As `Sketch.dump` gives them."""

    @property
    def mark(self) -> bytes:
        """16 octets that are equal on both sides for an equal key and agreement, and tell neither."""
        return sha256(DOMAIN + self.digest + self.key).digest()[:MARK_OCTETS]

    def sketch(self, scope: Scope) -> Sketch:
        """The sketch of a scope; `StoreError` if it is not there, or damaged."""
        try:
            return Sketch.load(self.key, (self.sketches or {})[scope])
        except KeyError:
            raise _unreadable() from None

    def dump(self) -> bytes:
        """For storage."""
        parts = [_HEADER.pack(_VERSION, self.digest, self.key, self.position, self.element)]
        for scope, octets in (self.sketches or {}).items():
            parts += _SCOPE.pack(scope, len(octets)), octets
        return b"".join(parts)


def load(octets: bytes) -> Kept:
    """What `Kept.dump` gave; `StoreError` if it is of another version, or cut."""
    if len(octets) < _HEADER.size or octets[0] != _VERSION:
        raise _unreadable()
    _, digest, key, position, element = _HEADER.unpack_from(octets)
    sketches = {}
    start = _HEADER.size
    while start < len(octets):
        if start + _SCOPE.size > len(octets):
            raise _unreadable()
        scope, length = _SCOPE.unpack_from(octets, start)
        start += _SCOPE.size
        if scope not in set(Scope) or start + length > len(octets):
            raise _unreadable()
        sketches[Scope(scope)] = octets[start : start + length]
        start += length
    return Kept(digest, key, position, element, sketches)


def _unreadable() -> StoreError:
    return StoreError("what was kept of a peer cannot be read; the next exchange with it starts over")
