"""Claims of another server, put into an index as an exchange would."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cli.server_home import Home
from weft.core.claim import Claim, claim_id, encode
from weft.core.signing import fingerprint, public_key
from weft.index.index import Index
from weft.index.ingest import sign_batches
from weft.store.interface import VerifiedClaim

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = public_key(KEY)
FINGERPRINT = fingerprint(ORIGIN)
POLICY = f'[origin."{FINGERPRINT}"]\nname = "street"\ntier = "known"\nlists = "*"\n'
"""Admits it, in tier 2."""


def claim(message_id: str, references: Sequence[str] = (), *, subject: str = "a subject") -> VerifiedClaim:
    """What the other server says of one mail of its list ``git``."""
    said = Claim(
        ORIGIN, b"git", message_id.encode(), (), False, tuple(one.encode() for one in references),
        b"Tue, 11 Feb 2003 09:20:31 +0300", subject.encode(), b"Mallory <mallory@x.example>", b"", bytes(32),
    )  # fmt: skip
    data = encode(said)
    return VerifiedClaim(0, claim_id(data), data, said)


def receive(home: Home, *claims: VerifiedClaim) -> None:
    """Put claims into the index, and admit their origin by the policy."""
    home.config.write_text(POLICY)
    with Index.open(home.index, policy=home.config) as index, index._view.transaction():
        index._view.add(index.store.put(sign_batches(KEY, claims)))
