import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from pydantic import SecretStr

from shopmill import datasets
from shopmill.airflow import metrics
from shopmill.airflow.metrics import METRICS, Gauge
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

REPOSITORY = Path(__file__).parents[2]
EVENT = "insert into events values (%s, 's', 'c1', 'a1', 'view', null, %s)"
Sent = dict[tuple[str, ...], float]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    found: Sent = {}

    def send(dataset: str, name: str, value: float, **labels: str) -> None:
        found[(dataset, name, *labels.values())] = value

    monkeypatch.setattr(metrics, "send", send)
    return found


@pytest.fixture
def shop(new_shop: Callable[[], str], settings: Settings) -> Settings:
    dsn = new_shop()
    with psycopg.connect(dsn) as connection:
        for number in range(3):
            connection.execute(EVENT, (f"e{number}", f"2020-09-21 1{number}:00:00Z"))
    return settings.model_copy(update={"source_dsn": SecretStr(dsn)})


def run_of(shop: Settings, as_of: str) -> Run:
    return Run.create(datasets.load("events_and_funnels"), as_of, shop, {"max_row_drop": 1})


def until_checked(run: Run) -> None:
    steps.extract(run, "ingest")
    for task in run.dataset.tasks:
        steps.transform(run, task.name)
    steps.check(run)


def test_late_events_are_counted_and_the_past_is_no_news(shop: Settings, sent: Sent) -> None:
    earlier, later = run_of(shop, "2020-09-21T13:00:00Z"), run_of(shop, "2020-09-21T14:00:00Z")
    until_checked(earlier)
    metrics.report(earlier, metrics.checked(earlier))
    assert sent["events_and_funnels", "late_events"] == 0
    assert sent["events_and_funnels", "checks", "failed"] == 0
    steps.publish(earlier)
    steps.register(earlier)

    with psycopg.connect(shop.source_dsn.get_secret_value()) as connection:
        for number, at in ((7, "10:30"), (8, "12:50"), (9, "13:30")):
            connection.execute(EVENT, (f"e{number}", f"2020-09-21 {at}:00Z"))
    until_checked(later)
    metrics.report(later, metrics.checked(later))
    assert sent["events_and_funnels", "late_events"] == 2, "the third came in time"
    steps.publish(later)
    metrics.report(later, metrics.published(later))
    assert sent["events_and_funnels", "as_of_timestamp_seconds"] == later.as_of.instant.timestamp()

    sent.clear()
    metrics.report(earlier, metrics.published(earlier))
    assert sent == {}


def test_checks_that_did_not_end_tell_nothing(shop: Settings, sent: Sent) -> None:
    run = run_of(shop, "2020-09-21T13:00:00Z")
    metrics.report(run, metrics.checked(run))
    assert sent == {}


def test_a_metric_that_cannot_be_told_is_a_warning(
    shop: Settings, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Iterator[Gauge]:
        yield "bytes", 1, {}
        raise OSError("no route to the exporter")

    log = logging.getLogger("shopmill.airflow.metrics")
    log.addHandler(caplog.handler)
    metrics.report(run_of(shop, "2020-09-21T13:00:00Z"), broken())
    log.removeHandler(caplog.handler)
    assert "no route to the exporter" in caplog.text


def test_the_documentation_lists_every_metric_with_its_labels() -> None:
    text = (REPOSITORY / "docs/metrics.md").read_text()
    listed = re.findall(r"^\| `shopmill_(\w+)` \| [^|]* \| ([^|]*)\|", text, re.MULTILINE)
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in listed}
    assert told == {metric.name: metric.labels for metric in METRICS}


def test_what_datasets_measure_is_among_the_metrics() -> None:
    measures = {measure.name for name in datasets.names() for measure in datasets.load(name).measures}
    assert measures <= {metric.name for metric in METRICS}


def test_every_alert_has_its_runbook() -> None:
    rules = yaml.safe_load((REPOSITORY / "deploy/prometheus/rules.yml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    sections = re.findall(r"^### (\w+)$", (REPOSITORY / "docs/alerts.md").read_text(), re.MULTILINE)
    assert [alert["alert"] for alert in alerts] == sections
    for alert in alerts:
        assert alert["annotations"]["runbook"] == f"docs/alerts.md#{alert['alert'].lower()}"
