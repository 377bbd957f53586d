"""Who gets in off loopback: callers with rights, everybody where all is public, and what the others are told."""

from __future__ import annotations

import stat
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import weft
from tests.cli.command_runner import DRAFTS, OPS, ROOT
from tests.cli.server_home import Home
from tests.server.authority import Authority
from tests.server.server_harness import SECONDS, local, own
from tests.server.server_harness import serving as served_home
from weft.client.client import Client
from weft.errors import DeniedError, UnreachableError, UsageError
from weft.index.index import Index
from weft.v1 import threads_pb2 as wire

serving = partial(served_home, listen="0.0.0.0:0")
"""A server that can be called from anywhere."""


def made(path: Path) -> Home:
    """A home with one list."""
    path.mkdir()
    home = Home(path)
    assert home.weft("ingest", DRAFTS).code == 0
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The home of the server."""
    return made(tmp_path / "home")


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """The home of somebody who calls."""
    return made(tmp_path / "other")


def test_callers_get_in_by_their_row_alone(home: Home, other: Home, tmp_path: Path) -> None:
    stranger = made(tmp_path / "stranger")
    home.config.write_text(f'[peer."{own(other)}"]\nmay_read = "*"\n')
    with serving(home) as served:
        with weft.connect(local(served), fingerprint=own(home), index=other.index, verify=True) as client:
            assert client.thread(ROOT).messages
            assert client.status().origin == own(home)
            assert client.watch(after=0).position == 0
        with pytest.raises(DeniedError, match="another server answers there"):
            weft.connect(local(served), fingerprint=own(other), index=other.index)
        with pytest.raises(DeniedError, match="only those who show who they are"):
            weft.connect(local(served), fingerprint=own(home))
        with weft.connect(local(served), fingerprint=own(home), index=stranger.index) as client:
            for ask in (client.status, lambda: client.thread(ROOT), lambda: client.search("thread"), client.watch):
                with pytest.raises(DeniedError, match="does not let you read everything"):
                    ask()
        with grpc.insecure_channel(local(served)) as plain, pytest.raises(grpc.RpcError):
            plain.unary_unary("/weft.v1.ThreadService/GetStatus", None, None)(b"", timeout=3)
        with pytest.raises(DeniedError, match=r"not trusted here: .* of the origin .*: give this fingerprint"):
            weft.connect(local(served), index=other.index)
        home.config.write_text(f'[peer."{own(other)}"]\nmay_read = ["own/drafts"]\n')
        with weft.connect(local(served), fingerprint=own(home), index=other.index) as client:
            assert _denied_soon(client, "does not let you read everything")


def _denied_soon(client: Client, reason: str) -> bool:
    """Whether the server notices that its policy says something else now."""
    until = monotonic() + SECONDS
    while monotonic() < until:
        try:
            client.status()
        except DeniedError as error:
            return reason in str(error)
        sleep(0.3)
    return False


def test_clients_in_other_languages_show_what_keys_writes(home: Home, other: Home, tmp_path: Path) -> None:
    ran = other.weft("keys", "--tls", str(tmp_path / "tls"))
    assert ran.code == 0
    certificate, key = tmp_path / "tls" / "client.crt", tmp_path / "tls" / "client.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    home.config.write_text(f'[peer."{own(other)}"]\nmay_read = "*"\n')
    authority = Authority(tmp_path, "authority")
    files = tmp_path / "server.crt", tmp_path / "server.key"
    authority.write(*files)
    with serving(home, "--tls-cert", str(files[0]), "--tls-key", str(files[1])) as served:
        shown = grpc.ssl_channel_credentials(authority.roots.read_bytes(), key.read_bytes(), certificate.read_bytes())
        with grpc.secure_channel(local(served), shown) as channel:
            data = channel.unary_unary("/weft.v1.ThreadService/GetStatus", None, None)(b"", timeout=SECONDS)
            assert wire.GetStatusResponse.FromString(data).origin
        with weft.connect(local(served), roots=authority.roots, index=other.index) as client:
            assert client.status().origin == own(home)


def test_anybody_reads_what_is_public(home: Home, tmp_path: Path) -> None:
    home.config.write_text('public = ["own/drafts"]\n')
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    files = tmp_path / "server.crt", tmp_path / "server.key"
    authority.write(*files)
    with serving(home, "--public", "--tls-cert", str(files[0]), "--tls-key", str(files[1])) as served:
        with weft.connect(local(served), roots=authority.roots, verify=True) as client:
            assert client.thread(ROOT).messages
        with pytest.raises(DeniedError, match="not trusted here"):
            weft.connect(local(served), roots=stranger.roots)
        with pytest.raises(DeniedError, match="bound to no origin"):
            weft.connect(local(served), fingerprint=own(home))
        # Renewed by another authority, half first: the pair before stays until both are there.
        before = files[0].read_bytes()
        stranger.write(tmp_path / "new.crt", tmp_path / "new.key")
        (tmp_path / "new.crt").replace(files[0])
        with weft.connect(local(served), roots=authority.roots) as client:
            assert client.status()
        (tmp_path / "new.key").replace(files[1])
        with weft.connect(local(served), roots=stranger.roots) as client:
            assert client.status()
        assert files[0].read_bytes() != before
        home.config.write_text("")
        with weft.connect(local(served), roots=stranger.roots) as client:
            assert _denied_soon(client, "not public now")


def test_a_public_server_that_is_pinned_needs_no_authority(home: Home) -> None:
    home.config.write_text('public = "*"\n')
    with serving(home, "--public") as served, weft.connect(local(served), fingerprint=own(home)) as client:
        assert client.thread(ROOT).messages


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        ("", "own/drafts"),
        ('public = ["own/other"]', "own/drafts"),
        ('public = ["own"]\n[origin."{other}"]\ntier = 1\nlists = ["a", "b"]', "{other}/a, {other}/b"),
        ('public = ["own", "{other}/a"]\n[origin."{other}"]\ntier = 1\nlists = "*"', "{other}"),
    ],
)
def test_what_is_not_declared_public_is_named(home: Home, other: Home, policy: str, named: str) -> None:
    home.config.write_text(policy.format(other=own(other)))
    ran = home.weft("serve", "--public", "--listen", "127.0.0.1:0")
    assert ran.code == 2
    assert f"not everything here is declared public: {named.format(other=own(other))};" in ran.err[-1]


def test_an_index_that_is_public_takes_no_other_list(home: Home) -> None:
    home.config.write_text('public = ["own/drafts"]\n')
    ran = home.weft("ingest", OPS)
    assert ran.code == 2
    assert "a private list has an index of its own" in ran.err[-1]
    assert home.weft("ingest", DRAFTS).code == 0
    with Index.open(home.index, policy=home.config) as index:
        assert {info.list for info in index.lists()} == {"drafts"}
    home.config.write_text('public = ["own/smtp-ops"]\n')
    with Index.open(home.index, policy=home.config) as index:
        assert list(index.threads()) == [], "what is not declared public is not in the view"


def test_a_unix_socket_has_its_mode_and_is_not_taken_from_another_server(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "weft.sock"
    with serving(home, "--socket-mode", "600", listen=f"unix:{path}") as served:
        assert served.address == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with weft.connect(served.address) as client:
            assert client.thread(ROOT).messages
        with pytest.raises(UsageError, match="plain text"):
            weft.connect(served.address, fingerprint=own(home))
        ran = home.weft("serve", "--listen", f"unix:{path}")
        assert ran.code == 1
        assert "another server does" in ran.err[-1]
        served.process.kill()
        served.process.communicate(timeout=SECONDS)
    assert path.exists()
    with serving(home, listen=f"unix:{path}") as served, weft.connect(served.address) as client:
        assert client.status()
    with pytest.raises(UnreachableError), weft.connect(f"unix:{path}") as client:
        client.status()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--listen", "unix:{file}"], "not a socket"),
        (["--listen", "unix:x.sock", "--workers", "2"], "one process"),
        (["--listen", "unix:x.sock", "--socket-mode", "999"], "octal"),
        (["--tls-cert", "{file}"], "go together"),
        (["--tls-cert", "{file}", "--tls-key", "{file}"], "no private key"),
        (["--tls-cert", "nothing", "--tls-key", "{file}"], "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_told(home: Home, tmp_path: Path, options: list[str], reason: str) -> None:
    file = tmp_path / "file"
    file.write_text("something\n")
    ran = home.weft("serve", *(option.format(file=file) for option in options))
    assert ran.code in (1, 2)
    assert reason in ran.err[-1]


def test_keys_of_kinds_that_grpc_does_not_take_are_named(home: Home, tmp_path: Path) -> None:
    files = tmp_path / "s.crt", tmp_path / "s.key"
    key = ed25519.Ed25519PrivateKey.generate()
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[0].write_text("")
    ran = home.weft("serve", "--tls-cert", str(files[0]), "--tls-key", str(files[1]))
    assert "gRPC takes no key of this kind" in ran.err[-1]
