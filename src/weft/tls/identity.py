"""Who is at the other end: certificates made by ourselves, bound to origins, pinned by fingerprint.

Theory of operation
-------------------
gRPC's TLS takes no Ed25519 keys, so the key of TLS is another one (ECDSA, P-256), made once and kept beside the index.
Its certificate is signed by itself and proves nothing, but for one extension: the origin's public key, and the
origin's signature over a domain tag, a version and the public key of TLS (the **binding**).  Whoever shows such a
certificate and can speak TLS with it is the origin.  Names, dates and issuers in it are never looked at.

A client that knows a server by its fingerprint fetches the server's certificate, which anybody may send, checks that
its binding is by the origin with that fingerprint, and then speaks TLS with nobody but who has that certificate's key.
A server whose certificate a known authority has issued is known by its name instead (`weft.tls.roots`).

A caller that has rights shows its own binding, in a certificate that the transport lets pass (`weft.tls.transport`);
the binding is checked for each call (`origin_of`), and what it may do stands in the policy's row for that origin.

Plain text is for loopback and unix sockets only (`weft.server.server`, `weft.client.client`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from weft._files import write_file
from weft.core import ed25519
from weft.core.signing import KEY_BYTES, fingerprint, public_key
from weft.errors import DeniedError, KeyFileError
from weft.key_file import load_key
from weft.policy.files import key_path

BINDING_DOMAIN = b"weft/v1/tls-binding\0"
BINDING_VERSION = 1
BINDING_OID = x509.ObjectIdentifier("2.25.232163347518326155293419146022842470121")
"""A UUID of its own (X.667), so nobody had to be asked for it."""
NAME = "weft.invalid"
"""The name in every certificate; it says nothing, but TLS wants one."""
MAX_CERTIFICATE = 16 * 1024
_SIGNATURE_BYTES = 64
_ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Identity:
    """What we speak TLS with."""

    key: bytes
    """PEM, a secret."""
    certificate: bytes
    """PEM."""


def make_identity(origin: Ed25519PrivateKey) -> Identity:
    """A new key of TLS, and its certificate with the binding to ``origin``."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = public_key(origin)
    binding = own + origin.sign(_bound(own, key.public_key()))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, fingerprint(own))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_ALWAYS[0])
        .not_valid_after(_ALWAYS[1])
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        # It can sign no other certificate: as a root it vouches for itself alone.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.UnrecognizedExtension(BINDING_OID, binding), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(secret, certificate.public_bytes(Encoding.PEM))


@lru_cache(maxsize=1024)
def origin_of(certificate: bytes) -> bytes:
    """The origin that a certificate (PEM) is bound to; `DeniedError` if it is bound to none."""
    try:
        if len(certificate) > MAX_CERTIFICATE:
            raise ValueError("it is too long")
        read = x509.load_pem_x509_certificate(certificate)
        extension = read.extensions.get_extension_for_oid(BINDING_OID).value
        key = read.public_key()
        if not isinstance(extension, x509.UnrecognizedExtension) or not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("it has no binding, or a key of another kind")
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"its key is of the curve {key.curve.name}, not of P-256")
        origin, signature = extension.value[:KEY_BYTES], extension.value[KEY_BYTES:]
        if len(signature) != _SIGNATURE_BYTES:
            raise ValueError("its binding has a wrong length")
        if not ed25519.verifies(origin, signature, _bound(origin, key)):
            raise ValueError("its binding is not by that origin")
    except x509.ExtensionNotFound:
        raise DeniedError("certificate refused: it is bound to no origin, so no fingerprint names its holder") from None
    except (ValueError, x509.DuplicateExtension) as error:
        raise DeniedError(f"certificate refused: {error}") from None
    return origin


def identity_path(index: Path) -> Path:
    """Where the key of TLS and its certificate lie, one after the other."""
    return index.with_name(index.name + ".tls")


def load_or_make_identity(index: Path) -> Identity:
    """The identity beside an index; a new one if there is none, or if it is bound to another origin."""
    path = identity_path(index)
    origin = load_key(key_path(index))
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return _write_identity(path, make_identity(origin))
    except OSError as error:
        raise KeyFileError(f"{path}: cannot read the key of TLS: {error.strerror or error}") from None
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path}: others may use this key; remove the file, and a new one is made")
    key, mark, certificate = data.partition(b"-----BEGIN CERTIFICATE-----")
    found = Identity(key, mark + certificate)
    try:
        bound = origin_of(found.certificate)
    except DeniedError:
        bound = b""
    return found if bound == public_key(origin) else _write_identity(path, make_identity(origin))


def caller(context: Any) -> bytes:  # noqa: ANN401 - `grpc.aio.ServicerContext`
    """The origin that calls; `DeniedError` if it shows no certificate that is bound to one."""
    shown: Mapping[str, Sequence[bytes]] = context.auth_context()
    certificates = shown.get("x509_pem_cert", ())
    if len(certificates) != 1:
        raise DeniedError("this server answers only who shows a certificate")
    return origin_of(certificates[0])


def channel_credentials(roots: bytes | None, identity: Identity | None) -> grpc.ChannelCredentials:
    """TLS with nobody but those for whom ``roots`` vouch, or gRPC's own roots; ``identity`` is what we show."""
    if identity is None:
        return grpc.ssl_channel_credentials(roots)
    return grpc.ssl_channel_credentials(roots, identity.key, identity.certificate)


def _bound(origin: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """The string that the origin signs."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"".join((BINDING_DOMAIN, bytes((BINDING_VERSION,)), origin, len(spki).to_bytes(2, "big"), spki))


def _write_identity(path: Path, identity: Identity) -> Identity:
    """Put it where it belongs; what was there is of no use to anybody."""
    try:
        write_file(path, identity.key + identity.certificate)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot keep the key of TLS: {error.strerror or error}") from None
    return identity
