"""Admission: what must hold of claims of others before they are kept.  Nothing that a peer says of them is believed.

The policy must admit the feed; else nothing of it is kept, not even that it exists.  The origin's key must have signed
the root; the claims must be leaves under it; and what is parsed must be what the bytes say.  Whether the peer that
brings them may do so is asked before (`weft.policy.rules.Policy.may_feed`): a peer is not an origin.
"""

from __future__ import annotations

from weft.core.claim import claim_id, parse
from weft.core.feed import Feed
from weft.core.signing import fingerprint, verify_root
from weft.errors import ClaimError
from weft.policy.rules import Policy
from weft.store.batch_proofs import check_part
from weft.store.interface import VerifiedPart


def check_admissible(part: VerifiedPart, policy: Policy) -> None:
    """`ClaimError` unless the policy admits the part's feed, and its origin signed all that is in it."""
    signed = part.signed
    if not policy.admits(Feed(signed.origin, signed.list)):
        name = f"{fingerprint(signed.origin)}/{signed.list.decode(errors='replace')}"
        raise ClaimError(f"claims refused: the policy does not admit the feed {name}")
    verify_root(signed)
    if not part.claims:
        raise ClaimError("claims refused: there are none")
    for claim in part.claims:
        if claim_id(claim.data) != claim.identity or parse(claim.data) != claim.parsed:
            raise ClaimError("claim refused: it is not what its bytes say")
        if claim.place is not None:
            raise ClaimError("claim refused: no mail of others lies here")
    try:
        check_part(part)
        proof = part.tree.prove([claim.leaf for claim in part.claims])
    except (ValueError, KeyError) as error:
        raise ClaimError(f"claims refused: {error}") from None
    # The tree may be a statement of the peer; what is proved by it is not.
    proof.verify(signed.leaf_count, [part.tree.leaves[leaf] for leaf in proof.positions], signed.root)
