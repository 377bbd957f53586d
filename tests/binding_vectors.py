"""Keys of TLS that are bound to origins, as test vectors: certificates, good ones, and those to be refused.

Everything here is fixed, also the signatures of the certificates (RFC 6979).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.store.factories import Origin
from weft.tls.identity import BINDING_DOMAIN, BINDING_OID, BINDING_VERSION, NAME
from weft.tls.transport import issuer_key

BOUND, OTHER = Origin("bound"), Origin("other")
KEY = ec.derive_private_key(7**80, ec.SECP256R1())
ANOTHER_KEY = ec.derive_private_key(7**81, ec.SECP256R1())
P_384 = ec.derive_private_key(7**80, ec.SECP384R1())
_ISSUER = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anybody.weft.invalid")])
_SERVER = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The SubjectPublicKeyInfo of a key (DER)."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signed_string(origin: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """What the origin signs, as the protocol states it."""
    data = spki(key)
    return BINDING_DOMAIN + bytes((BINDING_VERSION,)) + origin + len(data).to_bytes(2, "big") + data


def binding(origin: Origin, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The value of the extension."""
    return origin.public + origin.key.sign(signed_string(origin.public, key))


def certificate(
    key: ec.EllipticCurvePrivateKey,
    value: bytes | None,
    issuer: ec.EllipticCurvePrivateKey | None = None,
    *,
    oid: x509.ObjectIdentifier = BINDING_OID,
    padding: int = 0,
) -> bytes:
    """A certificate (DER) with an extension of that ``value``, issued by itself unless ``issuer`` is given."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_SERVER)
        .issuer_name(_SERVER if issuer is None else _ISSUER)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)] * (1 + padding)), critical=False)
    )
    if value is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    made = builder.sign(issuer or key, hashes.SHA256(), ecdsa_deterministic=True)
    return made.public_bytes(Encoding.DER)


def _issuer_certificate() -> bytes:
    key = issuer_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(_ISSUER)
        .issuer_name(_ISSUER)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def refused() -> Iterator[tuple[str, bytes]]:
    """(rule, certificate): none of them is bound to an origin."""
    good = binding(BOUND, KEY)
    low, high = bytes((1, *bytes(31))), (2**255 - 19 + 3).to_bytes(32, "little")
    yield "the extension is missing", certificate(KEY, None)
    yield "the extension has another OID", certificate(KEY, good, oid=x509.ObjectIdentifier("2.25.1"))
    yield "the value has 95 bytes", certificate(KEY, good[:-1])
    yield "the value has 97 bytes", certificate(KEY, good + b"\0")
    yield "the value is empty", certificate(KEY, b"")
    yield "the signature is of another origin", certificate(KEY, OTHER.public + good[32:])
    yield "the signature is over another key of TLS", certificate(ANOTHER_KEY, good)
    yield "the signature has a bit turned", certificate(KEY, good[:-1] + bytes((good[-1] ^ 1,)))
    yield "the signature is over another version", certificate(KEY, _versioned(2))
    yield "the key of TLS is of P-384", certificate(P_384, binding(BOUND, P_384))
    yield "the origin is of small order", certificate(KEY, low + low + bytes(32))
    yield "the origin is not canonical", certificate(KEY, high + low + bytes(32))
    yield "the certificate has more than 16 KiB in PEM", certificate(KEY, good, padding=1000)
    yield "the bytes are no certificate", certificate(KEY, good)[:-100]


def _versioned(version: int) -> bytes:
    data = bytearray(signed_string(BOUND.public, KEY))
    data[len(BINDING_DOMAIN)] = version
    return BOUND.public + BOUND.key.sign(bytes(data))


def content() -> object:
    """The contents of ``binding.json``."""
    value = binding(BOUND, KEY)
    return {
        "issuer": {
            "public_key": spki(issuer_key()).hex(),
            "private_number": f"{issuer_key().private_numbers().private_value:062x}",
            "certificate": _issuer_certificate().hex(),
        },
        "accepted": [
            {
                "origin": BOUND.public.hex(),
                "public_key": spki(KEY).hex(),
                "signed": signed_string(BOUND.public, KEY).hex(),
                "value": value.hex(),
                "shown_by": shown_by,
                "certificate": certificate(KEY, value, issuer).hex(),
            }
            for shown_by, issuer in (("answerer", None), ("caller", issuer_key()))
        ],
        "refused": [{"rule": rule, "certificate": data.hex()} for rule, data in refused()],
    }
