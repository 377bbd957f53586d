"""The check of proofs: of any bytes, nothing is proved but what the origin signed.

The first byte of an input says what the others are: a multiproof, a partial tree as it is stored, or a part of a batch
as a peer sends it.  The second byte chooses the batch that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from google.protobuf.message import DecodeError

from tests.store.factories import Origin, mail
from weft.core.feed import Feed
from weft.core.merkle import Multiproof, load
from weft.errors import ClaimError, RemoteProtocolError
from weft.exchange.claim_proofs import PartVerifier
from weft.exchange.riblt.symbol import ELEMENT_BYTES
from weft.store.interface import VerifiedPart
from weft.v1 import claim_pb2 as wire

SIZES = (1, 2, 5, 7, 12, 256)
"""Of the batches."""


@lru_cache
def batch(size: int) -> VerifiedPart:
    """A batch of so many claims, always the same."""
    return Origin("fuzz").batch("git", *(mail(f"{n}@example.org", "root@example.org") for n in range(size)))


def check_proof(raw: bytes) -> None:
    """See the module."""
    if len(raw) > 2:
        check = (check_multiproof, check_partial_tree, check_part)[raw[0] % 3]
        check(raw[2:], batch(SIZES[raw[1] % len(SIZES)]))


def check_multiproof(raw: bytes, about: VerifiedPart) -> None:
    """A proof that is read has one form, and holds of its leaves alone."""
    try:
        message, proof = wire.Multiproof.FromString(raw), Multiproof.decode(raw)
    except (ClaimError, DecodeError):
        return
    written = proof.to_message()
    assert (written.held, written.hashes) == (message.held, message.hashes)
    ids = [about.claims[leaf].identity for leaf in proof.positions if leaf < len(about.claims)]
    assert not ids or not _proves(proof, about, [ids[0][::-1], *ids[1:]])
    if _proves(proof, about, ids):
        assert proof == about.tree.prove(proof.positions)
        known = proof.verify(len(about.claims), ids, about.tree.root)
        assert load(known.dump(), known.leaf_count, known.root) == known
        assert about.tree.merge(known) == about.tree


def _proves(proof: Multiproof, about: VerifiedPart, ids: Sequence[bytes]) -> bool:
    try:
        proof.verify(len(about.claims), ids, about.tree.root)
    except ClaimError:
        return False
    return True


def check_partial_tree(raw: bytes, about: VerifiedPart) -> None:
    """What is loaded is what was dumped."""
    try:
        known = load(raw, len(about.claims), about.tree.root)
    except ClaimError:
        return
    assert known.dump() == raw
    assert about.tree.merge(known) == about.tree


def check_part(raw: bytes, about: VerifiedPart) -> None:
    """What a peer hands over counts only if the origin signed it, under that very batch."""
    feed = Feed(about.signed.origin, about.signed.list)
    wanted = {claim.identity[:ELEMENT_BYTES] for claim in about.claims}
    admits: Callable[[Feed], bool] = feed.__eq__
    try:
        checked = PartVerifier(admits).check(raw, wanted)
    except RemoteProtocolError:
        return
    [about] = [one for one in map(batch, SIZES) if one.signed == checked.part.signed]
    genuine = {claim[:3] for claim in about.claims}
    assert not checked.refused
    assert {claim[:3] for claim in checked.part.claims} <= genuine
    assert about.tree.merge(checked.part.tree) == about.tree
