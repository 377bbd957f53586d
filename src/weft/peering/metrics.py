"""What is counted of the exchange, for Prometheus.

No label comes from a peer: peers have the names that our policy gives them, or the beginning of their fingerprint if it
gives none; who has no row is ``unknown``; outcomes and reasons are from short lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from weft.exchange.events import SessionReport
from weft.peering.registry import Outcome, PeerStatus, Role

_FIELD = re.compile(r"claim refused: ([a-z_]+):")
_FIELDS = frozenset(
    [
        "archived_at",
        "author",
        "body",
        "date",
        "in_reply_to",
        "list",
        "message_id",
        "origin",
        "references",
        "sane",
        "subject",
        "target",
    ]
)
"""The fields of a claim, for which one may be refused."""
_OTHERS = {"schema": "schema", "bytes": "size", "not known here": "kind"}
"""What else a reason may say, and its label."""


class ExchangeMetrics:
    """Counts sessions (a `weft.peering.registry.SessionMeter`)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"weft_exchange_{name}", text, labels, registry=registry)

        self._sessions = counter("sessions", "Sessions and calls that are over.", "peer", "role", "outcome")
        self._bytes = counter("octets", "Bytes of frames.", "peer", "direction")
        self._claims = counter("claims", "Claims that were new here (in), or sent (out).", "peer", "direction")
        self._refused = counter("refused_claims", "Claims that were proved, but refused for what they say.", "reason")
        self._running = Gauge(
            "weft_exchange_sessions_running", "Sessions that run.", ["peer", "role"], registry=registry
        )

    def began(self, peer: str, role: Role) -> None:
        """A session began."""
        self._running.labels(peer, role).inc()

    def moved(self, peer: str, before: SessionReport, after: SessionReport) -> None:
        """It did so much."""
        self._bytes.labels(peer, "in").inc(after.bytes_received - before.bytes_received)
        self._bytes.labels(peer, "out").inc(after.bytes_sent - before.bytes_sent)
        self._claims.labels(peer, "in").inc(after.claims_received - before.claims_received)
        self._claims.labels(peer, "out").inc(after.claims_sent - before.claims_sent)
        for reason, count in after.refused.items():
            if more := count - before.refused.get(reason, 0):
                self._refused.labels(kind(reason)).inc(more)

    def ended(self, peer: str, role: Role) -> None:
        """It is over."""
        self._running.labels(peer, role).dec()

    def came_to(self, peer: str, role: Role, outcome: Outcome) -> None:
        """What came of it, or of the call that did not become one."""
        self._sessions.labels(peer, role, outcome).inc()

    def show(self, standings: Callable[[], list[PeerStatus]]) -> None:
        """Show also how we stand with each peer."""
        self._registry.register(_Standings(standings))


class _Standings(Collector):
    """How we stand with each peer, when somebody looks."""

    def __init__(self, standings: Callable[[], list[PeerStatus]]) -> None:
        self._standings = standings

    def collect(self) -> Iterable[Metric]:
        """The three gauges."""
        since = GaugeMetricFamily(
            "weft_exchange_since_sync_seconds", "Since both were last in sync; +Inf: never.", labels=["peer"]
        )
        lag = GaugeMetricFamily(
            "weft_exchange_lag_claims", "Claims in the log beyond what the peer was offered.", labels=["peer"]
        )
        age = GaugeMetricFamily("weft_exchange_key_age_seconds", "Age of the key of the pair.", labels=["peer"])
        for standing in self._standings():
            since.add_metric([standing.peer], standing.seconds)
            if standing.lag is not None:
                lag.add_metric([standing.peer], standing.lag)
            if standing.key_age is not None:
                age.add_metric([standing.peer], standing.key_age)
        return since, lag, age


def kind(reason: str) -> str:
    """The label for a reason, which may hold what a stranger wrote: a field of a claim, or one of a few words."""
    found = _FIELD.match(reason)
    if found:
        return found[1] if found[1] in _FIELDS else "other"
    return next((label for words, label in _OTHERS.items() if words in reason), "other")
