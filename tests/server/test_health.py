"""Health: whether a server can answer, apart from whether it lives."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.cli.command_runner import until
from tests.cli.server_home import Home
from tests.server.server_harness import Served, serving
from weft.index.condition import IndexCondition
from weft.index.index import Index
from weft.server import health_monitor
from weft.server.health_monitor import SEARCH_LAG_SECONDS, VIEW_LAG_SECONDS, HealthMonitor, problem_of
from weft.server.reader_pool import ReaderPool

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
READINESS = ("", "weft.v1.ThreadService")
SOUND = IndexCondition(log_position=10, view_position=10, search_position=10, is_view_usable=True)


class Health:
    """The health service of a server."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub: Any = health_pb2_grpc.HealthStub(channel)

    def of(self, name: str) -> int:
        return int(self._stub.Check(health_pb2.HealthCheckRequest(service=name)).status)

    def is_ready(self) -> bool:
        assert self.of("liveness") == SERVING
        found = {self.of(name) for name in READINESS}
        while len(found) > 1:  # it changed meanwhile
            found = {self.of(name) for name in READINESS}
        return found == {SERVING}


@contextmanager
def health_of(served: Served) -> Iterator[Health]:
    with grpc.insecure_channel(served.address) as channel:
        yield Health(channel)


def metrics(served: Served) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{served.metrics}/metrics", timeout=10) as page:
        rows = [line.rpartition(" ") for line in page.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def test_a_server_whose_index_is_gone_is_not_ready_and_lives(home: Home) -> None:
    away = home.index.with_name("away.db")
    with serving(home, "--metrics", "127.0.0.1:0") as served, health_of(served) as health:
        assert health.is_ready()
        assert metrics(served)["weft_ready"] == 1
        home.index.rename(away)
        until(lambda: not health.is_ready())
        assert metrics(served)["weft_ready"] == 0
        away.rename(home.index)
        until(health.is_ready)
        home.copy_to(home.path / "other").index.replace(home.index)
        until(lambda: not health.is_ready())
        code, log = served.stop()
    assert code == 0
    assert "not ready: the index cannot be read" in log
    assert "this is another file than when the server began" in log


def test_a_server_without_a_view_is_not_ready_until_it_is_made_again(home: Home) -> None:
    with serving(home) as served, health_of(served) as health, closing(sqlite3.connect(home.index)) as writer:
        writer.isolation_level = None
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DROP TABLE view")
        assert health.is_ready(), "the old one is read until another is there"
        writer.execute("COMMIT")
        writer.execute("BEGIN IMMEDIATE")  # whoever made the index again has dropped it, and is not done
        until(lambda: not health.is_ready())
        writer.execute("ROLLBACK")
        until(health.is_ready)


def test_metrics_tell_of_the_index_and_of_the_policy(home: Home) -> None:
    before = time.time()
    assert home.weft("ingest", "-q", home.path / "index.db.none").code == 1
    with serving(home, "--metrics", "127.0.0.1:0") as served:
        found = metrics(served)
        assert found["weft_view_lag_claims"] == found["weft_search_lag_claims"] == found["weft_search_lag_seconds"] == 0
        assert found["weft_log_position"] > 0
        assert before - 3600 < found["weft_last_ingest_timestamp_seconds"] <= before, "one that failed is none"
        assert found["weft_policy_last_load_successful"] == 1
        read = found["weft_policy_last_load_success_timestamp_seconds"]
        assert {f'weft_queue_calls{{queue="{name}"}}' for name in ("quick", "slow", "log", "batch")} <= found.keys()
        home.config.write_text("tier = [")
        until(lambda: metrics(served)["weft_policy_last_load_successful"] == 0)
        assert metrics(served)["weft_policy_last_load_success_timestamp_seconds"] == read
        home.config.write_text("")
        until(lambda: metrics(served)["weft_policy_last_load_successful"] == 1)
        assert metrics(served)["weft_policy_last_load_success_timestamp_seconds"] > read


def test_lags_have_bounds() -> None:
    assert not problem_of(SOUND, 0, 0)
    assert not problem_of(SOUND, VIEW_LAG_SECONDS, SEARCH_LAG_SECONDS)
    behind = replace(SOUND, view_position=7, search_position=4)
    assert problem_of(behind, VIEW_LAG_SECONDS + 1, 0) == "the view is 3 claims behind the log for 31 s"
    assert problem_of(behind, 0, SEARCH_LAG_SECONDS + 1) == "search is 6 claims behind the log for 901 s"
    assert "no view" in problem_of(replace(SOUND, is_view_usable=False), 0, 0)


def test_a_server_that_does_not_answer_is_not_ready_and_lives(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_monitor, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(health_monitor, "_small_read", lambda _: time.sleep(0.3))
    with Index.open(home.index) as index:
        policy = index.policy

    async def run() -> None:
        quick = ReaderPool(home.index, policy, 1, "quick")
        monitor = HealthMonitor(home.index, lambda: (policy,), quick)
        try:
            found = await monitor.look()
            assert found.problem == "calls are not answered within 0 s"
            assert found.condition
            assert monitor.is_alive()
            monkeypatch.setattr(health_monitor, "ALIVE_SECONDS", 0.0)
            assert not monitor.is_alive(), "no look came to its end since"
        finally:
            monitor.close()
            await asyncio.to_thread(quick.close)

    asyncio.run(run())
