"""A server of the demonstration: a folder, a ``weft serve`` process in it, and ``weft`` commands on its index.

Nothing outlives `DemoServer.close`: a process that does not end when it is told to is killed.  Servers are started in
sessions of their own, so that an interrupt from the terminal reaches only the demonstration, which then ends them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit

from weft.client.client import Client, connect
from weft.core.feed import FeedSet
from weft.core.signing import parse_fingerprint
from weft.demo.mail import LISTS
from weft.errors import WeftError
from weft.index.index import Index
from weft.policy.rows import TIERS, Origin, Peer
from weft.policy.rules import Policy

PATIENCE = 15.0
"""Seconds for a server to start or to stop, and for a command."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL = 0.01
_LISTENS = "listening on "
_EXCHANGES = "exchange on "


class DemoServer:
    """One of them.  ``name``: what the others call it; ``list``: the list whose mail it keeps."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.list = LISTS[name][0]
        self.folder = folder / name
        self.folder.mkdir()
        self.mail = self.folder / f"{self.list}.mbox"
        self.index = self.folder / "index.db"
        self.policy = self.folder / "policy.toml"
        self.policy.write_text("")  # or commands would look for that of the user
        self.fingerprint = ""
        self.address = self.exchange = ""
        self._process: subprocess.Popen[bytes] | None = None

    def ingest(self, mail: bytes) -> int:
        """Put mail into the file of the list and read what is new in it; how many messages."""
        with self.mail.open("ab") as file:
            file.write(mail)
        with Index.open(self.index, policy=self.policy) as index:
            self.fingerprint = index.fingerprint
            return index.ingest(self.list, self.mail).claims

    def admit(self, others: Iterable[DemoServer]) -> None:
        """Write the policy: whom we believe, and who may talk to us."""
        self.policy.write_text(_policy(others, addresses=False))

    def learn_addresses(self, others: Iterable[DemoServer]) -> None:
        """Write the policy of our own calls: the same, and where the others are."""
        self._calls.write_text(_policy(others, addresses=True))

    def start(self) -> None:
        """Start the process; `ready` waits for it."""
        places = ["--index", str(self.index), "--config", str(self.policy)]
        with _uninterrupted(), self._said.open("wb") as said, self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                _weft("serve", "--listen", "127.0.0.1:0", "--exchange-listen", "127.0.0.1:0", *places),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
                start_new_session=True,
            )

    def ready(self) -> None:
        """Return when it listens, and its addresses are known."""
        assert self._process is not None
        end = time.monotonic() + PATIENCE
        while _EXCHANGES not in (said := self._said.read_text()) or not said.endswith("\n"):
            if self._process.poll() is not None:
                raise WeftError(f"the server of {self.name} did not start: {self._complaint()}")
            if time.monotonic() > end:
                raise WeftError(f"the server of {self.name} was not there after {PATIENCE:.0f} s; run it again")
            time.sleep(_POLL)
        for line in said.splitlines():
            if line.startswith(_LISTENS):
                self.address = line.removeprefix(_LISTENS)
            elif line.startswith(_EXCHANGES):
                self.exchange = line.removeprefix(_EXCHANGES)

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._process.pid if self._process else 0

    def stop(self) -> int:
        """Ask it to end (SIGTERM), and wait; its exit code, or minus the signal that ended it."""
        process, self._process = self._process, None
        assert process is not None
        process.terminate()
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()

    def look(self) -> None:
        """Have it read its policy again now, and not within seconds."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> Client:
        """A client of it, as anybody on this machine can have one."""
        return connect(self.address)

    def run(self, *arguments: str) -> str:
        """What a ``weft`` command on its index prints."""
        return _run((*arguments, "--index", str(self.index), "--config", str(self.policy)))

    def sync(self, others: Sequence[DemoServer]) -> list[dict[str, Any]]:
        """The sessions of ``weft sync`` with some others."""
        places = "--index", str(self.index), "--config", str(self._calls)
        found = json.loads(_run(("sync", "--json", *(other.name for other in others), *places)))
        return list(found["sessions"])

    @property
    def _calls(self) -> Path:
        return self.folder / "calls.toml"

    @property
    def _said(self) -> Path:
        return self.folder / "serve.out"

    @property
    def _log(self) -> Path:
        return self.folder / "serve.log"

    def _complaint(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() or ["it said nothing"]
        return lines[-1].removeprefix("weft: ")


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let what signals do happen afterwards: a process that was started is to be known before anything ends."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda one, _: came.append(one)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)


def _policy(others: Iterable[DemoServer], *, addresses: bool) -> str:
    """A policy file: the others are trusted, may read and hand on all feeds, and are asked for our own threads."""
    everything = FeedSet(everything=True)
    keys = {other: parse_fingerprint(other.fingerprint) for other in others}
    policy = Policy(
        origins={key: Origin(TIERS["trusted"], None, other.name) for other, key in keys.items()},
        peers={
            key: Peer(other.name, other.exchange if addresses else "", "threads", everything, everything)
            for other, key in keys.items()
        },
    )
    return tomlkit.dumps(policy.to_tables())


def _weft(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "weft", *arguments]


def _run(arguments: Sequence[str]) -> str:
    """What a command prints; `WeftError` with its complaint if it failed."""
    try:
        done = subprocess.run(  # noqa: S603
            _weft(*arguments), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise WeftError(f"weft {arguments[0]} took more than {PATIENCE:.0f} s; run it again") from None
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise WeftError(f"weft {arguments[0]}: {complaint[-1].removeprefix('weft: ')}")
    return done.stdout.decode()
