"""What a server counts, for Prometheus, on a port of its own.

The port serves nothing else and is opened only when it is asked for.  No label comes from a client: methods and
statuses are from short lists.  What is counted of the exchange stands in `weft.peering.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from weft import __version__
from weft.errors import WeftError
from weft.server.service import WATCH

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts calls (a `weft.server.service.CallMeter`) and shows them; a context manager that closes the port."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls = Counter("weft_calls", "Calls that ended.", ["method", "code"], registry=self.registry)
        self._running = Gauge("weft_calls_running", "Calls in flight.", ["method"], registry=self.registry)
        self._seconds = Histogram(
            "weft_call_seconds", "How long calls took.", ["method"], buckets=_BUCKETS, registry=self.registry
        )
        self._position = Gauge("weft_log_position", "The end of the log.", registry=self.registry)
        build = Gauge("weft_build", "Which release this is.", ["version"], registry=self.registry)
        build.labels(__version__).set(1)
        self._close: Callable[[], None] = lambda: None

    def began(self, method: str) -> None:
        """A call began."""
        self._running.labels(method).inc()

    def ended(self, method: str, code: str, seconds: float) -> None:
        """It ended."""
        self._running.labels(method).dec()
        self._calls.labels(method, code).inc()
        if method != WATCH:  # a stream lasts as long as somebody listens
            self._seconds.labels(method).observe(seconds)

    def refused(self, method: str) -> None:
        """It never began, because its client has too many."""
        self._calls.labels(method, "RESOURCE_EXHAUSTED").inc()

    def show(self, host: str, port: int, position: Callable[[], int]) -> str:
        """Serve them over HTTP at ``/metrics``; the address with the port that was taken."""
        self._position.set_function(position)
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
