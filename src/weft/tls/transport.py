"""TLS of servers: whoever can show any certificate gets as far as being told that its key is unknown.

Theory of operation
-------------------
gRPC lets a server ask for a certificate only together with roots that must vouch for it.  Strangers shall be told
PERMISSION_DENIED, and a peer's row in the policy shall be all that it needs; so callers show their key of TLS in a
certificate that is issued by a key that everybody knows.  That proves that the caller has the key of TLS, and nothing
else: who it is says the binding in the same certificate (`weft.tls.identity.origin_of`), which the known key cannot
forge, and which is checked of each call before anything is read or said.

Servers show their own certificate, or one that an authority has issued (`weft.tls.certificate_files`).  One that
anybody may read asks its callers for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from weft.tls.identity import BINDING_OID, Identity

_ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
_SEED = int.from_bytes(sha256(b"weft/v1/tls-issuer").digest()[1:], "big")
_ISSUER = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anybody.weft.invalid")])


@cache
def issuer_key() -> ec.EllipticCurvePrivateKey:
    """The key that everybody knows."""
    return ec.derive_private_key(_SEED, ec.SECP256R1())


@cache
def issuer_certificate() -> bytes:
    """Its certificate (PEM), the one root of servers."""
    key = issuer_key()
    builder = _builder(_ISSUER, key.public_key()).add_extension(x509.BasicConstraints(True, 0), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def introduced(identity: Identity) -> Identity:
    """The same key with the same binding, in a certificate of the known issuer: what a caller shows."""
    own = x509.load_pem_x509_certificate(identity.certificate)
    binding = own.extensions.get_extension_for_oid(BINDING_OID).value
    key = load_pem_private_key(identity.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = (
        _builder(own.subject, key.public_key())
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(binding, critical=False)
        .sign(issuer_key(), hashes.SHA256())
    )
    return Identity(identity.key, certificate.public_bytes(Encoding.PEM))


def exchange_credentials(identity: Identity) -> grpc.ServerCredentials:
    """Of a server for peers: TLS with whoever shows a certificate."""
    return server_credentials(lambda: identity, public=False)


def server_credentials(current: Callable[[], Identity], *, public: bool) -> grpc.ServerCredentials:
    """Of a server: ``current`` is what it shows, asked for each connection.

    ``public``: callers show nothing, so nothing is known of them; else all must show a certificate with a binding.
    gRPC knows nothing between the two: it has no server that only asks for a certificate.
    """
    roots = None if public else issuer_certificate()
    shown = current()

    def configuration(own: Identity) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(own.key, own.certificate)], root_certificates=roots)

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        """None while it shows what it has shown."""
        nonlocal shown
        before, shown = shown, current()
        return None if shown == before else configuration(shown)

    # The stubs do not know that None is an answer.
    return grpc.dynamic_ssl_server_credentials(configuration(shown), renewed, not public)  # type: ignore[arg-type]


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_ISSUER)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_ALWAYS[0])
        .not_valid_after(_ALWAYS[1])
    )
