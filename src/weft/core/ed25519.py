"""Ed25519 (RFC 8032) as all servers must check it: one rule, so that no two of them disagree about a signature.

Theory of operation
-------------------
Libraries differ in what they take beyond what an honest signer makes (Chalkias, Garillot, Nikolaenko, "Taming the many
EdDSAs", 2020).  Then one server would keep a claim that another refuses, and they never become equal.  So the rule is:

- The public key A and the R of the signature encode a point canonically: the y coordinate is less than 2**255 - 19.
- Neither A nor R is one of the eight points whose order divides 8.
- S is less than the order L of the base point.
- The equation is the one without cofactor: the bytes of R are those of [S]B - [k]A, where k is SHA-512(R, A, message)
  modulo L.

OpenSSL, which stands behind ``cryptography``, checks the equation and S, and, since it compares bytes, that R is
canonical.  The rest is checked here, by the bytes alone.  No key that was made as RFC 8032 says is refused.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_PRIME = 2**255 - 19
_SIGN = 1 << 255
_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER = frozenset({0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8})
"""The y coordinates of the points whose order divides 8, with either sign of x."""


@lru_cache(maxsize=4096)
def key_problem(key: bytes) -> str:
    """Why no signature by the public key ``key`` is taken; empty if one may be.

    Whether the bytes are a point of the curve is not looked at: no signature verifies with one that is not.
    """
    if len(key) != KEY_BYTES:
        return f"it has {len(key)} bytes, not {KEY_BYTES}"
    return _point_problem(key)


def verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` by the public key ``key``, by the rule above."""
    if len(signature) != SIGNATURE_BYTES or key_problem(key) or _point_problem(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _point_problem(point: bytes) -> str:
    """What is wrong with 32 bytes that stand for a point."""
    y = int.from_bytes(point, "little") & ~_SIGN
    if y >= _PRIME:
        return "it is not the canonical encoding of a point"
    if y in _SMALL_ORDER:
        return "it is a point of small order, under which one signature is good for many messages"
    return ""
