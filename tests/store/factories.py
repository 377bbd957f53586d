"""Signed batches for tests, from seeded keys: `Origin("a").batch("git", mail("m1"), mail("m2", "m1"))`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft.core.claim import Claim, Withdrawal, claim_id, encode
from weft.core.merkle import whole_tree
from weft.core.signing import public_key, sign_root
from weft.store.interface import MailLocation, VerifiedClaim, VerifiedPart


def mail(message_id: str, *references: str, reply_to: Sequence[str] = (), subject: str = "") -> Claim:
    """A claim without origin and list; ``reply_to`` stands in In-Reply-To."""
    ids = tuple(name.encode() for name in references)
    replies = tuple(name.encode() for name in reply_to)
    return Claim(
        b"", b"", message_id.encode(), replies, len(replies) == 1, ids, b"", subject.encode(), b"", b"", b""
    )  # fmt: skip


class Origin:
    """A server that signs what tests let it say."""

    def __init__(self, name: str) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())

    @cached_property
    def public(self) -> bytes:
        """The origin's key."""
        return public_key(self.key)

    def withdrawal(self, list_name: str, claim: Claim) -> Withdrawal:
        """The withdrawal of a claim that this origin made on a list."""
        own = claim._replace(origin=self.public, list=list_name.encode())
        return Withdrawal(self.public, list_name.encode(), claim_id(encode(own)), claim.message_id)

    def batch(self, list_name: str, *claims: Claim | Withdrawal, places: Sequence[MailLocation] = ()) -> VerifiedPart:
        """A whole batch of one list."""
        made = []
        for leaf, claim in enumerate(claims):
            own = claim._replace(origin=self.public, list=list_name.encode())
            data = encode(own)
            place = places[leaf] if places else None
            made.append(VerifiedClaim(leaf, claim_id(data), data, own, place))
        tree = whole_tree([claim.identity for claim in made])
        return VerifiedPart(sign_root(self.key, list_name.encode(), len(made), tree.root), tree, made)


def some(part: VerifiedPart, leaves: Collection[int]) -> VerifiedPart:
    """Some leaves of a batch, as a peer sends them: with a multiproof, verified."""
    claims = [claim for claim in part.claims if claim.leaf in leaves]
    proof = part.tree.prove(leaves)
    tree = proof.verify(part.signed.leaf_count, [claim.identity for claim in claims], part.signed.root)
    return VerifiedPart(part.signed, tree, claims)


def identities(parts: Iterable[VerifiedPart]) -> list[bytes]:
    """The claim ids of parts, in order."""
    return [claim.identity for part in parts for claim in part.claims]
