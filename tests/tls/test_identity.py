"""TLS by keys bound to origins: who gets in, who does not, and that nothing but loopback hears plain text."""

from __future__ import annotations

import stat
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import weft
from tests.cli.server_home import Home
from tests.store.factories import Origin
from weft.core.signing import fingerprint
from weft.errors import DeniedError, KeyFileError, UnreachableError, UsageError, WeftError
from weft.tls import identity as credentials
from weft.tls.handshake import fetch_certificate
from weft.tls.identity import BINDING_OID, load_or_make_identity, make_identity, origin_of


def test_a_certificate_names_the_origin_that_bound_it() -> None:
    near = Origin("near")
    identity = make_identity(near.key)
    assert origin_of(identity.certificate) == near.public
    assert make_identity(near.key).key != identity.key


def _rebuilt(certificate: bytes, binding: bytes | None) -> bytes:
    """A certificate of a new key with a binding that was made for another, or with none."""
    old = x509.load_pem_x509_certificate(certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    if binding is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(BINDING_OID, binding), critical=False)
    return builder.sign(key, old.signature_hash_algorithm).public_bytes(Encoding.PEM)  # type: ignore[arg-type]


def test_a_binding_is_good_for_one_key_and_one_origin_only() -> None:
    near, far = Origin("near"), Origin("far")
    certificate = make_identity(near.key).certificate
    extension = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_oid(BINDING_OID).value
    assert isinstance(extension, x509.UnrecognizedExtension)
    stolen = extension.value
    for binding in (stolen, far.public + stolen[32:], stolen[:-1], b"", None):
        with pytest.raises(DeniedError, match="certificate refused"):
            origin_of(_rebuilt(certificate, binding))
    for junk in (b"", b"-----BEGIN CERTIFICATE-----\n", certificate[:200], b"x" * 10**6):
        with pytest.raises(DeniedError, match="certificate refused"):
            origin_of(junk)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()])
def test_a_binding_of_a_key_of_another_curve_than_p_256_is_refused(curve: ec.EllipticCurve) -> None:
    near = Origin("near")
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weft.invalid")])
    binding = near.public + near.key.sign(credentials._bound(near.public, key.public_key()))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.UnrecognizedExtension(BINDING_OID, binding), critical=False)
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(DeniedError, match=f"its key is of the curve {curve.name}, not of P-256"):
        origin_of(certificate.public_bytes(Encoding.PEM))


def test_the_identity_beside_an_index_is_made_once_and_kept_from_others(home: Home) -> None:
    first = load_or_make_identity(home.index)
    path = credentials.identity_path(home.index)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_identity(home.index) == first
    path.write_bytes(b"not one")
    assert load_or_make_identity(home.index) != first, "a broken one is of no use to anybody"
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="others may use this key"):
        load_or_make_identity(home.index)


def test_plain_text_is_for_loopback_and_unix_sockets_only() -> None:
    for address in (
        "127.0.0.1",
        "x",
        ":7430",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "a b:1",
        "",
        "unix:",
        "unix:" + "a" * 200,
    ):
        with pytest.raises(UsageError, match=r"not an address|path of at most"):
            weft.connect(address)
    with pytest.raises(UnreachableError, match="no server answers there"):
        weft.connect("127.0.0.2:1", fingerprint=fingerprint(Origin("a").public))
    weft.connect("[::1]:7430").close()
    weft.connect("localhost:7430").close()
    weft.connect("unix:/tmp/x").close()


def test_a_fingerprint_that_is_none_and_a_server_that_is_none_are_told() -> None:
    with pytest.raises(UsageError, match="not a fingerprint"):
        fetch_certificate(("127.0.0.1", 1), "abc")
    with pytest.raises(WeftError, match="no server answers there"):
        fetch_certificate(("127.0.0.1", 1), fingerprint(Origin("near").public))
