"""Homes of servers that exchange claims, as processes of their own, and what tests ask of them."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from tests.cli.command_runner import environment
from tests.cli.server_home import Home
from tests.server.server_harness import SECONDS
from weft.index.index import Index
from weft.tls.handshake import fetch_certificate
from weft.tls.identity import NAME, Identity, channel_credentials

STORY = 13
"""Claims of each list of the story."""


def fingerprint(home: Home) -> str:
    """The name of its origin."""
    return str(json.loads(home.weft("keys", "--json").text)["fingerprint"])


def made(path: Path, *sources: str | Path) -> Home:
    """A new home with mail in it."""
    path.mkdir()
    home = Home(path)
    ran = home.weft("ingest", "-q", *sources)
    assert ran.code == 0, ran.err
    return home


def introduce(home: Home, origin: Home) -> None:
    """Admit what an origin says that is no peer."""
    row = f'\n[origin."{fingerprint(origin)}"]\ntier = "known"\nlists = "*"\n'
    home.config.write_text(home.config.read_text() + row)


@dataclass(frozen=True, slots=True)
class Served:
    """A server for clients and peers."""

    process: subprocess.Popen[str]
    clients: str
    peers: str
    metrics: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Its log, so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def said(self, text: str) -> bool:
        """Whether the log has a message with these words."""
        return any(text in line["message"] for line in self.lines())

    def measured(self) -> dict[str, float]:
        """Its metrics of the exchange: a number by name with labels, without ``weft_exchange_``."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        rows = [line.rpartition(" ") for line in lines if line.startswith("weft_exchange_")]
        return {name.removeprefix("weft_exchange_"): float(value) for name, _, value in rows}


def is_live(served: Served) -> bool:
    """Whether one of its sessions came as far as that."""
    return served.said("in sync with")


@contextmanager
def running(home: Home, *, peers: str = "127.0.0.1:0", inside: Sequence[str] = ()) -> Iterator[Served]:
    """A server for as long as the block takes; it must end well, if it has not been killed.

    ``inside``: what stands before its command line, should it run elsewhere than the test.
    """
    ports = ("--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--exchange-listen", peers)
    command = [*inside, sys.executable, "-m", "weft", "serve", "--log-format", "json", *ports]
    log = home.path / "serve.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment(**home.env)
        )
    try:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        lines = "\n".join(json.loads(line or '{"message": ""}')["message"] for line in said)
        found = re.fullmatch(r"listening on (\S+)\nmetrics on (\S+)\nexchange on (\S+)", lines)
        assert found, (said, log.read_text())
        yield Served(process, found[1], found[3], found[2], log)
        if process.poll() is None:
            process.terminate()
            assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.communicate()


@contextmanager
def serving(home: Home) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The same: its process and both addresses."""
    with running(home) as served:
        yield served.process, served.clients, served.peers


def admit(home: Home, peer: Home, *options: str) -> None:
    """Let ``peer`` read everything at ``home``, and feed it its own."""
    ran = home.weft(
        "peers", "add", "-q", fingerprint(peer), "--tier", "known", "--mode", "mirror", "--may-read", "*", *options
    )
    assert ran.code == 0, ran.err


def sync(home: Home, address: str) -> dict[str, Any]:
    """One exchange that comes to its end."""
    ran = home.process("sync", "--json", address)
    assert ran.code == 0, ran.err
    said = json.loads(ran.text)
    [session] = said["sessions"]
    return {**session, "common_view": said["common_view"]}


def state(home: Home) -> tuple[set[bytes], bytes]:
    """The ids of all claims, and the id of the common view; the index is sound."""
    with Index.open(home.index, policy=home.config) as index:
        assert list(index.check()) == []
        found = {held.identity for held in index.store.log(0, 1 << 20)}
        return found, index.view_id(common=True)


def count(home: Home) -> int:
    """How many claims are held, as another process sees it."""
    connection = sqlite3.connect(home.index)
    try:
        [(held,)] = connection.execute("SELECT count(*) FROM claims").fetchall()
    finally:
        connection.close()
    return int(held)


@asynccontextmanager
async def calling(address: str, server: Home, identity: Identity) -> AsyncIterator[Any]:
    """The method of a server, for somebody who shows a certificate and does not care about rules."""
    async with connected(address, server, identity) as channel:
        yield channel.stream_stream("/weft.v1.ExchangeService/Session")


@asynccontextmanager
async def connected(address: str, server: Home, identity: Identity) -> AsyncIterator[Any]:
    """A channel to the port of a server for its peers."""
    host, _, port = address.rpartition(":")
    certificate = await asyncio.to_thread(fetch_certificate, (host, int(port)), fingerprint(server))
    options = (("grpc.ssl_target_name_override", NAME),)
    async with grpc.aio.secure_channel(address, channel_credentials(certificate, identity), options) as channel:
        yield channel


def frames(address: str, server: Home, identity: Identity, *sent: bytes) -> tuple[grpc.StatusCode, list[bytes]]:
    """What a server answers: the status, and all frames."""

    async def call() -> tuple[grpc.StatusCode, list[bytes]]:
        async with calling(address, server, identity) as session:
            stream = session(iter(sent), timeout=10)
            got: list[bytes] = []
            try:
                async for frame in stream:
                    got.append(frame)
            except grpc.aio.AioRpcError as error:
                return error.code(), got
            return await stream.code(), got

    return asyncio.run(call())
