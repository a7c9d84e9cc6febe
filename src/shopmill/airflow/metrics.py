"""What runs report through Airflow's own metrics channel: gauges of the newest run of each dataset.

Gauges only: tasks are processes that live for seconds, so a counter would start at 0 in each of them. A run for an as_of
before the current version's, such as a backfill's, reports nothing: its figures are not of the newest run. No metric fails a run.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shopmill.asof import AsOf

if TYPE_CHECKING:
    from shopmill.run.checks import Result
    from shopmill.run.run import Run

log = logging.getLogger(__name__)
Gauge = tuple[str, float, Mapping[str, str]]
"""Name, value, and the labels beside `dataset`."""


@dataclass(frozen=True)
class Metric:
    """A gauge of the label `dataset` and `labels`; its name ends in its unit, where it has one."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("as_of_timestamp_seconds", "as_of of the current version, as Unix time: its age is time() minus this"),
    Metric("promised_age_seconds", "how old that as_of may become, as the dataset declares it"),
    Metric("run_duration_seconds", "the last run that published, from its start to its end, waiting included"),
    Metric("step_duration_seconds", "the last time that a task succeeded, its last try alone", ("step",)),
    Metric("rows", "rows of a table as last computed, published or not", ("table",)),
    Metric("bytes", "size of the files of the current version"),
    Metric("input_rows", "rows of a source table or other dataset that the last run is made of", ("table",)),
    Metric("source_rows_read", "rows that the last run read from the shop's database itself", ("table",)),
    Metric("rejected_rows", "rows of the last run that could not be used"),
    Metric("checks", "checks of the last run by result: passed, warned, failed", ("result",)),
    Metric("texts", "texts of the last run by where their vectors came from: encoded, cached", ("step", "source")),
    Metric("late_events", "events that the previous version should have had, and that the last run found"),
    Metric("failures_in_a_row", "runs that failed since the last one that did not"),
)


def report(run: "Run", gauges: Iterable[Gauge]) -> None:
    """Sends the gauges of a run, unless a newer as_of is published. What goes wrong is a warning in the log."""
    try:
        if run.versions.is_newest(run.as_of):
            for name, value, labels in gauges:
                send(run.dataset.name, name, value, **labels)
    except Exception as error:
        log.warning("No metrics of %s: %s: %s", run.dataset.name, type(error).__name__, error)


def send(dataset: str, name: str, value: float, **labels: str) -> None:
    """Sends one gauge through the channel that Airflow is configured with; without one it goes nowhere."""
    from airflow.sdk.observability.stats import Stats

    Stats.gauge(f"shopmill.{name}", value, tags={"dataset": dataset, **labels})


@contextmanager
def timed(run: "Run", step: str) -> Iterator[None]:
    """Reports how long the block took when it succeeds."""
    started = time.monotonic()
    yield
    report(run, [("step_duration_seconds", round(time.monotonic() - started, 3), {"step": step})])


def read(rows: Mapping[str, int], from_source: Counter[str]) -> Iterator[Gauge]:
    """What an extract task brought: `rows` by table or other dataset, and how many of them it read itself."""
    for table, count in rows.items():
        yield "input_rows", count, {"table": table}
        yield "source_rows_read", from_source[table], {"table": table}


def computed(run: "Run", step: str, summary: Mapping[str, int]) -> Iterator[Gauge]:
    """What a transform task made: rows of the tables that a version has, and whence its vectors came."""
    for table in run.dataset.published:
        if table.name in summary:
            yield "rows", summary[table.name], {"table": table.name}
    for source in ("encoded", "cached"):
        if (count := summary.get(f"texts_{source}")) is not None:
            yield "texts", count, {"step": step, "source": source}


def checked(run: "Run") -> Iterator[Gauge]:
    """How the checks went, and what was counted beside them; nothing when they did not come to an end."""
    with suppress(FileNotFoundError):
        yield from _checked(run)


def _checked(run: "Run") -> Iterator[Gauge]:
    counts = run.staging.counts()
    results = Counter(_outcome(result) for result in run.staging.checks())
    for result in ("passed", "warned", "failed"):
        yield "checks", results[result], {"result": result}
    if run.dataset.can_reject:
        yield "rejected_rows", sum(account.rejected_rows for account in counts.accounts), {}
    for name, count in counts.measured.items():
        yield name, count, {}


def _outcome(result: "Result") -> str:
    return "passed" if result.passed else {"warn": "warned", "error": "failed"}[result.severity]


def published(run: "Run") -> Iterator[Gauge]:
    """The current version and the promise that it keeps or breaks as time goes by."""
    current = run.versions.need(None)
    yield "as_of_timestamp_seconds", AsOf.parse(current.as_of, run.settings.zone).instant.timestamp(), {}
    yield "promised_age_seconds", run.dataset.promise.age.total_seconds(), {}
    yield "bytes", current.summary.bytes, {}


def begin() -> None:
    """Opens Airflow's channel in a process that is no task, such as the dag-processor's, which calls back when a run fails."""
    from airflow.sdk.observability.metrics import stats_utils
    from airflow.sdk.observability.stats import Stats

    Stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
