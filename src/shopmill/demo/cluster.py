"""The demo's cluster: what compose.yaml describes, as plain processes, one of which is lost in the middle of its work."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console

from shopmill.airflow.local.services import ObjectStore, Redis
from shopmill.airflow.local.topology import HEARTBEAT_TIMEOUT_SECONDS, Topology, celery_topology
from shopmill.demo.display import doing
from shopmill.demo.platform import OneMachine

if TYPE_CHECKING:
    from shopmill.airflow.local import LocalAirflow, RunState, TaskState


@dataclass
class Cluster(OneMachine):
    """Celery workers on Redis, users of FAB, and a store on S3. `lost` says which task's worker was killed."""

    console: Console
    lost: "tuple[str, TaskState] | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._redis, self._objects = Redis(self.home / "redis"), ObjectStore(self.home / "s3")
        self.environment = self._objects.environment

    @property
    def store(self) -> str:
        """The address of the store."""
        return self._objects.url

    @property
    def topology(self) -> Topology:
        """What Airflow is made of here."""
        return celery_topology(self._redis.url)

    def start(self, running: ExitStack) -> None:
        """Starts Redis and the S3 server."""
        with doing(self.console, "Starting Redis and an S3 server …"):
            for service in (self._redis, self._objects):
                running.callback(service.stop)
                service.start()
        running.enter_context(_exported(self.environment))

    def watched(self, airflow: "LocalAirflow", states: "Iterator[list[RunState]]") -> "Iterator[list[RunState]]":
        """The states as they come; the worker of the first task that is seen at work is lost."""
        for runs in states:
            if self.lost is None:
                self._lose_a_worker(airflow, runs)
            yield runs

    def shows_its_point(self, runs: "Sequence[RunState]") -> bool:
        """Prints what became of the task whose worker was lost; whether there was one and it came to a good end."""
        if self.lost is None:
            self.console.print("[red]No task ran for long enough to lose its worker.[/red]")
            return False
        dag_id, before = self.lost
        after = next(
            task for run in runs if run.dag_id == dag_id for task in run.tasks if task.task_id == before.task_id
        )
        self.console.print(
            f"{dag_id} {after.task_id}, whose worker was killed: {after.state} in try {after.try_number}."
        )
        return after.state == "success" and after.try_number > before.try_number

    def _lose_a_worker(self, airflow: "LocalAirflow", runs: "Sequence[RunState]") -> None:
        at_work = [(run, task) for run in runs for task in run.tasks if task.pid]
        for run, task in at_work:
            worker = airflow.process_of(task.pid or 0)
            if worker and self._is_lost(airflow, worker, run, task):
                return

    def _is_lost(self, airflow: "LocalAirflow", worker: str, run: "RunState", task: "TaskState") -> bool:
        """Freezes the worker, so that the task cannot end while it is looked at, and kills it if the task is not done."""
        airflow.freeze(worker)
        now = airflow.client.task_instances(run.dag_id, run.run_id)
        if not any(one.task_id == task.task_id and one.pid == task.pid for one in now):
            airflow.thaw(worker)
            return False
        airflow.lose(worker)
        self.lost = run.dag_id, task
        self.console.print(
            f"Killed {worker} (kill -9) in the middle of {run.dag_id} {task.task_id}: Airflow notices after "
            f"{HEARTBEAT_TIMEOUT_SECONDS} s without a heartbeat, and retries on the other worker.",
            soft_wrap=True,
        )
        return True


@contextmanager
def _exported(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables of this process's environment, from which the store and every process started here read them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
