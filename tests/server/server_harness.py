"""A server process on a socket of its own, and what tests ask of it without our client."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from tests.cli.command_runner import environment
from tests.cli.server_home import Home
from weft.index.index import Index
from weft.v1 import threads_pb2_grpc

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    process: subprocess.Popen[str]
    address: str
    metrics: str | None

    def stop(self) -> tuple[int, str]:
        """SIGTERM; the exit code and the log."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, log

    @contextmanager
    def stub(self) -> Iterator[Any]:
        """The generated stub, which checks nothing."""
        with grpc.insecure_channel(self.address) as channel:
            yield threads_pb2_grpc.ThreadServiceStub(channel)  # type: ignore[no-untyped-call]


def local(served: Served) -> str:
    """How this machine reaches a server that listens on all addresses."""
    return served.address.replace("0.0.0.0", "127.0.0.1")


def own(home: Home) -> str:
    """The fingerprint of a home's origin."""
    with Index.open(home.index, policy=home.config if home.config.exists() else None) as index:
        return index.fingerprint


def start(home: Home, *options: str, listen: str = "127.0.0.1:0") -> Served:
    """Start a server; it listens when this returns."""
    command = [sys.executable, "-m", "weft", "serve", "--listen", listen, *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment(**home.env))
    try:
        address = _read(process, "listening")
        metrics = _read(process, "metrics") if "--metrics" in options else None
    except BaseException:
        process.kill()
        raise
    return Served(process, address, metrics)


@contextmanager
def serving(home: Home, *options: str, listen: str = "127.0.0.1:0") -> Iterator[Served]:
    """A server for as long as the block takes; it must end well."""
    served = start(home, *options, listen=listen)
    try:
        yield served
    except BaseException:
        served.process.kill()
        served.process.communicate(timeout=SECONDS)
        raise
    if served.process.poll() is None:
        code, log = served.stop()
        assert code == 0, log


def _read(process: subprocess.Popen[str], what: str) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    said = json.loads(line)["message"] if line.startswith("{") else line.rstrip("\n")
    found = re.fullmatch(rf"{what} on (\S+)", said)
    if not found:
        process.kill()
        raise AssertionError(f"{line!r}, {process.communicate(timeout=SECONDS)}")
    return found[1]
