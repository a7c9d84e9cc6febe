"""The steps of a run as Airflow tasks, and the DAG they stand in. DAG files say when and in which order; this says how.

Parsing a DAG file imports no engine, no database driver and no step: those wait until a task runs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import (
    DAG,
    Asset,
    AssetAlias,
    AssetOrTimeSchedule,
    BaseOperator,
    CronPartitionTimetable,
    CronTriggerTimetable,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    TaskGroup,
)
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowSkipException

from shopmill import datasets
from shopmill.airflow import metrics
from shopmill.airflow.lineage_hook import lineage_of
from shopmill.airflow.notifications import announce_failure, announce_late, announce_success, note_failure
from shopmill.declaration import Dataset, Parameter
from shopmill.settings import load_settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from shopmill.run.run import Run

AS_OF = (
    "{{ params.as_of or partition_key or announced_as_of(triggering_asset_events) "
    "or shop_day(dag_run.logical_date or dag_run.run_after) }}"
)
JSON_TYPES = {"integer": "integer", "decimal": "number", "text": "string", "boolean": "boolean"}
OURS = {"as_of", "refresh"}
SOURCE_POOL = "shopmill_source"
"""Bounds how many tasks read the shop's database at once; `shopmill airflow-setup` makes it."""


# Airflow's own `False` still runs a DAG at once when its time was a short while ago.
NOT_AT_ONCE = timedelta(0)


def daily(clock: str) -> CronPartitionTimetable | None:
    """Every day at a time of the shop's day, such as `02:00`; the run's partition key is that day, its as_of."""
    return _partitioned(_at(clock), load_settings().time_zone, "%Y-%m-%d")


def daily_announcing(clock: str) -> CronTriggerTimetable | None:
    """As `daily`, for a dataset with announcements: its runs have no partition key, and their as_of is the shop's day.

    Airflow lets an event of a run with a partition key wake none but partitioned DAGs, and no weekly schedule is one.
    """
    return _unpartitioned(_at(clock))


def every_minutes(minutes: int) -> CronPartitionTimetable | None:
    """Every so many minutes; the run's partition key is that moment in UTC, its as_of."""
    return _partitioned(f"*/{minutes} * * * *", "UTC", "%Y-%m-%dT%H:%M:%SZ")


def weekly_or_announced(clock: str, asset: str) -> AssetOrTimeSchedule | list[Asset]:
    """Every Sunday at a time of the shop's day, and whenever another dataset announces `asset`."""
    weekly, announced = _unpartitioned(_at(clock, weekday="0")), [announced_asset(asset)]
    return AssetOrTimeSchedule(timetable=weekly, assets=announced) if weekly else announced


def _at(clock: str, weekday: str = "*") -> str:
    hour, minute = clock.split(":")
    return f"{minute} {hour} * * {weekday}"


def _partitioned(cron: str, zone: str, key_format: str) -> CronPartitionTimetable | None:
    if not load_settings().schedules:
        return None
    return CronPartitionTimetable(cron, timezone=zone, key_format=key_format, run_immediately=NOT_AT_ONCE)


def _unpartitioned(cron: str) -> CronTriggerTimetable | None:
    settings = load_settings()
    if not settings.schedules:
        return None
    return CronTriggerTimetable(cron, timezone=settings.time_zone, run_immediately=NOT_AT_ONCE)


def announced_as_of(events: Mapping[Any, Any]) -> str | None:
    """The newest as_of of the asset events that woke a run; None for a run that no event woke."""
    from shopmill.asof import AsOf

    zone = load_settings().zone
    told = [event.extra["as_of"] for of_asset in events.values() for event in of_asset if "as_of" in event.extra]
    return max(AsOf.parse(label, zone) for label in told).label if told else None


def shop_day(moment: datetime) -> str:
    """The shop's day on which a moment falls."""
    return str(moment.astimezone(load_settings().zone).date())


def dataset_asset(name: str) -> Asset:
    """The asset that stands for a dataset; its events carry as_of, version and rows."""
    return Asset(name=name, uri=f"shopmill://datasets/{name}", group="shopmill")


def announced_asset(name: str) -> Asset:
    """The asset of a dataset's announcement: its events come only when there is something to do for those who wait."""
    return Asset(name=name, uri=f"shopmill://announcements/{name}", group="shopmill")


def dataset_dag(name: str, schedule: Any, priority: int = 1) -> DAG:
    """The DAG of a dataset: its documentation, parameters and owner come from the declaration.

    Where tasks wait for a worker or for the pool, those of a higher priority go first.
    """
    declared = datasets.load(name)
    return DAG(
        dag_id=name,
        schedule=schedule,
        dag_display_name=declared.title,
        description=declared.documentation.strip().splitlines()[0],
        doc_md=declared.documentation,
        params=_params(declared),
        tags={"shopmill", declared.owner},
        catchup=False,
        max_active_runs=1,
        on_failure_callback=announce_failure,
        deadline=in_time(declared.promise.within),
        render_template_as_native_obj=False,
        user_defined_macros={"announced_as_of": announced_as_of, "shop_day": shop_day},
        default_args={
            "owner": declared.owner,
            "priority_weight": priority,
            "weight_rule": "absolute",
            "retries": 3,
            "retry_delay": timedelta(seconds=30),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=10),
            "retry_policy": ExceptionRetryPolicy(
                [RetryRule("shopmill.errors.PermanentError", RetryAction.FAIL, reason="Trying again cannot mend this.")]
            ),
            "on_failure_callback": note_failure,
        },
    )


def in_time(within: timedelta) -> DeadlineAlert:
    """People are told when a run has not ended this time after it was queued."""
    return DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, within, AsyncCallback(announce_late), name="promise")


def _params(declared: Dataset) -> dict[str, Param]:
    as_of = Param(None, type=["null", "string"], description="the moment to run for; default: the partition's day")
    refresh = Param(False, type="boolean", description="read the source again although this as_of was read before")
    return {
        "as_of": as_of,
        "refresh": refresh,
        **{p.name: _param(p) for p in declared.all_parameters},
    }


def _param(parameter: Parameter) -> Param:
    default = float(parameter.default) if parameter.type == "decimal" else parameter.default
    limits: dict[str, Any] = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return Param(default, type=JSON_TYPES[parameter.type], description=parameter.meaning, **given)


class StepOperator(BaseOperator):
    """A step of a run. What it worked on (as_of, parameters, SQL) is shown in the task's rendered templates."""

    template_fields: Sequence[str] = ("as_of", "parameters", "sql")
    template_fields_renderers: ClassVar[dict[str, str]] = {"parameters": "json", "sql": "sql"}
    overwrite_rtif_after_execution = True
    ui_color = "#e8f0e4"

    def __init__(self, *, step: str, part: str = "", **kwargs: Any):
        super().__init__(**kwargs)
        self.step, self.part = step, part
        self.as_of = AS_OF
        self.parameters: Mapping[str, Any] = {}
        self.sql = ""
        self.lineage: Any = None

    def execute(self, context: "Context") -> Any:
        """Does the step and returns its summary, a few numbers."""
        run = self._run(context)
        steps = {"extract": self._extract, "transform": self._transform, "check": self._check, "publish": self._publish}
        self._wait_for_turn(run, context)
        summary: dict[str, Any] = {}
        try:
            with metrics.timed(run, self.task_id):
                summary = steps.get(self.step, self._plain)(run, context)
        finally:
            self.lineage = lineage_of(self.step, self.part, run, summary, self.sql)
        return summary

    def _wait_for_turn(self, run: "Run", context: "Context") -> None:
        if self.step == "transform" and self.part == run.dataset.tasks[0].name:
            from shopmill.airflow.turns import wait_for_turn

            wait_for_turn(run, context["ti"])

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """What the step read and wrote, for Airflow's OpenLineage provider.

        It asks in a fork of the task, where the threads that read the store are missing: so it is known by then.
        """
        return self.lineage

    def _run(self, context: "Context") -> "Run":
        from shopmill.airflow.connections import airflow_settings
        from shopmill.run.run import Run

        task, params = context["ti"], context["params"]
        self.parameters = {name: value for name, value in params.items() if name not in OURS}
        return Run.create(
            self.dag_id,
            self.as_of,
            airflow_settings(),
            self.parameters,
            run_id=f"{self.dag_id}.{task.run_id}",
            orchestrator={"dag_id": self.dag_id, "dag_run_id": task.run_id, "try_number": task.try_number},
            refresh=bool(params["refresh"]),
        )

    def _extract(self, run: "Run", context: "Context") -> dict[str, Any]:
        from shopmill.run import steps

        from_source: Counter[str] = Counter()
        rows = steps.extract(run, self.part, lambda table, count: from_source.update({table: count}))
        metrics.tell(run, metrics.read(rows, from_source))
        if steps.already_made(run):
            metrics.tell(run, metrics.published(run))
            announce_success(context, {**run.versions.need(run.as_of).summary, "status": "unchanged"})
            raise AirflowSkipException(f"{run.dataset.name} as of {run.as_of.label} was made of the same before.")
        return rows

    def _transform(self, run: "Run", _: "Context") -> dict[str, Any]:
        from shopmill.run import steps

        statements: list[str] = []
        try:
            summary = steps.transform(run, self.part, lambda table, sql: statements.append(f"-- {table}\n{sql};\n"))
        finally:
            self.sql = "\n".join(statements)
        metrics.tell(run, metrics.computed(run, self.task_id, summary))
        return summary

    def _check(self, run: "Run", context: "Context") -> dict[str, Any]:
        try:
            return self._plain(run, context)
        finally:
            metrics.tell(run, metrics.checked(run))

    def _publish(self, run: "Run", context: "Context") -> dict[str, Any]:
        summary = self._plain(run, context)
        metrics.tell(run, metrics.published(run))
        events = context["outlet_events"]
        for outlet in self.outlets:
            told = {name: summary[name] for name in ("as_of", "version", "rows")}
            if isinstance(outlet, Asset):
                events[outlet].extra = told
            elif changes := summary["announced"].get(outlet.name):
                events[outlet].add(announced_asset(outlet.name), extra={**told, "changes": changes})
        return summary

    def _plain(self, run: "Run", _: "Context") -> dict[str, Any]:
        from shopmill.run import steps

        summary: dict[str, Any] = getattr(steps, self.step)(run)
        return summary


class NotifyOperator(BaseOperator):
    """Tells people that a version was published. Failures are told by the failed task's own callback."""

    def execute(self, context: "Context") -> None:
        """Announces what the register step returned."""
        announce_success(context, context["ti"].xcom_pull(task_ids="register_metadata"))
        if started := context["dag_run"].start_date:
            metrics.send(self.dag_id, "run_duration_seconds", (datetime.now(UTC) - started).total_seconds())


def extract(name: str = "extract") -> StepOperator:
    """Brings the source tables of one extract task of the dataset into the store."""
    return StepOperator(step="extract", part=name, task_id=name, pool=SOURCE_POOL)


def transform(name: str = "transform") -> StepOperator:
    """Computes the tables of one transform task of the dataset."""
    return StepOperator(step="transform", part=name, task_id=name)


def embed(name: str) -> StepOperator | TaskGroup:
    """As `transform`, for a task whose tables have embeddings: where the settings say so, pods encode its texts first."""
    if load_settings().encoder_place == "worker":
        return transform(name)
    from shopmill.airflow.pods import embed_in_pods  # Airflow's Kubernetes operator takes seconds to import

    return embed_in_pods(name)


def quality_check() -> StepOperator:
    """Runs the dataset's checks; nothing is published when one of severity error fails."""
    return StepOperator(step="check", task_id="quality_check")


def save_artifact(dataset: str) -> StepOperator:
    """Publishes the version: an asset event for it, and one for each announcement of the dataset that is due."""
    due = [AssetAlias(name=announced.asset, group="shopmill") for announced in datasets.load(dataset).announcements]
    return StepOperator(step="publish", task_id="save_artifact", outlets=[dataset_asset(dataset), *due])


def register_metadata() -> StepOperator:
    """Finishes the run's row in etl_runs."""
    return StepOperator(step="register", task_id="register_metadata")


def notify() -> NotifyOperator:
    """Tells Slack and e-mail, where their connections exist."""
    return NotifyOperator(task_id="notify")
