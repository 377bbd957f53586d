"""Connections that say nothing take no descriptor that the server needs, and do not keep its clients out."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

import weft
from tests.cli.command_runner import environment
from tests.cli.server_home import Home
from tests.server.server_harness import own
from weft.client.client import Client
from weft.errors import UnreachableError, WeftError
from weft.tls.connection_limits import HANDSHAKE_SECONDS, connection_options
from weft.tls.identity import load_or_make_identity
from weft.tls.transport import introduced

DESCRIPTORS = 400
IDLE = 1000


def _limited(
    home: Home, descriptors: int = DESCRIPTORS, options: str = "--listen 127.0.0.1:0"
) -> subprocess.Popen[str]:
    """A server that may have few open files."""
    command = f"ulimit -n {descriptors}; exec {sys.executable} -m weft serve -q {options}"
    return subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, text=True, env=environment(**home.env))


def _most_open(process: subprocess.Popen[str]) -> int:
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def test_some_descriptors_are_kept_for_the_server_itself() -> None:
    most = dict(connection_options())["grpc.max_allowed_incoming_connections"]
    assert 64 <= most <= 16_384
    code = "from weft.tls.connection_limits import connection_options; print(connection_options()[0][1])"
    ran = subprocess.run(["sh", "-c", f"ulimit -n 456; {sys.executable} -c '{code}'"], capture_output=True, text=True)
    assert int(ran.stdout) == (456 - 256) // 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it counts open files in /proc")
@pytest.mark.slow
def test_a_thousand_idle_connections_keep_a_client_out_for_the_time_of_a_handshake_at_most(home: Home) -> None:
    with _limited(home) as process, ExitStack() as stack:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        host, _, port = address.rpartition(":")
        for _ in range(IDLE):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
        assert _most_open(process) < DESCRIPTORS / 2
        until = monotonic() + 4 * HANDSHAKE_SECONDS
        while True:
            try:
                with weft.connect(address) as client:
                    assert client.status().origin
                break
            except UnreachableError:
                assert monotonic() < until
                sleep(1)
        process.terminate()


HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a client of HTTP/2 begins with."""


def _idle(port: int, address: str, settings: ssl.SSLContext) -> ssl.SSLSocket | None:
    """A connection that has finished its handshake and says nothing more; None if there is no room for it."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address, 0))
    try:
        wrapped = settings.wrap_socket(plain, server_hostname="weft.invalid")
    except OSError:
        plain.close()
        return None
    try:
        wrapped.sendall(HTTP2)
    except OSError:
        wrapped.close()
        return None
    return wrapped


def _watch(client: Client) -> None:
    """Wait for changes until the client is closed."""
    with suppress(WeftError):
        next(client.watch(), None)


def _gets_in(address: str, pin: str) -> bool:
    """Whether a client has an answer within some seconds; like any, it tries again."""
    until = monotonic() + 5
    while monotonic() < until:
        try:
            with weft.connect(address, fingerprint=pin) as client:
                return bool(client.status().origin)
        except UnreachableError:
            sleep(0.1)
    return False


def _anonymous() -> ssl.SSLContext:
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
    settings.set_alpn_protocols(["h2"])
    return settings


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="connections are found in /proc")
@pytest.mark.parametrize(
    ("descriptors", "idle", "addresses"),
    [
        (400, 150, ["127.0.0.2"]),
        pytest.param(400, 150, ["127.0.0.1"], marks=pytest.mark.slow),
        pytest.param(1024, 3000, ["127.0.0.2"], marks=pytest.mark.slow),
        pytest.param(1024, 3000, [f"127.0.1.{n}" for n in range(1, 251)], marks=pytest.mark.slow),
    ],
    ids=["another client", "the client itself", "3000 of another client", "3000 of 250 other clients"],
)
def test_idle_connections_do_not_keep_a_client_out(
    home: Home, descriptors: int, idle: int, addresses: list[str]
) -> None:
    home.config.write_text('public = ["own"]\n')
    pin, settings = own(home), _anonymous()
    with _limited(home, descriptors, "--public --listen 0.0.0.0:0") as process, ExitStack() as stack:
        assert process.stdout is not None
        stack.callback(process.terminate)
        address = process.stdout.readline().split()[-1].replace("0.0.0.0", "127.0.0.1")
        watching = stack.enter_context(weft.connect(address, fingerprint=pin))
        threading.Thread(target=_watch, args=(watching,), daemon=True).start()
        for number in range(idle):
            made = _idle(int(address.rpartition(":")[2]), addresses[number % len(addresses)], settings)
            if made is not None:
                stack.enter_context(made)
            if number % 50 == 49:
                assert _gets_in(address, pin)
        assert watching.status().origin, "a connection that is in use was left alone"
        assert _most_open(process) < descriptors


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="connections are found in /proc")
def test_idle_connections_do_not_keep_a_peer_out(near: Home, far: Home) -> None:
    """Of callers whom the policy does not know, each with a key of its own: that costs nothing."""
    with _limited(near, 400, "--listen 127.0.0.1:0 --exchange-listen 127.0.0.1:0") as process, ExitStack() as stack:
        assert process.stdout is not None
        stack.callback(process.terminate)
        process.stdout.readline()
        address = process.stdout.readline().split()[-1]
        settings = _anonymous()
        shown = introduced(load_or_make_identity(far.index))
        files = [far.path / "key.pem", far.path / "certificate.pem"]
        for file, data in zip(files, (shown.key, shown.certificate), strict=True):
            file.write_bytes(data)
        settings.load_cert_chain(files[1], files[0])
        port = int(address.rpartition(":")[2])
        for _ in range(150):
            made = _idle(port, "127.0.0.2", settings)
            if made is not None:
                stack.enter_context(made)
        assert far.weft("peers", "add", own(near), "--address", address).code == 0
        until, said = monotonic() + 5, ""
        while "does not know your key" not in said and monotonic() < until:
            said = "".join(far.weft("sync").err)
            sleep(0.1)
        assert "does not know your key" in said, "it is heard, and told why it may not"
