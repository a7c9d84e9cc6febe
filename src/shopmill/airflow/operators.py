"""The steps of a run as Airflow operators. What they call is imported when a task runs, not when a DAG file is parsed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from shopmill import datasets
from shopmill.airflow import metrics
from shopmill.airflow.assets import announced_asset
from shopmill.airflow.lineage_hook import lineage_of
from shopmill.airflow.notifications import announce_success
from shopmill.airflow.run_as_of import AS_OF
from shopmill.airflow.trigger_form import given_parameters

if TYPE_CHECKING:
    from airflow.sdk import Context

    from shopmill.run.run import Run


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
        self.parameters = given_parameters(params)
        return Run.create(
            datasets.load(self.dag_id),
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
