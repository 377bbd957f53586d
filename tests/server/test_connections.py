"""Connections that say nothing take no descriptor that the server needs, and do not keep its clients out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

import pytest

import weft
from tests.cli.command_runner import environment
from tests.cli.server_home import Home
from weft.errors import UnreachableError
from weft.tls.connection_limits import HANDSHAKE_SECONDS, connection_options

DESCRIPTORS = 400
IDLE = 1000


def _limited(home: Home) -> subprocess.Popen[str]:
    """A server that may have few open files."""
    command = f"ulimit -n {DESCRIPTORS}; exec {sys.executable} -m weft serve -q --listen 127.0.0.1:0"
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
