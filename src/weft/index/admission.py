"""Admission: what the policy must allow of claims of others before they are kept.

The policy must admit the feed; else nothing of it is kept, not even that it exists.  That the origin signed the claims
was verified where they came in (`weft.exchange.claim_proofs`).  Whether the peer that brings them may do so is asked
before (`weft.policy.rules.Policy.may_feed`): a peer is not an origin.
"""

from __future__ import annotations

from weft.core.feed import Feed
from weft.core.signing import fingerprint
from weft.errors import ClaimError
from weft.policy.rules import Policy
from weft.store.interface import VerifiedPart


def check_admissible(part: VerifiedPart, policy: Policy) -> None:
    """`ClaimError` unless the policy admits the part's feed, and there is something in it that can be of others."""
    signed = part.signed
    if not policy.admits(Feed(signed.origin, signed.list)):
        name = f"{fingerprint(signed.origin)}/{signed.list.decode(errors='replace')}"
        raise ClaimError(f"claims refused: the policy does not admit the feed {name}")
    if not part.claims:
        raise ClaimError("claims refused: there are none")
    for claim in part.claims:
        if claim.place is not None:
            raise ClaimError("claim refused: no mail of others lies here")
