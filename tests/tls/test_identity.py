"""TLS by keys bound to origins: who gets in, who does not, and that nothing but loopback hears plain text."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import weft
from tests.cli.command_runner import DRAFTS, ROOT, environment
from tests.cli.server_home import Home
from tests.store.factories import Origin
from weft.core.signing import fingerprint
from weft.errors import DeniedError, KeyFileError, UnreachableError, UsageError, WeftError
from weft.index.index import Index
from weft.tls import identity as credentials
from weft.tls.identity import BINDING_OID, fetch_certificate, load_or_make_identity, make_identity, origin_of


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


@contextmanager
def serving_tls(home: Home) -> Iterator[str]:
    """A server that listens on all addresses; one of them, with its port."""
    command = [sys.executable, "-m", "weft", "serve", "--listen", "0.0.0.0:0", "-q"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(**home.env))
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"listening on 0\.0\.0\.0:([0-9]+)\n", process.stdout.readline())
        assert found
        yield f"127.0.0.1:{found[1]}"
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """The home of a peer."""
    path = tmp_path / "other"
    path.mkdir()
    home = Home(path)
    assert home.weft("ingest", DRAFTS).code == 0
    return home


def introduce(home: Home, other: Home, rights: str) -> str:
    """Let ``other`` call, with rights to read; its fingerprint."""
    name = credentials.save_peer(home.index, load_or_make_identity(other.index).certificate)
    home.config.write_text(f'[peer."{name}"]\nmay_read = {rights}\n')
    return name


def own(home: Home) -> str:
    with Index.open(home.index, policy=home.config if home.config.exists() else None) as index:
        return index.fingerprint


def test_a_peer_that_may_read_everything_gets_its_answers_over_tls(home: Home, other: Home) -> None:
    introduce(home, other, '"*"')
    with serving_tls(home) as address:
        with weft.connect(address, fingerprint=own(home), index=other.index, verify=True) as peer:
            assert peer.thread(ROOT).messages
            assert peer.status().origin == own(home)
            assert peer.watch(after=0).position == 0
        with pytest.raises(DeniedError, match="another server answers there"):
            weft.connect(address, fingerprint=own(other), index=other.index)


def test_a_peer_that_may_read_one_feed_only_is_denied_and_told_nothing(home: Home, other: Home) -> None:
    introduce(home, other, '["own/drafts"]')
    with serving_tls(home) as address, weft.connect(address, fingerprint=own(home), index=other.index) as peer:
        for ask in (peer.status, lambda: peer.thread(ROOT), lambda: peer.search("thread"), peer.watch):
            with pytest.raises(DeniedError, match="does not let you read everything"):
                ask()


def test_strangers_and_those_who_show_no_certificate_do_not_get_in(home: Home, other: Home, tmp_path: Path) -> None:
    introduce(home, other, '"*"')
    stranger = Home(tmp_path / "stranger")
    stranger.path.mkdir()
    assert stranger.weft("ingest", DRAFTS).code == 0
    with serving_tls(home) as address:
        for index in (None, stranger.index):
            with (
                weft.connect(address, fingerprint=own(home), index=index, timeout=5) as peer,
                pytest.raises((UnreachableError, DeniedError)),
            ):
                peer.status()
        with grpc.insecure_channel(address) as plain, pytest.raises(grpc.RpcError):
            plain.unary_unary("/weft.v1.Threads/Status", None, None)(b"", timeout=3)


def test_a_peer_whose_certificate_is_taken_away_gets_in_no_more(home: Home, other: Home) -> None:
    name = introduce(home, other, '"*"')
    with serving_tls(home) as address:
        with weft.connect(address, fingerprint=own(home), index=other.index) as peer:
            assert peer.status()
        (credentials.peers_path(home.index) / f"{name}.pem").unlink()
        with (
            weft.connect(address, fingerprint=own(home), index=other.index, timeout=5) as peer,
            pytest.raises((UnreachableError, DeniedError)),
        ):
            peer.status()


def test_a_certificate_under_the_name_of_another_peer_is_not_used(home: Home, other: Home) -> None:
    near = Origin("near")
    introduce(home, other, '"*"')
    folder = credentials.peers_path(home.index)
    (folder / f"{fingerprint(near.public)}.pem").write_bytes(load_or_make_identity(other.index).certificate)
    with Index.open(home.index, policy=home.config) as index:
        [row] = index.policy.peers.values()
        policy = replace(index.policy, peers={near.public: row})
    assert credentials.peer_certificates(home.index, policy) == []


def test_plain_text_is_for_loopback_only() -> None:
    for address in ("192.0.2.1:7430", "example.org:7430", "[2001:db8::1]:7430", "0.0.0.0:7430"):
        with pytest.raises(UsageError, match="fingerprint"):
            weft.connect(address)
    for address in ("127.0.0.1", "x", ":7430", "127.0.0.1:x", "127.0.0.1:65536", "unix:/tmp/x:1", "a b:1", ""):
        with pytest.raises(UsageError, match="no address"):
            weft.connect(address)
    weft.connect("[::1]:7430").close()
    weft.connect("localhost:7430").close()


def test_a_fingerprint_that_is_none_and_a_server_that_is_none_are_told() -> None:
    with pytest.raises(UsageError, match="no fingerprint"):
        fetch_certificate(("127.0.0.1", 1), "abc")
    with pytest.raises(WeftError, match="no server answers there"):
        fetch_certificate(("127.0.0.1", 1), fingerprint(Origin("near").public))
