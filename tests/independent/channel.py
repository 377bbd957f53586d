"""Section 1: fingerprints, and certificates that are bound to origins."""

from __future__ import annotations

from base64 import b32decode, b32encode
from hashlib import sha256
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.independent.claims import check_signature
from tests.independent.messages import RefusedError, need

OID = x509.ObjectIdentifier("2.25.232163347518326155293419146022842470121")


def fingerprint(key: bytes) -> str:
    """The name of a key."""
    return b32encode(key + sha256(b"weft/v1/fingerprint\0" + key + b"\1").digest()[:2] + b"\1").decode().lower()


def read_fingerprint(text: str) -> bytes:
    """The key that a name names."""
    need(len(text) == 56 and set(text) <= set("abcdefghijklmnopqrstuvwxyz234567"))
    key = b32decode(text.upper())[:32]
    need(fingerprint(key) == text)
    return key


def read_certificate(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The origin that a certificate is bound to, what was signed, and the value of the extension."""
    try:
        read = x509.load_der_x509_certificate(data)
        value = read.extensions.get_extension_for_oid(OID).value.public_bytes()
    except (ValueError, x509.ExtensionNotFound):
        raise RefusedError from None
    key = read.public_key()
    need(len(read.public_bytes(Encoding.PEM)) <= 16 * 1024 and len(value) == 96)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RefusedError
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed = b"weft/v1/tls-binding\0\1" + value[:32] + len(spki).to_bytes(2, "big") + spki
    check_signature(value[:32], value[32:], signed)
    return value[:32], signed, value


class Issuer(NamedTuple):
    """The key that everybody knows."""

    number: int
    public: bytes
    key: ec.EllipticCurvePublicKey

    def has_issued(self, certificate: bytes) -> bool:
        """Whether it has signed a certificate."""
        read = x509.load_der_x509_certificate(certificate)
        assert read.issuer.rfc4514_string() == "CN=anybody.weft.invalid"
        self.key.verify(read.signature, read.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
        return True


def issuer_key() -> Issuer:
    """From the text that it is made of."""
    number = int.from_bytes(sha256(b"weft/v1/tls-issuer").digest()[1:], "big")
    key = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    return Issuer(number, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), key)
