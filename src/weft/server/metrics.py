"""What a server counts, for Prometheus, on a port of its own.

The port serves nothing else and is opened only when it is asked for.  No label comes from a client: methods and
statuses are from short lists.  What is counted of the exchange stands in `weft.peering.metrics`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from weft import __version__
from weft.errors import WeftError
from weft.server.health_monitor import Readiness
from weft.server.policy_watcher import PolicyWatcher
from weft.server.service import WATCH

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts calls (a `weft.server.service.CallMeter`) and shows them; a context manager that closes the port."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls = Counter("weft_calls", "Calls that ended.", ["method", "code"], registry=self.registry)
        self._work = Counter(
            "weft_call_work_seconds", "Time in which threads worked for calls.", ["method"], registry=self.registry
        )
        self._running = Gauge("weft_calls_running", "Calls in flight.", ["method"], registry=self.registry)
        self._seconds = Histogram(
            "weft_call_seconds", "How long calls took.", ["method"], buckets=_BUCKETS, registry=self.registry
        )
        build = Gauge("weft_build", "Which release this is.", ["version"], registry=self.registry)
        build.labels(__version__).set(1)
        self._close: Callable[[], None] = lambda: None

    def began(self, method: str) -> None:
        """A call began."""
        self._running.labels(method).inc()

    def ended(self, method: str, code: str, seconds: float, work: float) -> None:
        """It ended."""
        self._work.labels(method).inc(work)
        self._running.labels(method).dec()
        self._calls.labels(method, code).inc()
        if method != WATCH:  # a stream lasts as long as somebody listens
            self._seconds.labels(method).observe(seconds)

    def refused(self, method: str) -> None:
        """It never began, because its client has too many."""
        self._calls.labels(method, "RESOURCE_EXHAUSTED").inc()

    def follow(self, state: ServerState) -> None:
        """Show also how the server and its index are."""
        self.registry.register(_StateCollector(state))

    def show(self, host: str, port: int) -> str:
        """Serve them over HTTP at ``/metrics``; the address with the port that was taken."""
        try:
            server, thread = start_http_server(port, host, registry=self.registry)
        except OSError as error:
            raise WeftError(f"{host}:{port}: cannot show metrics there: {error.strerror or error}") from error

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        self._close = close
        return f"{host}:{server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


@dataclass(frozen=True, slots=True)
class ServerState:
    """What is asked for when somebody looks; from another thread than that of the server."""

    readiness: Callable[[], Readiness]
    log_position: Callable[[], int]
    waiting: Callable[[], Mapping[str, int]]
    """Calls by queue."""
    wal_bytes: Callable[[], int]
    last_ingest: Callable[[], float | None]
    """In seconds since 1970; None: not known."""
    policies: PolicyWatcher


class _StateCollector(Collector):
    """How the server and its index are."""

    def __init__(self, state: ServerState) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """All the gauges."""
        state, found = self._state, self._state.readiness()
        condition, policies, ingest = found.condition, state.policies, state.last_ingest()
        position = max(condition.log_position, state.log_position()) if condition else state.log_position()
        yield GaugeMetricFamily("weft_ready", "1 if calls are answered as they should be, else 0.", found.is_ready)
        yield GaugeMetricFamily("weft_log_position", "The end of the log.", position)
        view = condition.log_position - condition.view_position if condition else math.nan
        search = condition.log_position - condition.search_position if condition else math.nan
        yield GaugeMetricFamily("weft_view_lag_claims", "Claims in the log that the view has not seen.", view)
        yield GaugeMetricFamily("weft_search_lag_claims", "Claims in the log that search does not find yet.", search)
        yield GaugeMetricFamily("weft_search_lag_seconds", "For how long search has been behind.", found.search_lag)
        yield GaugeMetricFamily("weft_wal_bytes", "The write-ahead log of the index.", state.wal_bytes())
        yield GaugeMetricFamily(
            "weft_last_ingest_timestamp_seconds", "When an ingest came to its end last; NaN: not known.",
            math.nan if ingest is None else ingest,
        )  # fmt: skip
        yield GaugeMetricFamily(
            "weft_policy_last_load_successful", "1 if all goes by the policy that was read last, else 0.",
            not policies.last_load.error,
        )  # fmt: skip
        yield GaugeMetricFamily(
            "weft_policy_last_load_success_timestamp_seconds", "When the policy in force was read.",
            policies.last_good_load.time,
        )  # fmt: skip
        queues = GaugeMetricFamily(
            "weft_queue_calls", "Calls in a queue, those that are worked on too.", labels=["queue"]
        )
        for name, calls in sorted(state.waiting().items()):
            queues.add_metric([name], calls)
        yield queues
