"""Origins: their signatures under batches, and their names for people.

An origin is an Ed25519 public key (RFC 8032; `weft.core.ed25519` says which signatures are good).  It signs the Merkle
root of each batch, in a string that begins with a domain tag and a version, so that no signature can be taken for one
over something else, and that binds the feed and the number of leaves, so that a batch cannot be shown under another
list or with another shape.

A signature names who says a thing.  It proves nothing about the mail.

A **fingerprint** is the whole key, with two bytes of a checksum and one of a version behind it, in lower-case base32:
56 characters ``a-z2-7``, each byte string having exactly one.  Since it holds the key, nothing has to be looked up;
the checksum makes a slip of the pen an error instead of an unknown origin.  (The shape is that of Tor's v3 onion
addresses.)  Its first 16 characters, 80 bits, are its short form: for display only, and nothing takes it as a name.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from weft.core import ed25519
from weft.core.list_name import MAX_LIST_BYTES
from weft.core.merkle import HASH_BYTES, MAX_LEAVES
from weft.errors import ClaimError
from weft.v1 import claim_pb2 as wire

ROOT_DOMAIN = b"weft/v1/batch-root\0"
ROOT_VERSION = 1
FINGERPRINT_DOMAIN = b"weft/v1/fingerprint\0"
FINGERPRINT_VERSION = 1
FINGERPRINT_LENGTH = 56
SHORT_LENGTH = 16
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """What an origin signs of one batch.  Every field may be a lie until `verify_root` has passed."""

    origin: bytes
    list: bytes
    leaf_count: int
    root: bytes
    signature: bytes

    def to_message(self) -> wire.SignedRoot:
        """For the wire."""
        return wire.SignedRoot(
            origin=self.origin, list=self.list, leaf_count=self.leaf_count, root=self.root, signature=self.signature
        )

    @classmethod
    def from_message(cls, message: wire.SignedRoot) -> SignedRoot:
        """From the wire, unverified."""
        return cls(message.origin, message.list, message.leaf_count, message.root, message.signature)


def public_key(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes that are the origin."""
    return key.public_key().public_bytes_raw()


def root_bytes(origin: bytes, list_name: bytes, leaf_count: int, root: bytes) -> bytes:
    """The string that is signed: domain tag, version, origin, list with its length, leaf count, root; big endian."""
    return b"".join(
        (
            ROOT_DOMAIN,
            bytes((ROOT_VERSION,)),
            origin,
            len(list_name).to_bytes(2, "big"),
            list_name,
            leaf_count.to_bytes(4, "big"),
            root,
        )
    )


def sign_root(key: Ed25519PrivateKey, list_name: bytes, leaf_count: int, root: bytes) -> SignedRoot:
    """Sign a batch of the feed (our key, ``list_name``)."""
    origin = public_key(key)
    return SignedRoot(origin, list_name, leaf_count, root, key.sign(root_bytes(origin, list_name, leaf_count, root)))


def verify_root(signed: SignedRoot) -> None:
    """`ClaimError` unless ``signed.origin`` signed it.  Whether that origin counts is for the policy to say."""
    if len(signed.origin) != KEY_BYTES or len(signed.root) != HASH_BYTES or len(signed.list) > MAX_LIST_BYTES:
        raise ClaimError("batch refused: its origin, list or root has a wrong length")
    if not 1 <= signed.leaf_count <= MAX_LEAVES:
        raise ClaimError(f"batch refused: it has {signed.leaf_count} leaves, not 1 to {MAX_LEAVES}")
    data = root_bytes(signed.origin, signed.list, signed.leaf_count, signed.root)
    if not ed25519.verifies(signed.origin, signed.signature, data):
        raise ClaimError(f"batch refused: {short_fingerprint(signed.origin)} did not sign it")


@lru_cache(maxsize=4096)
def fingerprint(key: bytes) -> str:
    """The name of a public key, 56 characters; it can be a bare key of TOML."""
    data = key + _checksum(key) + bytes((FINGERPRINT_VERSION,))
    return b32encode(data).decode().lower()


def short_fingerprint(key: bytes) -> str:
    """The first 16 characters of the fingerprint, for screens; never taken as a name."""
    return fingerprint(key)[:SHORT_LENGTH]


def parse_fingerprint(text: str) -> bytes:
    """The public key that a fingerprint names; `ValueError` says why it names none."""
    if len(text) != FINGERPRINT_LENGTH or not set(text) <= _ALPHABET:
        raise ValueError(f"a fingerprint is {FINGERPRINT_LENGTH} characters a-z and 2-7")
    data = b32decode(text.upper())
    key, checksum, fingerprint_version = data[:KEY_BYTES], data[KEY_BYTES:-1], data[-1]
    if fingerprint_version != FINGERPRINT_VERSION:
        raise ValueError("the fingerprint is of a version that is not known here, or is mistyped at its end")
    if checksum != _checksum(key):
        raise ValueError("the fingerprint is mistyped: its checksum does not fit")
    return key


_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz234567")


def _checksum(key: bytes) -> bytes:
    return sha256(FINGERPRINT_DOMAIN + key + bytes((FINGERPRINT_VERSION,))).digest()[:2]
