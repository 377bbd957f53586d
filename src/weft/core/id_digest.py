"""Six bytes for a message id: what servers ask each other by.

A digest is an eighth of an id, and tells it only to who knows the id already.  Of a million ids hardly any two have one
digest by chance (1 in 560 that there is such a pair).  Whoever makes an id with the digest of somebody else's (2^48
hashes) has others offer the claims about both where one was asked about; a reply to that id does the same for nothing.
"""

from __future__ import annotations

from hashlib import sha256

ID_DIGEST_BYTES = 6
_DOMAIN = sha256(b"weft/v1/message-id\0")


def id_digest(message_id: bytes) -> bytes:
    """The first 6 bytes of SHA-256(``weft/v1/message-id``, 0x00, id)."""
    digest = _DOMAIN.copy()
    digest.update(message_id)
    return digest.digest()[:ID_DIGEST_BYTES]
