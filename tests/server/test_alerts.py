"""The rules for Prometheus and the dashboard for Grafana that are beside the documentation."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")

from prometheus_client import generate_latest

from tests.documented_examples import DOCS
from tests.documented_facts import registry_of_all, stated_metrics

ALERTS, DASHBOARD = (DOCS / "examples" / name for name in ("weft-alerts.yaml", "weft-dashboard.json"))
with_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here (Debian: prometheus)")


@pytest.mark.parametrize("path", [ALERTS, DASHBOARD], ids=lambda path: path.name)
def test_they_name_metrics_and_labels_that_a_server_shows(path: Path) -> None:
    shown = set(re.findall(r"^# TYPE (weft_\w+) ", generate_latest(registry_of_all()).decode(), re.MULTILINE))
    named = {name.removesuffix("_bucket") for name in re.findall(r"\bweft_\w+", path.read_text())}
    assert len(named) > 10
    assert named <= shown
    labels = {match for row in stated_metrics() for match in re.findall(r"`(\w+)`", row.split("|")[3])}
    used = set(re.findall(r'[{,] ?(\w+)(?:=~|!=|=)\\?"', path.read_text()))
    assert used - {"instance", "job"} <= labels


def test_each_metric_of_an_alert_is_on_the_dashboard_or_known_by_its_own_alert() -> None:
    alerts, panels = (set(re.findall(r"\bweft_\w+", path.read_text())) for path in (ALERTS, DASHBOARD))
    assert alerts - panels == {"weft_search_lag_seconds", "weft_exchange_refused_claims_total"}


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    found = json.loads(DASHBOARD.read_text())
    panels = found["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels) > 10
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert all(panel["title"] and all(target["expr"] for target in panel["targets"]) for panel in panels)


@with_promtool
def test_promtool_takes_the_alerts() -> None:
    done = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def alert(series: str, values: str, name: str, minutes: int, *fires: dict[str, str]) -> dict[str, object]:
    """A test for promtool: the alerts that fire after some minutes, as labels and the summary."""
    expected = [
        {
            "exp_labels": {key: one[key] for key in one if key != "summary"},
            "exp_annotations": {"summary": one["summary"]},
        }
        for one in fires
    ]
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values}],
        "alert_rule_test": [{"alertname": name, "eval_time": f"{minutes}m", "exp_alerts": expected}],
    }


@with_promtool
def test_the_alerts_fire_when_they_should_and_not_else(tmp_path: Path) -> None:
    ready, since = 'weft_ready{instance="a"}', 'weft_exchange_since_sync_seconds{instance="a",peer="far"}'
    sessions = 'weft_exchange_sessions_total{instance="a",outcome="lost",peer="far",role="caller"}'
    ingest = 'weft_last_ingest_timestamp_seconds{instance="a"}'
    not_ready = "a cannot answer as it should; its log and systemctl status weft say why"
    tests = [
        alert(ready, "1 1 1 1 1 1", "WeftNotReady", 5),
        alert(ready, "1 0 1 0 1 0", "WeftNotReady", 5),
        alert(ready, "1 0 0 0 0 0", "WeftNotReady", 5, {"instance": "a", "severity": "critical", "summary": not_ready}),
        alert(since, "0+60x60", "WeftPeerNotInSync", 60),
        alert(since, "7200x10", "WeftPeerNotInSync", 8,
              {"instance": "a", "peer": "far", "severity": "warning",
               "summary": "a and far are not in sync for 2h 0m 0s"}),
        alert(sessions, "0 1 1 1 1 1", "WeftSessionsFail", 5),
        alert(sessions, "0 3 6 9 9 9", "WeftSessionsFail", 5,
              {"instance": "a", "peer": "far", "outcome": "lost", "severity": "warning",
               "summary": "sessions of a with far end as lost"}),
        alert(ingest, "0x99", "WeftIngestStopped", 50),
        alert(ingest, "0x99", "WeftIngestStopped", 90,
              {"instance": "a", "severity": "warning", "summary": "the last ingest on a ended 1h 30m 0s ago"}),
    ]  # fmt: skip
    path = tmp_path / "tests.yaml"
    path.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": tests}))
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
