"""Peers that die without a word are noticed within half a minute, and counted as lost."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cli.command_runner import DRAFTS, OPS, mail, until
from tests.cli.server_home import Home
from tests.peering.peer_harness import Served, admit, count, is_live, made, running
from weft.tls.connection_limits import PEER_KEEPALIVE, PEER_LOST_SECONDS


@pytest.fixture
def third(tmp_path: Path) -> Home:
    (tmp_path / "third.mbox").write_bytes(mail("third@example.org"))
    return made(tmp_path / "third", f"third={tmp_path / 'third.mbox'}")


@pytest.fixture
def near(tmp_path: Path) -> Home:
    return made(tmp_path / "near", DRAFTS)


@pytest.fixture
def far(tmp_path: Path) -> Home:
    return made(tmp_path / "far", OPS)


def outcome(name: str, role: str) -> str:
    return f'sessions_total{{outcome="lost",peer="{name}",role="{role}"}}'


def lose_both_ways(near: Home, far: Home, third: Home, number: signal.Signals) -> tuple[float, Served]:
    """`third` calls `near`, which calls `far`; a signal ends the two others.  How long `near` took to notice both."""
    admit(far, near)
    admit(near, third, "--name", "third")
    with running(far) as called:
        admit(near, far, "--address", called.peers, "--name", "far")
        with running(near) as middle:
            admit(third, near, "--address", middle.peers)
            with running(third) as caller:
                until(
                    lambda: is_live(called) and is_live(caller) and middle.measured().get('lag_claims{peer="far"}') == 0
                )
                began = time.monotonic()
                for served in (caller, called):
                    served.process.send_signal(number)
                while not {outcome("far", "caller"), outcome("third", "answerer")} <= middle.measured().keys():
                    assert time.monotonic() - began < 2 * PEER_LOST_SECONDS
                    time.sleep(0.1)
                took = time.monotonic() - began
                assert middle.said("the exchange with far ended")
                assert middle.said("the exchange with third ended: the connection was lost")
                for served in (caller, called):
                    served.process.kill()
                    served.process.wait()
    return took, middle


def test_a_peer_that_is_killed_is_lost_whoever_called(near: Home, far: Home, third: Home) -> None:
    lose_both_ways(near, far, third, signal.SIGKILL)


@pytest.mark.slow
def test_a_peer_that_hangs_is_lost_whoever_called(near: Home, far: Home, third: Home) -> None:
    took, _ = lose_both_ways(near, far, third, signal.SIGSTOP)
    assert took < PEER_LOST_SECONDS


def test_a_silent_connection_is_given_up_in_time_and_no_side_asks_too_often() -> None:
    options = dict(PEER_KEEPALIVE)
    seconds = (options["grpc.keepalive_time_ms"] + options["grpc.http2.ping_timeout_ms"]) / 1000
    assert seconds + 2 <= PEER_LOST_SECONDS
    assert options["grpc.http2.min_recv_ping_interval_without_data_ms"] * 2 <= options["grpc.keepalive_time_ms"]


def test_a_live_session_stays_in_sync(near: Home, far: Home) -> None:
    admit(far, near)
    with running(far) as called:
        admit(near, far, "--address", called.peers, "--name", "far")
        with running(near) as caller:
            until(lambda: is_live(caller) and is_live(called))
            since = 'since_sync_seconds{peer="far"}'
            began = time.monotonic()
            until(lambda: time.monotonic() - began > 3.5)
            assert caller.measured()[since] < 2.5, "it does not climb while nothing happens"
            path = near.path / "more.mbox"
            path.write_bytes(mail("more@example.org"))
            assert near.weft("ingest", "-q", f"drafts={path}").code == 0
            until(lambda: count(far) == count(near) == 27)
            until(lambda: caller.measured()[since] < 2.5)
