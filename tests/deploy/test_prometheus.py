"""Each alert caused, delivered and resolved: from a task's metric through Prometheus and Alertmanager to people."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from monitoring import DEPLOY, Monitoring, monitoring, wait_until

from shopmill.airflow.metrics import METRICS

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (make services)")

CRITICAL, WARNING = "slack-and-mail", "slack"
USUAL = {"rows": 1000, "rejected_rows": 5, "run_duration_seconds": 100, "failures_in_a_row": 0}
CAUSES = {
    ("ShopmillFailing", "failing", CRITICAL): ("failures_in_a_row", 2),
    ("ShopmillRowsCollapsed", "collapsed", WARNING): ("rows", 600),
    ("ShopmillRejectsRising", "rejecting", WARNING): ("rejected_rows", 50),
    ("ShopmillSlow", "slow", WARNING): ("run_duration_seconds", 300),
}
DATASETS = [*(dataset for _, dataset, _ in CAUSES), "stale", "broken", "quiet"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    with monitoring(tmp_path_factory.mktemp("monitoring")) as whole:
        for dataset in DATASETS:
            as_usual(whole, dataset)
        for metric in METRICS:
            labels = dict.fromkeys(metric.labels, "x")
            for source in ("cached", "encoded") if "source" in labels else ("x",):
                labels |= {"source": source} if "source" in labels else {}
                whole.emit("quiet", metric.name, USUAL.get(metric.name, 7), **labels)
        as_usual(whole, "quiet")
        yield whole


def as_usual(running: Monitoring, dataset: str) -> None:
    running.emit(dataset, "promised_age_seconds", 3600)
    running.emit(dataset, "as_of_timestamp_seconds", int(time.time()))
    for name, value in USUAL.items():
        running.emit(dataset, name, value, **({"table": "x"} if name == "rows" else {}))


def heard(running: Monitoring, status: str) -> set[tuple[str, str, str]]:
    """What people have been told is firing, or resolved: alert, dataset, receiver."""
    return {(alert, dataset, receiver) for receiver, alert, dataset, what in running.sink.told if what == status}


def test_the_files_are_what_their_programs_accept() -> None:
    for command in (
        ["promtool", "check", "config", "prometheus/prometheus.yml"],
        ["promtool", "test", "rules", "prometheus/rules_test.yml"],
        ["amtool", "check-config", "prometheus/alertmanager.yml"],
    ):
        done = subprocess.run(command, cwd=DEPLOY, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_delivered_and_resolved(running: Monitoring) -> None:
    told = running.sink.told
    wait_until(lambda: len(running.query("shopmill_rows")) == len(DATASETS))
    wait_until(lambda: int(running.query('count_over_time(shopmill_rows{dataset="slow"}[2m])')[0]["value"][1]) >= 12)
    assert told == [], "nothing is wrong yet"

    for (_, dataset, _), (name, value) in CAUSES.items():
        running.emit(dataset, name, value, **({"table": "x"} if name == "rows" else {}))
    running.emit("stale", "as_of_timestamp_seconds", int(time.time()) - 7200)
    running.emit("broken", "failures_in_a_row", 1)
    caused = {*CAUSES, ("ShopmillStale", "stale", CRITICAL), ("ShopmillFailing", "broken", CRITICAL)}
    wait_until(lambda: heard(running, "firing") == caused)
    running.emit("broken", "as_of_timestamp_seconds", int(time.time()) - 7200)
    wait_until(lambda: running.query('ALERTS{alertname="ShopmillStale", dataset="broken"}'))
    assert ("ShopmillStale", "broken", CRITICAL) not in heard(running, "firing"), (
        "a failing dataset is not told as stale too"
    )

    for dataset in DATASETS:
        as_usual(running, dataset)
    wait_until(lambda: heard(running, "resolved") >= caused)
    assert "quiet" not in {dataset for _, _, dataset, _ in told}


def test_the_age_grows_while_nothing_runs(running: Monitoring) -> None:
    def age() -> float:
        return float(running.query('shopmill:age_seconds{dataset="quiet"}')[0]["value"][1])

    wait_until(lambda: running.query('shopmill:age_seconds{dataset="quiet"}'))
    before = age()
    wait_until(lambda: age() > before + 1)


def test_every_panel_of_the_dashboard_shows_data(running: Monitoring) -> None:
    panels = json.loads((DEPLOY / "grafana/dashboards/shopmill.json").read_text())["panels"]
    expressions = [target["expr"].replace("$dataset", ".+") for panel in panels for target in panel["targets"]]
    for expression in (text for text in expressions if "ALERTS" not in text):
        wait_until(lambda text=expression: running.query(text))  # type: ignore[misc]
    [alerts] = [text for text in expressions if "ALERTS" in text]
    assert running.query(alerts.replace("}", "}[10m]").join(("last_over_time(", ")"))), "the alerts of the test before"
    shown = " ".join(expressions)
    assert {metric.name for metric in METRICS if f"shopmill_{metric.name}" not in shown} == {"as_of_timestamp_seconds"}


def test_silence_is_an_alert_too(running: Monitoring) -> None:
    missing = (CRITICAL, "ShopmillMetricsMissing", "")
    running.exporter.is_down = True
    wait_until(lambda: (*missing, "firing") in running.sink.told)
    running.exporter.is_down = False
    wait_until(lambda: (*missing, "resolved") in running.sink.told)
