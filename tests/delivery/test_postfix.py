"""Postfix delivers its queue over LMTP while Weft is killed again and again: nothing is lost or there twice."""

from __future__ import annotations

import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiosmtpd")

from tests.cli.command_runner import until
from tests.delivery.lmtp_process import Lmtp
from tests.factories import mail
from tests.index.factories import open_index
from weft.delivery.delivered_mail import mail_folder

SECONDS = 240

pytestmark = pytest.mark.skipif(
    not Path("/usr/sbin/postfix").exists() or os.geteuid() != 0, reason="it needs Postfix, and root to start it"
)

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
myhostname = test.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
default_transport = lmtp:unix:{socket}
relay_transport = lmtp:unix:{socket}
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
transport_retry_time = 1s
smtpd_peername_lookup = no
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A mail server of its own, that hands everything over at a socket."""

    def __init__(self, home: Path, target: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (home / "etc").mkdir()
        (home / "queue").mkdir()
        (home / "data").mkdir()
        shutil.chown(home / "data", "postfix")
        (home / "etc" / "main.cf").write_text(_MAIN.format(home=home, socket=target))
        (home / "etc" / "master.cf").write_text(_MASTER.format(port=self.port))
        self.run("start")

    def run(self, what: str) -> None:
        subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.home / "etc"), what], check=True, capture_output=True, timeout=60
        )

    def waiting(self) -> int:
        """How many messages it has not handed over."""
        return sum(
            path.is_file()
            for name in ("incoming", "active", "deferred", "maildrop")
            for path in (self.home / "queue" / name).rglob("*")
        )  # fmt: skip

    def send(self, count: int) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            for number in range(count):
                client.sendmail("a@example.org", ["dev@lists.example.org"], mail(f"m{number}@x").partition(b"\n")[2])


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(("count", "kills"), [(60, 1), pytest.param(1000, 8, marks=pytest.mark.slow)])
def test_a_queue_is_delivered_once_however_often_weft_is_killed(home: Path, count: int, kills: int) -> None:
    postfix = Postfix(home, home / "lmtp.sock")
    try:
        postfix.send(count)
        for number in range(kills):
            left = count - (number + 1) * count // (kills + 1)
            with Lmtp(home, "--socket-mode", "666") as weft:
                until(lambda bound=left: postfix.waiting() <= bound, SECONDS)  # type: ignore[misc]
                weft.process.send_signal(signal.SIGKILL)
        assert postfix.waiting() > 0
        with Lmtp(home, "--socket-mode", "666") as weft:
            until(lambda: postfix.waiting() == 0, SECONDS)
            assert weft.stop() == 0
    finally:
        postfix.run("stop")
    with open_index(home) as index:
        assert {one.id for thread in index.all_threads() for one in thread.messages} == {
            f"m{n}@x" for n in range(count)
        }
        assert index.store.position() == count
        assert list(index.check()) == []
    assert len(list((mail_folder(home / "index.db", "dev") / "new").iterdir())) == count
