"""``weft lmtp`` in a process of its own, and a client that says what it was answered."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.cli.command_runner import environment

LISTS = ("dev=dev@lists.example.org", "git=Git@lists.example.org")
SECONDS = 60


class Lmtp:
    """The process, with an index in a folder."""

    def __init__(self, folder: Path, *options: str, lists: Sequence[str] = LISTS, program: Sequence[str] = ()) -> None:
        self.socket = folder / "lmtp.sock"
        self.index = folder / "index.db"
        (folder / "config.toml").touch()
        places = ("--index", str(self.index), "--config", str(folder / "config.toml"))
        command = [*(program or (sys.executable, "-m", "weft")), "lmtp", "--listen", f"unix:{self.socket}", *places]
        self.process = subprocess.Popen(
            [*command, *options, *lists], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on unix:"), self.process.stderr and self.process.stderr.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(SECONDS)


class Client:
    """One connection, byte by byte."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(SECONDS)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")
        assert self.answer().startswith("220")
        assert self.say("LHLO test").startswith("250")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def answer(self) -> str:
        while (line := self._file.readline().decode())[3:4] == "-":
            pass
        return line.rstrip()

    def say(self, line: str) -> str:
        self._socket.sendall(line.encode() + b"\r\n")
        return self.answer()

    def send(self, data: bytes, *recipients: str) -> list[str]:
        """The answers to each recipient that was accepted; those that were not come first."""
        assert self.say("MAIL FROM:<>").startswith("250")
        answers = [self.say(f"RCPT TO:<{one}>") for one in recipients]
        accepted = [one for one in answers if one.startswith("250")]
        if not accepted:
            self.say("RSET")
            return answers
        assert self.say("DATA").startswith("354")
        lines = data.replace(b"\r\n", b"\n").split(b"\n")
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
        self._socket.sendall(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        refused = [one for one in answers if not one.startswith("250")]
        return refused + [self.answer() for _ in accepted]
