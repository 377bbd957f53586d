"""What tables of the reference must say: the values of limits, and the metrics that a server shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.documented_examples import DOCS
from weft.peering.metrics import ExchangeMetrics
from weft.policy.rules import Policy
from weft.server.health_monitor import Readiness
from weft.server.metrics import Metrics, ServerState
from weft.server.policy_watcher import PolicyWatcher

LIMITS = DOCS / "reference" / "limits.md"
METRICS = DOCS / "reference" / "metrics.md"
_LIMIT = re.compile(r"^\| .* \| (?P<number>[\d,]+)(?: (?P<unit>\w+))? \| `(?P<name>[\w.]+)` \|$", re.MULTILINE)
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "bytes": 1, "seconds": 1, None: 1}
_SUFFIXES = {"counter": "_total"}


def stated_limits() -> dict[str, int]:
    """The limits on their page, by the name of the constant."""
    rows = _LIMIT.finditer(LIMITS.read_text())
    return {row["name"]: int(row["number"].replace(",", "")) * _UNITS[row["unit"]] for row in rows}


def limit(name: str) -> float:
    """The value of a constant below ``weft``, or the default of a field of a class."""
    module, _, last = name.rpartition(".")
    owner = module.rpartition(".")[2]
    if owner[0].isupper():
        found = import_module(f"weft.{module.rpartition('.')[0]}")
        return float(getattr(found, owner).__dataclass_fields__[last].default)
    return float(getattr(import_module(f"weft.{module}"), last))


def metric_rows() -> list[str]:
    """The rows of the table of metrics, by name, as the code has them."""
    return sorted(_rows(registry_of_all()))


def registry_of_all() -> CollectorRegistry:
    """All metrics that a server shows, of a server that has done nothing yet."""
    metrics = Metrics()
    policies = PolicyWatcher(Path("config.toml"), Policy(None), None)
    metrics.follow(ServerState(Readiness, int, dict, int, lambda: None, policies))
    exchange = ExchangeMetrics(metrics.registry)
    exchange.show(list)
    return metrics.registry


def _rows(registry: CollectorRegistry) -> Iterator[str]:
    for collector in registry._collector_to_names:
        for family in collector.collect():
            if not family.name.startswith("weft_"):
                continue
            names: tuple[str, ...] = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
            name = family.name + _SUFFIXES.get(family.type, "")
            labels = ", ".join(f"`{label}`" for label in names)
            yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


def stated_metrics() -> list[str]:
    """The rows of the table of metrics on its page."""
    return [line for line in METRICS.read_text().splitlines() if line.startswith("| `weft_")]
