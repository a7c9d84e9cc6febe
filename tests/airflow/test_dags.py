"""Every file in dags/: parses without a connection or a heavy import, in the order that its dataset declares."""

import json
import os
import re
import runpy
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DAGS = sorted((Path(__file__).parents[2] / "dags").glob("*.py"))
HEAVY = [
    "duckdb",
    "pyspark",
    "adbc_driver_postgresql",
    "pyarrow",
    "sqlglot",
    "onnxruntime",
    "pandas",
    "obstore",
    "kubernetes",
    "boto3",
    "requests",
]
PARSE = """
import json, runpy, sys

def refuse(event, arguments):
    if event == "socket.connect":
        raise RuntimeError(f"a connection at parse: {arguments}")

import airflow.sdk
sys.addaudithook(refuse)
dag = runpy.run_path(sys.argv[1])["dag"]
dag.validate()
print(json.dumps({
    "dag_id": dag.dag_id,
    "heavy": [name for name in json.loads(sys.argv[2]) if name in sys.modules],
    "upstream": {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks},
    "tasks": {task.task_id: {"owner": task.owner, "retries": task.retries, "retry_policy": bool(task.retry_policy),
              "hours": task.execution_timeout.total_seconds() / 3600,
              "outlets": [outlet.name for outlet in task.outlets]} for task in dag.tasks},
    "doc": dag.doc_md, "tags": sorted(dag.tags), "catchup": dag.catchup, "max_active_runs": dag.max_active_runs,
    "params": sorted(dag.params), "schedule": str(dag.timetable.summary if hasattr(dag.timetable, "summary") else dag.timetable),
}))
"""


@pytest.fixture(params=DAGS, ids=lambda path: path.stem, scope="module")
def parsed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path_factory.mktemp("home"))}
    environment |= {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "-c", PARSE, str(request.param), json.dumps(HEAVY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_there_is_a_dag_for_every_dataset() -> None:
    assert [path.stem for path in DAGS] == list(datasets.names())


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_the_promise_says_how_far_apart_the_as_ofs_of_the_schedule_are(path: Path) -> None:
    [(schedule, minutes)] = re.findall(r"schedule=(daily|every_minutes|weekly)\w*\((\d*)", path.read_text())
    every = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}.get(schedule) or timedelta(minutes=int(minutes))
    assert datasets.load(path.stem).promise.every == every


def test_nothing_heavy_is_imported_at_parse(parsed: dict[str, Any]) -> None:
    asked = ["boto3", "requests"] if parsed["dag_id"] == "articles_embeddings" else []  # see assets.announced_asset
    assert parsed["heavy"] == asked


def test_the_tasks_are_those_of_the_dataset(parsed: dict[str, Any]) -> None:
    declared = datasets.load(parsed["dag_id"])
    computing = {*declared.extracts, *(task.name for task in declared.tasks)}
    ending = {"quality_check", "save_artifact", "register_metadata", "notify"}
    assert set(parsed["tasks"]) == computing | ending


def test_nothing_is_published_before_the_checks_and_all_the_computing(parsed: dict[str, Any]) -> None:
    before = _ancestors(parsed["upstream"], "save_artifact")
    after = {"save_artifact", "register_metadata", "notify"}
    assert before == set(parsed["tasks"]) - after
    assert _ancestors(parsed["upstream"], "quality_check") == before - {"quality_check"}
    publishing = [name for name, task in parsed["tasks"].items() if parsed["dag_id"] in task["outlets"]]
    assert publishing == ["save_artifact"]


def test_transform_tasks_run_in_the_order_of_the_declaration(parsed: dict[str, Any]) -> None:
    declared = datasets.load(parsed["dag_id"])
    seen = set(declared.extracts)
    for task in declared.tasks:
        assert seen <= _ancestors(parsed["upstream"], task.name)
        seen.add(task.name)


def test_runs_are_single_retried_and_documented(parsed: dict[str, Any]) -> None:
    declared = datasets.load(parsed["dag_id"])
    assert (parsed["catchup"], parsed["max_active_runs"]) == (False, 1)
    assert parsed["doc"] == declared.documentation
    assert {"shopmill", declared.owner} <= set(parsed["tags"])
    assert {"as_of", "refresh", *(parameter.name for parameter in declared.parameters)} <= set(parsed["params"])
    for task in parsed["tasks"].values():
        assert (task["owner"], task["retries"], task["retry_policy"], task["hours"]) == (declared.owner, 3, True, 6)


def test_who_runs_airflow_may_set_another_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from shopmill.airflow.dag import longest_task

    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TASK_EXECUTION_TIMEOUT", "7200")
    assert longest_task() == timedelta(hours=2)


def test_the_row_of_a_task_that_took_too_long_is_closed(settings: Settings) -> None:
    """Airflow raises this in the task when its time is over: it is no ordinary exception."""
    from airflow.sdk.exceptions import AirflowTaskTimeout

    run = Run.create(datasets.load("timeseries"), "2020-09-23", settings)
    with pytest.raises(AirflowTaskTimeout), steps.recorded(run, "extract", begins=True):
        raise AirflowTaskTimeout("Timeout, PID: 1")
    [row] = run.registry.runs("timeseries", 1)
    assert (row["status"], "Timeout" in row["error"]) == ("failed", True)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            'transform("transfrom")',
            "The DAG user_item_interactions has the transform task 'transfrom', which .* Did you",
        ),
        ('extract("other")', "The DAG user_item_interactions has the extract task 'other', which"),
    ],
)
def test_the_first_task_refuses_a_dag_that_is_not_the_declarations(tmp_path: Path, wrong: str, told: str) -> None:
    [source] = [path for path in DAGS if path.stem == "user_item_interactions"]
    right = wrong.partition("(")[0]
    (tmp_path / source.name).write_text(source.read_text().replace(f'{right}("{right}")', wrong))
    first = next(task for task in runpy.run_path(str(tmp_path / source.name))["dag"].tasks if task.step == "extract")
    with pytest.raises(InvalidInputError, match=told):
        first._refuse_faults(datasets.load("user_item_interactions"))
    runpy.run_path(str(source))["dag"].get_task("extract")._refuse_faults(datasets.load("user_item_interactions"))


def test_without_schedules_only_people_and_events_start_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.timetables.base import TimeRestriction

    from shopmill.airflow.dags import daily, daily_announcing, every_minutes, weekly_or_announced

    monkeypatch.setenv("SHOPMILL_SCHEDULES", "false")
    nothing_yet = TimeRestriction(earliest=None, latest=None, catchup=False)
    for schedule in (daily("02:00"), daily_announcing("03:00"), every_minutes(15)):
        assert schedule.next_dagrun_info_v2(last_dagrun_info=None, restriction=nothing_yet) is None
        assert schedule.summary.endswith(" (off)")
        assert type(schedule).deserialize(schedule.serialize()).summary == schedule.summary
    assert [asset.name for asset in weekly_or_announced("04:00", "articles_texts")] == ["articles_texts"]


def test_without_schedules_a_backfill_has_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from pendulum import datetime

    monkeypatch.setenv("SHOPMILL_SCHEDULES", "false")
    for name in ("user_item_interactions", "articles_content"):
        [source] = [path for path in DAGS if path.stem == name]
        dag = DagSerialization.from_dict(DagSerialization.to_dict(runpy.run_path(str(source))["dag"]))
        days = list(dag.iter_dagrun_infos_between(datetime(2017, 12, 1), datetime(2017, 12, 3, 23, 59)))
        assert dag.timetable.periodic
        assert [day.run_after.date().isoformat() for day in days] == ["2017-12-01", "2017-12-02", "2017-12-03"]


def test_a_clock_that_has_just_struck_starts_nothing() -> None:
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.trigger import CronPartitionTimetable
    from pendulum import now

    from shopmill.airflow.schedules import NOT_AT_ONCE

    at = now("UTC").subtract(minutes=2)
    clock = CronPartitionTimetable(f"{at.minute} {at.hour} * * *", timezone="UTC", run_immediately=NOT_AT_ONCE)
    nothing_yet = TimeRestriction(earliest=None, latest=None, catchup=False)
    found = clock.next_dagrun_info_v2(last_dagrun_info=None, restriction=nothing_yet)
    assert found is not None
    assert found.run_after is not None
    assert found.run_after > now("UTC")


def _ancestors(upstream: dict[str, list[str]], task: str) -> set[str]:
    direct = set(upstream[task])
    return direct.union(*(_ancestors(upstream, name) for name in direct)) if direct else direct
