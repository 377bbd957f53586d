"""Eight octets for a message id: what servers ask each other by.

A digest is a sixth of an id, and tells it only to who knows the id already.  Whoever can make two ids with one digest
(2^32 hashes) makes others offer claims about both where one was meant, and nothing else: what is offered is looked up,
and wanted claim by claim.
"""

from __future__ import annotations

from hashlib import sha256

ID_DIGEST_OCTETS = 8
_DOMAIN = sha256(b"weft/v1/message-id\0")


def id_digest(message_id: bytes) -> bytes:
    """The first 8 octets of SHA-256(``weft/v1/message-id``, 0x00, id)."""
    digest = _DOMAIN.copy()
    digest.update(message_id)
    return digest.digest()[:ID_DIGEST_OCTETS]
