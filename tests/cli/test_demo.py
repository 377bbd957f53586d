"""``weft demo``: it runs for real; what it states other commands state too; and however it ends, nothing is left."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli import command_runner
from tests.cli.command_runner import Ran, command, environment, until
from tests.cli.server_home import Home
from tests.factories import rebuild
from tests.test_story import INTRODUCTION
from tests.test_story_continued import FILES, FORGED_ID
from weft.demo import servers
from weft.demo.results import Promise, Stopped
from weft.demo.servers import DemoServer
from weft.demo.story import Stage
from weft.errors import WeftError
from weft.index.index import Index
from weft.policy.rules import thread_digest
from weft.render.sanitize import width

LISTS = {"ada": "drafts", "farid": "smtp-ops", "ines": "keepers"}
NO_PROXY_THERE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
"""Whoever goes by a proxy must not ask it for servers on this machine."""
IN_PROC = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")


@dataclass(frozen=True, slots=True)
class Played:
    """A demonstration that was kept: what it said as JSON, how it ended, and what it cost."""

    found: Mapping[str, Any]
    ran: Ran
    folder: Path
    processor_seconds: float

    def weft(self, name: str, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """What a command says on the index of one of the servers, as JSON."""
        place = self.folder / name
        home = Home(place)
        ran = home.weft(*arguments, "--json", "--config", place / "policy.toml")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo") / "kept"
    before = processor_seconds()
    ran = command_runner.weft("demo", "--json", "--keep", folder, env=NO_PROXY_THERE)
    return Played(json.loads(ran.out), ran, folder, processor_seconds() - before)


def processor_seconds() -> float:
    """Of all children that have ended: what a machine does that has nothing else to do."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_all_that_it_promises_comes_true_in_time(played: Played) -> None:
    assert (played.ran.code, played.ran.err) == (0, [])
    assert played.found["format"] == 1
    assert played.found["kept"]
    assert all(promise["kept"] for promise in played.found["promises"])
    assert len({promise["promise"] for promise in played.found["promises"]}) == len(played.found["promises"]) >= 15
    assert played.processor_seconds < 20


def test_the_servers_are_who_their_indexes_say(played: Played) -> None:
    members = played.found["who"]["servers"]
    assert [(one["name"], one["list"], one["messages"]) for one in members] == [
        ("ada", "drafts", 13), ("farid", "smtp-ops", 13), ("ines", "keepers", 8)
    ]  # fmt: skip
    for one in members:
        assert played.weft(one["name"], "keys")["fingerprint"] == one["fingerprint"]
    assert len({one["fingerprint"] for one in members}) == len({one["process"] for one in members}) == 3


def test_alone_each_shows_what_its_file_alone_makes(played: Played) -> None:
    for share in played.found["alone"]["servers"]:
        name = LISTS[share["name"]]
        alone = rebuild({name: FILES[name]}).thread(INTRODUCTION).messages
        assert set(share["ids"]) == {message.id for message in alone if not message.ghost}
        assert set(share["ghost_ids"]) == {message.id for message in alone if message.ghost}
        assert (share["messages"], share["ghosts"]) == (len(share["ids"]), len(share["ghost_ids"]))
        assert share["no_sign"] == 24 - len(alone)


def test_the_exchange_is_told_in_threads_mode_and_adds_up(played: Played) -> None:
    exchange, shares = played.found["exchange"], played.found["alone"]["servers"]
    assert [(one["caller"], one["answerer"], one["mode"], one["error"]) for one in exchange["sessions"]] == [
        ("ada", "farid", "threads", None),
        ("ada", "ines", "threads", None),
        ("farid", "ines", "threads", None),
        ("farid", "ada", "threads", None),
    ]
    assert all(one["rounds"] >= 1 and one["reconciliation_octets"] > 0 for one in exchange["sessions"])
    assert [one["messages"] for one in exchange["learned"]] == [22 - share["messages"] for share in shares]
    moved = sum(one["claims_in"] + one["claims_out"] for one in exchange["sessions"])
    assert moved == sum(one["claims"] for one in exchange["learned"]) == 60


def test_the_digest_is_that_of_the_claims_and_the_edges(played: Played) -> None:
    """Made here from the claims in the index of one server and the edges of a rebuild, without the lie."""
    whole = rebuild(dict(FILES)).thread(INTRODUCTION).messages
    edges = [(message.id.encode(), message.parent.encode()) for message in whole if message.parent]
    place = played.folder / "farid"
    with Index.open(place / "index.db", policy=place / "policy.toml") as index:
        claims = [one.claim for message in whole for one in index.explain(message.id).statements]
    digest = thread_digest(map(bytes.fromhex, claims), edges).hex()
    digests = played.found["together"]["digests"] | played.found["stopped"]["digests"]
    assert set(digests) == set(LISTS)
    assert all(digest.startswith(one) and len(one) == 32 for one in digests.values())


def test_coverage_is_what_show_says(played: Played) -> None:
    together = played.found["together"]
    assert together["asked"] == dict.fromkeys(LISTS, True)
    assert sorted(together["nobody_holds"]) == [
        "20030210214455.GB612@duarte.example.net", "87smuvyw1c.fsf@okafor.example.net"
    ]  # fmt: skip
    [thread] = played.weft("ines", "show", INTRODUCTION)
    shown = {message["id"]: message for message in thread["messages"]}
    ghosts = [name for name, message in shown.items() if message["ghost"]]
    assert sorted(ghosts) == sorted(together["nobody_holds"])
    assert (together["messages"], together["ghosts"], together["edges"], together["stated"]) == (22, 2, 23, 21)
    stated = [message for message in shown.values() if message["parent"] and not message["ghost"]]
    assert len(stated) == 21 + 1, "and the lie"


def test_the_lie_is_where_the_indexes_have_it_and_muted_at_one(played: Played) -> None:
    lie = played.found["lie"]
    assert (lie["id"], lie["moved"]) == (FORGED_ID, dict.fromkeys(LISTS, 0))
    explained = played.weft("farid", "explain", FORGED_ID)
    assert (explained["parent"], explained["root"]) == (lie["parent"], INTRODUCTION)
    [ines] = [one["fingerprint"] for one in played.found["who"]["servers"] if one["name"] == "ines"]
    assert [(one["claim"], one["origin"], one["list"]) for one in explained["claims"]] == [
        (lie["claim"], ines, "keepers")
    ]
    shown = {}
    for name in LISTS:
        [thread] = played.weft(name, "show", INTRODUCTION)
        shown[name] = any(message["id"] == FORGED_ID for message in thread["messages"])
    assert shown == lie["shown"] == {"ada": False, "farid": True, "ines": True}
    place = played.folder / "ada"
    assert Home(place).weft("mute", "--config", place / "policy.toml").text == f"--claim {lie['claim']}\n"


@IN_PROC
def test_no_server_goes_on_and_none_had_a_defect(played: Played) -> None:
    assert not processes(played.folder)
    for name in LISTS:
        log = (played.folder / name / "serve.log").read_text()
        assert "Traceback" not in log
        assert " ERROR " not in log


def processes(folder: Path) -> list[str]:
    """The command lines that name a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/" in line:
            found.append(line)
    return found


def test_its_text_says_the_same_on_lines_that_fit(tmp_path: Path) -> None:
    ran = command_runner.weft("demo", env={"TMPDIR": str(tmp_path)})
    assert (ran.code, ran.err) == (0, [])
    lines = ran.text.splitlines()
    assert max(map(width, lines)) <= 100
    assert not any(line != line.rstrip() for line in lines)
    headings = [line[0] for line in lines if re.match(r"\d  \S", line)]
    assert headings == ["1", "2", "3", "4", "5", "6"]
    words = " ".join(ran.text.split())
    for said in (
        "ada 11, farid 11, ines 8; any two of them together have at most 18",
        "Messages learned: ada 11, farid 11, ines 14.",
        "drafts, keepers, smtp-ops 22 messages, 3 lists, 2 not seen here",
        "Messages shown: farid 22, ines 22",
        "keepers, says ines (tier 1)",
        "farid and ines still show it",
        "all of them true",
    ):
        assert said in words
    assert len(set(re.findall(r"thread digest on \w+ +([0-9a-f]{32})$", ran.text, re.MULTILINE))) == 1
    assert "\x1b" not in ran.text
    assert list(tmp_path.iterdir()) == []


@IN_PROC
@pytest.mark.parametrize(
    ("number", "begun"),
    [(signal.SIGTERM, "farid/serve.out"), (signal.SIGHUP, "ines/calls.toml")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_signal_ends_it_and_all_its_servers(number: signal.Signals, begun: str, tmp_path: Path) -> None:
    """At the start of the servers, and while they talk."""
    child = subprocess.Popen(
        command("demo"), env=environment(TMPDIR=str(tmp_path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until(lambda: bool(list(tmp_path.glob(f"weft-demo-*/{begun}"))))
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert (child.returncode, said) == (128 + number, b"")
    until(lambda: not processes(tmp_path))
    assert list(tmp_path.iterdir()) == []


@IN_PROC
def test_an_interrupt_on_a_terminal_ends_it_and_all_its_servers(tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect")
    first, *rest = command("demo")
    env = environment(TMPDIR=str(tmp_path))
    child = pexpect.spawn(first, rest, env=env, dimensions=(24, 60), encoding="utf-8", timeout=60)
    child.expect("3  Each asks")
    text = re.sub(r"\x1b\[\d*m", "", child.before)
    assert "\x1b[1m1  Who is there" in child.before, "colours"
    assert {line for line in text.splitlines() if width(line) > 60} == set()
    assert len(processes(tmp_path)) >= 3
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 128 + signal.SIGINT
    until(lambda: not processes(tmp_path))
    assert list(tmp_path.iterdir()) == []


@IN_PROC
def test_a_reader_that_has_seen_enough_ends_it_and_all_its_servers(tmp_path: Path) -> None:
    shell = f"{' '.join(command('demo'))} | head -1"
    done = subprocess.run(
        ["bash", "-c", shell], env=environment(TMPDIR=str(tmp_path)), capture_output=True, check=False, timeout=60
    )
    assert done.stdout.decode().startswith("Three servers on this machine")
    assert done.stderr == b""
    assert not processes(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_packages_of_a_server_it_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from weft.cli.main import main\n"
        "sys.argv = ['weft', 'demo']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(TMPDIR=str(tmp_path)), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines() == [
        "weft: weft demo needs what weft serve needs; install it with: pip install 'mailweft[server]' "
        "(prometheus_client is missing)"
    ]


def test_a_folder_that_is_not_empty_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    ran = home.weft("demo", "--keep", tmp_path)
    assert (ran.code, ran.out, len(ran.err)) == (2, b"", 1)
    assert "choose another folder" in ran.err[0]


def test_a_file_is_no_folder(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = home.weft("demo", "--keep", tmp_path / "file" / "below")
    assert (ran.code, ran.out, len(ran.err)) == (1, b"", 1)
    assert "choose another place" in ran.err[0]


def test_a_promise_that_is_not_kept_is_named_and_exit_1(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    act = Stopped("ada", 1, 0, {}, {}, (Promise("the sun shines", False), Promise("it rains", True)))
    monkeypatch.setattr(Stage, "acts", lambda _: iter([act]))
    ran = home.weft("demo")
    assert (ran.code, ran.err) == (1, ["weft: this did not come true: the sun shines"])
    assert "1 of 2 things that were promised did not come true" in ran.text
    ran = home.weft("demo", "--json")
    assert (ran.code, ran.err) == (1, ["weft: this did not come true: the sun shines"])
    assert json.loads(ran.out)["kept"] is False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    made = DemoServer("ada", tmp_path)
    yield made
    made.close()


def played_by(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script stand for ``weft``."""
    monkeypatch.setattr(servers, "_weft", lambda *_: ["sh", "-c", script])


def test_a_server_that_does_not_start_is_one_line_with_its_reason(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    played_by(monkeypatch, "echo 'weft: the machine is full; empty it' >&2; exit 1")
    server.start()
    with pytest.raises(WeftError, match=r"^the server of ada did not start: the machine is full; empty it$"):
        server.ready()


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    played_by(monkeypatch, "exec sleep 60")
    monkeypatch.setattr(servers, "PATIENCE", 0.1)
    server.start()
    with pytest.raises(WeftError, match=r"was not there after .* run it again$"):
        server.ready()
    number = server.process
    server.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_server_that_does_not_stop_is_killed_and_that_is_seen(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    played_by(monkeypatch, "trap '' TERM; echo listening on 127.0.0.1:1; echo exchange on 127.0.0.1:2; sleep 60 & wait")
    server.start()
    server.ready()
    assert (server.address, server.exchange) == ("127.0.0.1:1", "127.0.0.1:2")
    monkeypatch.setattr(servers, "PATIENCE", 0.1)
    assert server.stop() == -signal.SIGKILL
    assert server.process == 0


def test_a_command_that_fails_or_hangs_is_one_line(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    played_by(monkeypatch, "echo 'weft: no such thing; look again' >&2; exit 1")
    with pytest.raises(WeftError, match=r"^weft show: no such thing; look again$"):
        server.run("show")
    played_by(monkeypatch, "exec sleep 60")
    monkeypatch.setattr(servers, "PATIENCE", 0.1)
    with pytest.raises(WeftError, match=r"^weft show took more than 0 s; run it again$"):
        server.run("show")


def test_signals_that_come_while_a_server_starts_count_when_it_is_known(server: DemoServer) -> None:
    came: list[tuple[int, int]] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append((number, len(came))))
    try:
        with servers._uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0.01)
            assert came == []
        assert came == [(signal.SIGTERM, 0)]
    finally:
        signal.signal(signal.SIGTERM, before)
