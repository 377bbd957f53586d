"""Watching, and stopping while others watch: streams of a server process whose index another process writes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from subprocess import DEVNULL

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import weft
from tests.cli.command_runner import ROOT, environment, mail
from tests.cli.command_runner import weft as run
from tests.cli.server_home import Home
from tests.server.server_harness import Served, serving
from weft.client.client import ChangeStream
from weft.errors import UnreachableError
from weft.model import LogChange
from weft.v1 import threads_pb2 as wire


def ingest(home: Home, name: str, *messages: bytes) -> None:
    """Another process takes in some mail."""
    path = home.path / f"{name}.mbox"
    with path.open("ab") as file:
        file.write(b"".join(messages))
    ran = run("ingest", path, env=home.env)
    assert ran.code == 0, ran.err


def test_a_claim_that_another_process_ingests_is_seen_with_its_causes(home: Home, served: Served) -> None:
    with weft.connect(served.address) as peer:
        watch = peer.watch()
        started = watch.position
        ingest(home, "late", mail("late@x", [ROOT, "gone@x"]))
        late = next(watch)
        ingest(home, "late", mail("gone@x", [ROOT]))
        filled = next(watch)
        assert len(peer.thread(ROOT).messages) == len(peer.thread("gone@x").messages)
        watch.close()
    assert (late.position, late.id, late.causes, late.root) == (started + 1, "late@x", ("new claim",), ROOT)
    assert (filled.id, filled.causes, filled.list) == ("gone@x", ("new claim", "ghost filled"), "late")


def test_contests_cycles_and_withdrawals_are_told(home: Home, served: Served) -> None:
    ingest(home, "a", mail("c1@x", ["c2@x"]), mail("c3@x", [ROOT]))
    with weft.connect(served.address) as peer:
        watch = peer.watch()
        ingest(home, "b", mail("c3@x", ["other@x"]))
        contested = next(watch)
        ingest(home, "b", mail("c2@x", ["c1@x"]))
        cycle = next(watch)
        assert run("retract", "c2@x", "--yes", env=home.env).code == 0
        withdrawn = next(watch)
        replayed = all_changes(peer.watch(after=watch.position - 4), 4)
        watch.close()
    assert (contested.id, contested.causes) == ("c3@x", ("new claim", "contested"))
    assert (cycle.id, cycle.causes[0], cycle.causes[-1]) == ("c2@x", "new claim", "cycle")
    assert (withdrawn.id, withdrawn.causes) == ("c2@x", ("withdrawal",))
    assert [change.id for change in replayed] == ["c3@x", "c3@x", "c2@x", "c2@x"]


def all_changes(watch: ChangeStream, count: int) -> list[LogChange]:
    """The first changes of a stream."""
    found = [next(watch) for _ in range(count)]
    watch.close()
    return found


def test_a_stream_goes_on_from_any_position_and_can_be_of_one_list(shared: Served) -> None:
    with weft.connect(shared.address) as peer:
        everything = all_changes(peer.watch(after=0), 26)
        assert [change.position for change in everything] == list(range(1, 27))
        assert all_changes(peer.watch(after=20), 6) == everything[20:]
        chosen = [change for change in everything if change.list == "smtp-ops"]
        assert all_changes(peer.watch(after=0, list_name="smtp-ops"), len(chosen)) == chosen


def test_a_server_sees_what_was_ingested_in_every_answer(home: Home, served: Served) -> None:
    with weft.connect(served.address, verify=True) as peer:
        before = peer.thread(ROOT)
        assert peer.thread(ROOT) == before
        ingest(home, "late", mail("late@x", [ROOT], subject="zymurgy"))
        assert {one.id for one in peer.thread(ROOT).messages} - {one.id for one in before.messages} == {"late@x"}
        end = time.monotonic() + 20
        while (found := peer.search("zymurgy")).incomplete:
            assert time.monotonic() < end, "search does not follow the log"
            time.sleep(0.05)
        assert [one.message_id for one in found] == ["late@x"]
        assert run("retract", "late@x", "--yes", env=home.env).code == 0
        assert "late@x" not in {one.id for one in peer.thread(ROOT).messages}


@pytest.mark.parametrize(
    "command",
    [
        ("show", ROOT),
        ("threads",),
        ("explain", ROOT),
        ("search", "re"),
        ("export",),
        ("crossposts",),
    ],
    ids=lambda words: words[0],
)
def test_a_look_under_another_policy_does_not_change_what_the_server_shows(
    home: Home, served: Served, command: tuple[str, ...]
) -> None:
    def marks() -> dict[str, bytes]:
        with closing(sqlite3.connect(home.index)) as connection:
            return dict(connection.execute("SELECT key, value FROM view WHERE key <> 'searched'").fetchall())

    with weft.connect(served.address, verify=True) as peer:
        before, made = peer.thread(ROOT), marks()
        policy = home.path / "other.toml"
        policy.write_text(f'[mute]\nids = ["{before.messages[3].id}"]\n')
        command_line = ["-m", "weft", *command, "--policy", str(policy)]
        with subprocess.Popen([sys.executable, *command_line], env=environment(**home.env), stdout=DEVNULL) as other:
            calls = 0
            while other.poll() is None or not calls:
                assert peer.thread(ROOT) == before
                calls += 1
        assert other.returncode == 0
        assert marks() == made


def test_two_hundred_idle_streams_do_not_slow_a_query(served: Served, home: Home) -> None:
    with served.stub() as stub:
        request = wire.GetThreadRequest(message_id=ROOT.encode())

        def median() -> float:
            times = []
            for _ in range(100):
                began = time.perf_counter()
                stub.GetThread(request)
                times.append(time.perf_counter() - began)
            return sorted(times)[50]

        alone = median()
        streams = [stub.WatchChanges(wire.WatchChangesRequest()) for _ in range(200)]
        for stream in streams:
            assert next(stream).log_position == 26
        among = median()
        ingest(home, "late", mail("late@x", [ROOT]))
        assert {next(stream).changes[0].message_id for stream in streams} == {b"late@x"}
        for stream in streams:
            stream.cancel()
    assert among < 10 * alone + 0.05, "a server of threads that wait would not answer at all"


def test_sigterm_says_not_serving_ends_streams_answers_what_runs_and_exits_with_zero(home: Home) -> None:
    with serving(home, "--log-format", "json") as served, grpc.insecure_channel(served.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        states = health.Watch(health_pb2.HealthCheckRequest(service="weft.v1.ThreadService"))
        assert next(states).status == health_pb2.HealthCheckResponse.SERVING
        with weft.connect(served.address) as peer, weft.connect(served.address) as other:
            watch = peer.watch()
            failures: list[Exception] = []
            answered = [0]

            def ask() -> None:
                try:
                    while True:
                        other.explain(ROOT)
                        answered[0] += 1
                except Exception as error:
                    failures.append(error)

            asking = threading.Thread(target=ask)
            asking.start()
            while not answered[0]:
                time.sleep(0.01)
            served.process.send_signal(signal.SIGTERM)
            assert next(states).status == health_pb2.HealthCheckResponse.NOT_SERVING
            with pytest.raises(UnreachableError, match="stopping"):
                next(watch)
            asking.join(20)
        _, log = served.process.communicate(timeout=20)
        assert served.process.returncode == 0, log
        [failure] = failures
        assert isinstance(failure, UnreachableError), failure
        assert '"message": "stopping' in log


def test_an_index_that_is_not_there_is_not_served(tmp_path: Path) -> None:
    ran = run("serve", "--listen", "127.0.0.1:0", "--index", tmp_path / "none.db")
    assert ran.code == 1
    assert "there is no index" in ran.err[-1]
