"""``weft serve --ingest``: mail that comes is shown by the server that reads it."""

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
from tests.factories import mail
from weft.errors import NotFoundError

SECONDS = 60.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it looks for processes in /proc")


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "Mail" / name).mkdir(parents=True)
    return tmp_path / "Mail"


@pytest.fixture
def serving(tmp_path: Path, maildir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    options = ("--listen", "127.0.0.1:0", "--index", str(tmp_path / "index.db"), "--ingest", f"dev={maildir}")
    command = [sys.executable, "-m", "weft", "serve", "--log-format", "json", *options]
    (tmp_path / "log").touch()
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment()) as process,
    ):
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().partition("listening on ")[2].strip(' \n"}')
        finally:
            process.kill()


def children(process: subprocess.Popen[str]) -> set[int]:
    return set(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def deliver(maildir: Path, name: str) -> None:
    (maildir / "tmp" / name).write_bytes(mail(f"{name}@x").partition(b"\n")[2])
    (maildir / "tmp" / name).rename(maildir / "new" / name)


def shows(address: str, name: str) -> bool:
    with weft.connect(address) as client:
        try:
            return client.thread(f"{name}@x").lists == ("dev",)
        except NotFoundError:
            return False


def test_mail_that_comes_is_shown_also_after_its_reader_was_killed_and_none_outlives_the_server(
    serving: tuple[subprocess.Popen[str], str], maildir: Path, tmp_path: Path
) -> None:
    process, address = serving
    deliver(maildir, "one")
    until(lambda: shows(address, "one"), SECONDS)
    [reader] = children(process)
    os.kill(reader, signal.SIGKILL)
    deliver(maildir, "two")
    until(lambda: shows(address, "two"), SECONDS)
    log = (tmp_path / "log").read_text()
    assert "1 message read (dev 1), 1 new claim" in log
    assert "reading mail ended with exit code -9" in log
    [reader] = children(process)
    process.kill()
    process.wait(SECONDS)
    until(lambda: not Path(f"/proc/{reader}").exists(), SECONDS)


def test_the_reader_ends_with_the_server(serving: tuple[subprocess.Popen[str], str], maildir: Path) -> None:
    process, address = serving
    deliver(maildir, "one")
    until(lambda: shows(address, "one"), SECONDS)
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
