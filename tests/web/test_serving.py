"""Pages of a real server: over a socket, beside gRPC, for those who may read, and to the end of what it began."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("grpc_health")

import weft
from tests.browser import needs_browser, opened, widths
from tests.cli.command_runner import environment
from tests.cli.server_home import Home
from tests.factories import FIXTURES
from weft.tls.client_address import TrustedProxies
from weft.web.http_server import CONNECTIONS, MOST_CONNECTIONS, ConnectionCounts

ROOT = "20030210035225.GA1107@aldgate.example.com"
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A server with pages."""

    process: subprocess.Popen[str]
    grpc: str
    port: int

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(home: Home, *options: str, address: str = "127.0.0.1:0") -> Iterator[Serving]:
    command = [sys.executable, "-m", "weft", "serve", "--listen", "127.0.0.1:0", "--http", address, *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment(**home.env))
    try:
        assert process.stdout is not None
        grpc = re.fullmatch(r"listening on (\S+)\n", process.stdout.readline())
        pages = re.fullmatch(r"pages on http://\S+:(\d+)/.*\n", process.stdout.readline())
        assert grpc, process.communicate(timeout=SECONDS)
        assert pages, process.communicate(timeout=SECONDS)
        yield Serving(process, grpc[1], int(pages[1]))
        process.terminate()
        _, log = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, log
        assert "Traceback" not in log
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("serving"))
    made.config.write_text('public = ["own/drafts", "own/smtp-ops"]\n')
    assert made.weft("ingest", FIXTURES / "story").code == 0
    return made


@pytest.fixture(scope="module")
def served(home: Home) -> Iterator[Serving]:
    with serving(home) as found:
        yield found


def test_pages_and_grpc_are_of_one_server(served: Serving) -> None:
    status, body = served.get(f"/t/{ROOT}/")
    assert status == 200
    with weft.connect(served.grpc) as client:
        assert client.thread(ROOT).digest.encode() in body


def test_a_connection_is_used_again_and_ends_behind_what_is_refused(served: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=SECONDS)
    for path in ("/", "/about", f"/t/{ROOT}/"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read()
        assert not answer.will_close
    connection.request("POST", "/", body=b"x" * 100_000)
    answer = connection.getresponse()
    assert (answer.status, answer.will_close) == (405, True)
    connection.close()


@pytest.mark.parametrize(
    "request_bytes",
    [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000,
     b"GET / HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_answered_and_ends(served: Serving, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert not answer or re.match(rb"HTTP/1.1 4[0-9]{2} ", answer)
    assert served.get("/healthz") == (200, b"ok\n")


def test_a_public_server_shows_pages_to_everybody_until_its_policy_says_no_more(home: Home, tmp_path: Path) -> None:
    own = home.copy_to(tmp_path / "own")
    with serving(own, "--public", address="0.0.0.0:0") as found:
        assert found.get("/", host="whatever.example.org")[0] == 200
        own.config.write_text("public = []\n")
        found.process.send_signal(1)
        while (status := found.get("/")[0]) == 200:
            pass
        assert status == 403
        assert found.get("/healthz")[0] == 200


def test_off_this_machine_pages_are_shown_only_where_all_is_public(home: Home) -> None:
    refused = home.weft("serve", "--http", "0.0.0.0:0")
    assert refused.code == 2
    assert "off this machine pages are shown with --public only" in refused.err[0]
    for options in (["--public-url", "https://x"], ["--show-addresses"], ["--elsewhere", "none"]):
        assert "are about pages; give --http" in home.weft("serve", *options).err[0]
    for options in (["--http", "nonsense"], ["--http", "unix:x"], ["--http", "127.0.0.1:0", "--elsewhere", "x"],
                    ["--http", "127.0.0.1:0", "--public-url", "x"]):  # fmt: skip
        assert home.weft("serve", *options).code == 2, options


def test_a_port_that_is_taken_is_said(home: Home, served: Serving) -> None:
    refused = home.process("serve", "--listen", "127.0.0.1:0", "--http", f"127.0.0.1:{served.port}")
    assert refused.code == 1
    assert "cannot listen there" in refused.err[-1]


def test_a_unit_has_the_options_of_pages(home: Home) -> None:
    printed = home.weft("serve", "--print-unit", "--http", "127.0.0.1:8080", "--public-url", "https://x.example.org")
    assert b"--http 127.0.0.1:8080 --public-url https://x.example.org" in printed.out


def test_one_client_does_not_take_all_connections() -> None:
    counts = ConnectionCounts(TrustedProxies.parse(["10.0.0.0/8"]))
    taken = [counts.take(("192.0.2.1", port)) for port in range(CONNECTIONS + 1)]
    assert taken == ["192.0.2.1"] * CONNECTIONS + [None]
    counts.give_back("192.0.2.1")
    assert counts.take(("192.0.2.1", 1)) == "192.0.2.1"
    proxy = [counts.take(("10.0.0.1", port)) for port in range(MOST_CONNECTIONS)]
    assert proxy == [""] * (MOST_CONNECTIONS - CONNECTIONS) + [None] * CONNECTIONS


PATHS = ("/", "/l/drafts/", f"/t/{ROOT}/", f"/m/{ROOT}/", "/missing/", "/search?q=re", "/about", "/nowhere")


@needs_browser
def test_a_browser_opens_a_page_without_a_complaint(served: Serving) -> None:
    shown = opened(f"http://127.0.0.1:{served.port}/t/{ROOT}/")
    assert "I have lurked here" in shown.dom
    assert shown.console == []


@needs_browser
def test_no_page_scrolls_sideways_on_a_telephone(served: Serving, tmp_path: Path) -> None:
    pages, style = [served.get(path)[1].decode() for path in PATHS], served.get("/style.css")[1].decode()
    found = widths(pages, style, tmp_path / "pages.html", 390)
    assert len(found) == len(PATHS)
    assert max(found) <= 390
