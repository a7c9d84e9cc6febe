"""The steps of a run as Airflow operators. What they call is imported when a task runs, not when a DAG file is parsed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from shopmill import datasets
from shopmill.airflow import metrics
from shopmill.airflow.assets import announced_asset
from shopmill.airflow.lineage_hook import lineage_of
from shopmill.airflow.notifications import announce_success
from shopmill.airflow.run_as_of import AS_OF
from shopmill.airflow.trigger_form import given_parameters
from shopmill.errors import said_in_a_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context

    from shopmill.declaration import Dataset
    from shopmill.run.published import Published
    from shopmill.run.run import Run
    from shopmill.run.steps import Checked, Outcome, Rows


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
        """Does the step and returns what came of it as JSON, a few numbers."""
        with said_in_a_sentence(f"{self.dag_id}, task {self.task_id},", but=(AirflowException,)):
            return self._timed(self._run(context), context)

    def _timed(self, run: "Run", context: "Context") -> Any:
        self._wait_for_turn(run, context)
        outcome: Outcome = None
        try:
            with metrics.timed(run, self.task_id):
                outcome = self._do(run, context)
        finally:
            self.lineage = lineage_of(self.step, self.part, run, outcome, self.sql)
        return outcome if isinstance(outcome, dict) else outcome.document()

    def _do(self, run: "Run", context: "Context") -> "Rows | Checked | Published":
        done: Rows | Checked | Published = getattr(self, f"_{self.step}")(run, context)
        return done

    def _wait_for_turn(self, run: "Run", context: "Context") -> None:
        if self._is_first_transform(run):
            from shopmill.airflow.turns import wait_for_turn

            wait_for_turn(run, context["ti"])

    def _is_first_transform(self, run: "Run") -> bool:
        return self.step == "transform" and self.part == run.dataset.tasks[0].name

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
            was_accepted=not self._is_first(),
        )

    def _is_first(self) -> bool:
        """Whether it is the task with which a run begins."""
        return self.step == "extract" and self.part not in list(datasets.load(self.dag_id).extracts)[1:]

    def _extract(self, run: "Run", _: "Context") -> "Rows":
        from shopmill.run import steps

        if self._is_first():
            self._refuse_faults(run.dataset)
        from_source: Counter[str] = Counter()
        rows = steps.extract(run, self.part, lambda table, count: from_source.update({table: count}))
        metrics.report(run, metrics.read(rows, from_source))
        return rows

    def _refuse_faults(self, dataset: "Dataset") -> None:
        """Once in a run, in its first task: InvalidInputError where the declaration, its SQL or this DAG disagree."""
        from shopmill.datasets.dag_file import DagTasks
        from shopmill.datasets.faults import refuse_faults

        tasks = [(task.step, task.part) for task in self.dag.tasks if isinstance(task, StepOperator)]
        extracts, transforms = (tuple(p for s, p in tasks if s == step) for step in ("extract", "transform"))
        refuse_faults(dataset, DagTasks(f"The DAG {self.dag_id}", self.dag_id, extracts, transforms))

    def _skip_if_unchanged(self, run: "Run", context: "Context") -> None:
        """Ends the run where the version is there already and would come out the same: the tasks that follow are skipped."""
        from shopmill.run import steps

        if made := steps.already_made(run):
            metrics.report(run, metrics.published(run))
            announce_success(context, made)
            raise AirflowSkipException(
                f"{run.dataset.name} as of {run.as_of.label}: unchanged. Inputs, parameters, code and software are those "
                f"of version {made.version}."
            )

    def _transform(self, run: "Run", context: "Context") -> "Rows":
        from shopmill.run import steps

        if self._is_first_transform(run):
            self._skip_if_unchanged(run, context)
        statements: list[str] = []
        try:
            rows = steps.transform(run, self.part, lambda table, sql: statements.append(f"-- {table}\n{sql};\n"))
        finally:
            self.sql = "\n".join(statements)
        metrics.report(run, metrics.computed(run, self.task_id, rows))
        return rows

    def _check(self, run: "Run", _: "Context") -> "Checked":
        from shopmill.run import steps

        try:
            return steps.check(run)
        finally:
            metrics.report(run, metrics.checked(run))

    def _publish(self, run: "Run", context: "Context") -> "Published":
        from shopmill.run import steps

        published = steps.publish(run)
        metrics.report(run, metrics.published(run))
        events = context["outlet_events"]
        extra: dict[str, Any] = {"as_of": published.as_of, "version": published.version, "rows": published.rows}
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                events[outlet].extra = extra
            elif changes := published.announced.get(outlet.name):
                events[outlet].add(announced_asset(outlet.name), extra={**extra, "changes": changes})
        return published

    def _register(self, run: "Run", _: "Context") -> "Published":
        from shopmill.run import steps

        return steps.register(run)


class NotifyOperator(BaseOperator):
    """Notifies people that a version was published. Failures are reported by the failed task's own callback."""

    def execute(self, context: "Context") -> None:
        """Announces what the register step returned."""
        from shopmill.run.published import Published

        announce_success(context, Published.from_document(context["ti"].xcom_pull(task_ids="register_metadata")))
        if started := context["dag_run"].start_date:
            metrics.send(self.dag_id, "run_duration_seconds", (datetime.now(UTC) - started).total_seconds())
