"""What a server tells systemd: that it is ready, reads its policy anew, lives, stops, and how it is."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command_runner import environment
from tests.cli.server_home import Home
from tests.server.server_harness import SECONDS
from weft.server.service_manager import ServiceManager


class Manager:
    """A service manager that listens."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(SECONDS)

    def until(self, *words: str) -> str:
        """The next datagram with all of these words."""
        while True:
            said = self.socket.recv(1 << 16).decode()
            if all(word in said for word in words):
                return said


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    listening = Manager(tmp_path / "notify")
    yield listening
    listening.socket.close()


@contextmanager
def notifying(home: Home, path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "weft", "serve", "--listen", "127.0.0.1:0", *options]
    told = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "600000"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**home.env, **told)
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def test_a_server_tells_how_it_is_from_its_start_to_its_end(home: Home, manager: Manager, tmp_path: Path) -> None:
    home.config.write_text("")
    with notifying(home, tmp_path / "notify") as process:
        assert "making the view" in manager.until("STATUS=")
        assert manager.until("READY=1") == "READY=1\nSTATUS=ready"
        manager.until("WATCHDOG=1")
        home.config.write_text("tier = [")
        process.send_signal(signal.SIGHUP)
        assert manager.until("RELOADING=1").partition("\n")[2].startswith("MONOTONIC_USEC=")
        assert "STATUS=the policy stays as it was: " in manager.until("READY=1")
        home.config.write_text("")
        process.send_signal(signal.SIGHUP)
        manager.until("RELOADING=1")
        assert manager.until("READY=1") == "READY=1\nSTATUS=ready"
        home.index.rename(home.index.with_name("away.db"))
        assert "not ready: the index cannot be read" in manager.until("STATUS=")
        manager.until("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        manager.until("STOPPING=1")
        assert process.wait(SECONDS) == 0


def test_no_process_but_the_server_speaks_for_it() -> None:
    variables = {"NOTIFY_SOCKET": "@weft", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1", "LANG": "C"}
    found = ServiceManager.from_environment(variables)
    assert variables == {"LANG": "C"}
    assert (found._address, found._watchdog_seconds) == ("\0weft", 0.0), "the watchdog is another process's"
    assert ServiceManager.from_environment({"WATCHDOG_USEC": "3000000"})._watchdog_seconds == 3.0
    assert ServiceManager.from_environment({"WATCHDOG_USEC": "soon"})._watchdog_seconds == 0.0
    ServiceManager("/nonexistent/notify").ready("it is no failure that nobody listens")


def test_the_unit_waits_for_what_a_server_tells(home: Home) -> None:
    unit = home.weft("serve", "-q", "--print-unit").text
    for line in ("Type=notify", "WatchdogSec=90", "TimeoutStartSec=infinity"):
        assert f"\n{line}\n" in unit
    check, kill = (line for line in unit.splitlines() if line.startswith("ExecReload="))
    assert check.endswith(" check-config"), "systemctl reload fails if the policy cannot be used"
    assert kill == "ExecReload=/bin/kill -HUP $MAINPID"


@pytest.mark.skipif(not shutil.which("systemd-notify"), reason="there is no systemd-notify here")
def test_the_other_end_of_systemd_is_understood(manager: Manager, tmp_path: Path) -> None:
    told = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    subprocess.run(["systemd-notify", "--no-block", "--ready", "--status=ready"], env=told, check=True, timeout=SECONDS)
    theirs = set(manager.until("READY=1").splitlines())
    ServiceManager(str(tmp_path / "notify")).ready("ready")
    assert set(manager.until("READY=1").splitlines()) == {line for line in theirs if "MAINPID" not in line}
