"""``weft lmtp`` and ``weft pipe``: what is answered with success is on disk, and every recipient is answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("aiosmtpd")

from tests.cli.command_runner import environment
from tests.delivery.lmtp_process import Client, Lmtp
from tests.factories import mail
from tests.index.factories import open_index
from weft import Index
from weft.delivery.delivered_mail import keep, mail_folder
from weft.delivery.deliverer import Deliverer, HandedOver, Status
from weft.sources.discover import discover
from weft.sources.interface import NoteLog

DEV, GIT = "dev@lists.example.org", "git@lists.example.org"


def message(number: int, body: str = "A body.\n") -> bytes:
    return mail(f"m{number}@x", body=body).partition(b"\n")[2]


def raw(index: Index, name: str) -> list[bytes]:
    missing: list[str] = []
    found = [data for data, _ in index.raw(index.thread(name), missing.append)]
    assert missing == []
    return found


def test_a_message_to_two_lists_has_two_answers_and_is_there_when_they_come(tmp_path: Path) -> None:
    text = message(1, "A line.\n.\n..two\nFrom me\n")
    with Lmtp(tmp_path) as lmtp, Client(lmtp.socket) as client:
        answers = client.send(text, DEV, "nobody@lists.example.org", GIT.upper())
        assert [one[:9] for one in answers] == ["550 5.1.1", "250 2.0.0", "250 2.0.0"]
        lmtp.process.send_signal(signal.SIGKILL)
    with open_index(tmp_path) as index:
        assert index.thread("m1@x").lists == ("dev", "git")
        assert raw(index, "m1@x") == [text]
        assert list(index.check()) == []


def test_odd_messages_are_taken_and_what_is_no_message_is_refused(tmp_path: Path) -> None:
    odd = {
        "no id": b"From: a@b\nSubject: none\n\nText.\n",
        "nul": message(2, "A \0 here.\n"),
        "8 bit": message(3).replace(b"Subject:", "Subject: Grüße".encode("latin-1")),
        "long line": message(4, "x" * 200_000 + "\n"),
        "no body": b"Message-ID: <m5@x>\n",
    }
    with Lmtp(tmp_path, "--max-size", "1") as lmtp, Client(lmtp.socket) as client:
        for name, data in odd.items():
            assert client.send(data, DEV) == ["250 2.0.0 delivered"], name
        assert client.send(message(2, "A \0 here.\n"), DEV) == ["250 2.0.0 delivered"], "twice"
        assert [one[:9] for one in client.send(b"just words\n", DEV, GIT)] == ["554 5.6.0"] * 2
        assert [one[:4] for one in client.send(message(6, "line\n" * 300_000), DEV, GIT)] == ["552 "] * 2
        assert client.send(message(7), DEV) == ["250 2.0.0 delivered"], "the connection goes on"
        assert lmtp.stop() == 0
    with open_index(tmp_path) as index:
        ids = {one.id for thread in index.all_threads() for one in thread.messages}
        assert len(ids) == 6
        assert {"m2@x", "m3@x", "m4@x", "m5@x", "m7@x"} <= ids
        folder = mail_folder(index.store.path, "dev")
        assert len(list((folder / "new").iterdir())) == 6
        log = NoteLog()
        assert index.ingest_sources(discover([f"dev={folder}"], log), log).messages == 0, "all is read already"


def test_a_list_has_so_many_messages_a_minute(tmp_path: Path) -> None:
    with Lmtp(tmp_path, "--rate", "2") as lmtp, Client(lmtp.socket) as client:
        answers = [client.send(message(number), DEV)[0][:9] for number in range(4)]
        assert answers == ["250 2.0.0"] * 2 + ["450 4.2.1"] * 2
        assert client.send(message(4), GIT) == ["250 2.0.0 delivered"]


def test_mail_that_is_not_kept_leaves_claims_alone(tmp_path: Path) -> None:
    with Lmtp(tmp_path, "--drop") as lmtp, Client(lmtp.socket) as client:
        assert client.send(message(1), DEV) == ["250 2.0.0 delivered"]
    assert not mail_folder(tmp_path / "index.db", "dev").exists()
    with open_index(tmp_path) as index:
        assert index.thread("m1@x").lists == ("dev",)


def test_mail_that_was_kept_and_never_read_is_read_at_the_next_start(tmp_path: Path) -> None:
    keep(mail_folder(tmp_path / "index.db", "dev"), message(1))
    with Lmtp(tmp_path):
        pass
    with open_index(tmp_path) as index:
        assert index.thread("m1@x").lists == ("dev",)


def test_a_full_disk_is_answered_as_temporary_and_gone_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").touch()
    deliverer = Deliverer(tmp_path / "index.db", str(tmp_path / "config.toml"))
    one = HandedOver("dev", message(1))

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert [outcome.status for outcome in deliverer.deliver([one])] == [Status.FULL]
    assert [outcome.status for outcome in deliverer.deliver([one, one])] == [Status.DELIVERED] * 2
    index, _ = deliverer._opened or (None, None)
    assert index is not None
    [(pages,)] = index.store.connection.execute("PRAGMA page_count").fetchall()
    index.store.connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    many = [HandedOver("dev", message(number, f"{number}\n" * 99)) for number in range(2, 400)]
    assert {outcome.status for outcome in deliverer.deliver(many)} == {Status.FULL}
    assert {outcome.status for outcome in deliverer.deliver(many)} == {Status.DELIVERED}
    deliverer.close()
    with open_index(tmp_path) as opened:
        assert sum(1 for _ in opened.all_threads()) == 399
        assert list(opened.check()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listen", "0.0.0.0:0", "dev=a@b"), ("--listen", "127.0.0.1:0", "dev"),
        ("--listen", "127.0.0.1:0", "a/b=a@b"),
        ("--listen", "127.0.0.1:0", "dev=a@b", "git=A@b"), ("--listen", "127.0.0.1:0", "--socket-mode", "9", "dev=a@b"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert weft(tmp_path, "lmtp", *arguments).returncode == 2


def weft(folder: Path, command: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    (folder / "config.toml").touch()
    places = ("--index", str(folder / "index.db"), "--config", str(folder / "config.toml"))
    return subprocess.run(
        [sys.executable, "-m", "weft", command, *places, *arguments],
        input=data, capture_output=True, env=environment(), timeout=60,
    )  # fmt: skip


def test_pipe_takes_one_message_and_its_exit_codes_are_those_of_sysexits(tmp_path: Path) -> None:
    assert weft(tmp_path, "pipe", "dev", data=message(1)).returncode == 0
    assert weft(tmp_path, "pipe", "dev", data=message(1)).returncode == 0
    assert weft(tmp_path, "pipe", "dev", data=b"").returncode == 65
    assert weft(tmp_path, "pipe", "a/b", data=message(2)).returncode == 2
    with open_index(tmp_path) as index:
        assert raw(index, "m1@x") == [message(1)]
    (tmp_path / "index.db.key").unlink()
    later = weft(tmp_path, "pipe", "dev", data=message(3))
    assert (later.returncode, later.stderr.count(b"\n")) == (75, 1)
