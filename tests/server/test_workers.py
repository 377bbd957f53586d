"""``weft serve --workers``: several processes answer clients at one address, and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import weft
from tests.cli.command_runner import environment, until
from tests.factories import FIXTURES
from tests.peering.peer_harness import made

SECONDS = 60.0
NUMBER = 3
ID = "87smuvyw1c.fsf@okafor.example.net"

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it looks for processes in /proc")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    story = made(tmp_path / "home", FIXTURES / "story")
    options = ("--listen", "127.0.0.1:0", "--workers", str(NUMBER), "--index", str(story.index))
    command = [sys.executable, "-m", "weft", "serve", "-q", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().removeprefix("listening on ").strip()
            until(lambda: len(listening(address)) == NUMBER, SECONDS)
            yield process, address
        finally:
            process.kill()


def listening(address: str) -> set[str]:
    """The sockets that listen at an address, by their inodes."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    lines = [line for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    rows = list(map(str.split, lines))
    return {row[9] for row in rows if row[1].endswith(port) and row[3] == "0A"}


def workers(process: subprocess.Popen[str]) -> set[int]:
    """The processes that it started."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return {int(number) for number in listed.split()}


def test_all_answer_and_end_with_the_first(serving: tuple[subprocess.Popen[str], str]) -> None:
    process, address = serving
    others = workers(process)
    assert len(others) == NUMBER - 1
    for _ in range(12):
        with weft.connect(address) as client:
            assert len(client.thread(ID).messages) == 18
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
    assert not any(is_there(number) for number in others)


def test_one_that_dies_is_replaced_and_none_outlives_the_first(serving: tuple[subprocess.Popen[str], str]) -> None:
    process, address = serving
    first = min(workers(process))
    os.kill(first, signal.SIGKILL)
    until(lambda: len(workers(process) - {first}) == NUMBER - 1 and len(listening(address)) == NUMBER, SECONDS)
    others = workers(process)
    process.kill()
    process.wait(SECONDS)
    until(lambda: not any(is_there(number) for number in others), SECONDS)


def is_there(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
