"""Claims on the wire: packed into frames with one proof for each batch, and what must hold before one is stored.

Theory of operation
-------------------
Nothing that a peer says about a claim is used: the bytes are hashed to get its id, the id must have been wanted, the
ids must be leaves of a batch, the batch must be signed by its origin, its feed must be one that this peer may hand us,
and each claim must be of that feed.  Whatever of this does not hold is the peer's own doing, for an honest one checked
the same: its session ends, and nothing of the frame is kept.

A claim that breaks a rule of `weft.core.claim.parse` is its origin's doing, or a kind of a later version.  It alone is
refused, and remembered by the id that was computed.  That is safe because the reason follows from the bytes of the
claim alone, and so does the id: whoever hands over the same claim, under whatever batch, hands over what is refused.
Nothing else may be remembered by a claim's id.  Anybody can sign a batch over the ids of claims that another origin
will make, for claims are deterministic.

Only sizes are looked at before the cheap checks, and only what passed these is hashed; a signature that was verified is
not verified again.  A `VerifiedPart` is what passed all of it, so nothing behind this hashes, parses or verifies once
more: the store and the view use its ids, its parsed claims and its tree as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from weft.core.claim import MAX_CLAIM, claim_id, parse
from weft.core.feed import Feed
from weft.core.merkle import MAX_LEAVES, Multiproof
from weft.core.signing import SignedRoot, verify_root
from weft.errors import ClaimError, RemoteProtocolError
from weft.exchange.events import Refusal, StoredPart
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.store.interface import VerifiedClaim, VerifiedPart
from weft.v1 import claim_pb2 as wire

_REMEMBERED = 1024
_PROOF_BESIDE = 1024
"""Octets of a part beside its claims and the hashes of its proof, at most: root, signature, names, lengths."""
_HASH = 32
_LEVELS = 8


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """A part that may be stored."""

    part: VerifiedPart
    refused: Sequence[Refusal]
    proof_bytes: int
    """Its bytes beside those of the claims."""


class PartVerifier:
    """Checks parts for a session; remembers which signatures it has verified."""

    def __init__(self, admits: Callable[[Feed], bool]) -> None:
        self._admits = admits
        self._verified: dict[SignedRoot, None] = {}

    def check(self, data: bytes, wanted: Container[bytes]) -> CheckedPart:
        """What a part holds; `RemoteProtocolError` if any of it was not wanted, proved, signed or admitted."""
        try:
            message = wire.BatchPart.FromString(data)
        except DecodeError:
            raise RemoteProtocolError("claims: a part is not a message of the schema") from None
        claims = list(message.claims)
        if not 0 < len(claims) <= MAX_LEAVES:
            raise RemoteProtocolError(f"claims: a part has {len(claims)} claims, not 1 to {MAX_LEAVES}")
        if max(map(len, claims)) > MAX_CLAIM:
            raise RemoteProtocolError(f"claims: one has more than {MAX_CLAIM} bytes", "claim_octets")
        signed = SignedRoot.from_message(message.batch)
        self._check_feed(Feed(signed.origin, signed.list))
        identities = list(map(claim_id, claims))
        check_wanted(identities, wanted)
        try:
            self._check_signature(signed)
            proof = Multiproof.from_message(message.proof)
            tree = proof.verify(signed.leaf_count, identities, signed.root)
        except ClaimError as error:
            raise RemoteProtocolError(f"claims: {error}") from None
        proven, refused = _parsed(signed, zip(proof.positions, identities, claims, strict=True))
        return CheckedPart(VerifiedPart(signed, tree, proven), refused, len(data) - sum(map(len, claims)))

    def _check_feed(self, feed: Feed) -> None:
        if not self._admits(feed):
            raise RemoteProtocolError("claims: some are of a feed that was not agreed on")

    def _check_signature(self, signed: SignedRoot) -> None:
        if signed in self._verified:
            return
        verify_root(signed)
        if len(self._verified) >= _REMEMBERED:
            self._verified.clear()
        self._verified[signed] = None


def check_wanted(identities: Sequence[bytes], wanted: Container[bytes]) -> None:
    """`RemoteProtocolError` unless all were wanted, and each came once."""
    elements = [identity[:ELEMENT_BYTES] for identity in identities]
    if len(set(elements)) != len(elements) or not all(element in wanted for element in elements):
        raise RemoteProtocolError("claims: one was not wanted")


def _parsed(
    signed: SignedRoot, claims: Iterable[tuple[int, bytes, bytes]]
) -> tuple[list[VerifiedClaim], list[Refusal]]:
    feed = Feed(signed.origin, signed.list)
    proven, refused = [], []
    for leaf, identity, data in claims:
        try:
            parsed = parse(data)
        except ClaimError as error:
            refused.append(Refusal(identity, str(error), feed, len(data)))
            continue
        if parsed.feed != feed:
            raise RemoteProtocolError("claims: one is of another feed than its batch")
        proven.append(VerifiedClaim(leaf, identity, data, parsed))
    return proven, refused


def pack(pieces: Iterable[StoredPart], frame_octets: int) -> Iterator[tuple[list[bytes], int]]:
    """The parts of one frame after the other, and how many claims are in it; no frame is larger than allowed.

    Each of the ``pieces`` is of another batch, so no batch is in a frame twice.
    """
    parts: list[bytes] = []
    size = count = 0
    for piece in pieces:
        for number, claims in enumerate(_slices(piece, frame_octets)):
            part = _part(piece, claims)
            needed = len(part) + 8
            if parts and (number or size + needed > frame_octets - 16):
                yield parts, count
                parts, size, count = [], 0, 0
            parts.append(part)
            size += needed
            count += len(claims)
    if parts:
        yield parts, count


def _slices(piece: StoredPart, frame_octets: int) -> Iterator[Sequence[tuple[int, bytes]]]:
    """The claims of a batch, cut where they would not fit into one frame with the worst of proofs."""
    start = size = 0
    for at, (_, data) in enumerate(piece.claims):
        needed = len(data) + 8 + _HASH * _LEVELS
        if at > start and size + needed > frame_octets - _PROOF_BESIDE:
            yield piece.claims[start:at]
            start, size = at, 0
        size += needed
    yield piece.claims[start:]


def _part(piece: StoredPart, claims: Sequence[tuple[int, bytes]]) -> bytes:
    proof = piece.tree.prove(leaf for leaf, _ in claims)
    message = wire.BatchPart(
        batch=piece.signed.to_message(), proof=proof.to_message(), claims=[data for _, data in claims]
    )
    return message.SerializeToString(deterministic=True)
