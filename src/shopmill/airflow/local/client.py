"""Airflow's REST API as far as a demo and a test need it: trigger runs, watch their tasks, read a task's log."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from shopmill.errors import ShopmillError

FINISHED = frozenset({"success", "failed"})
_NOT_FOUND = 404
_PATIENCE_SECONDS = 300  # for an answer, on a machine that does other things too
_OK = 200


class AirflowApiError(ShopmillError):
    """Airflow refused a request, or a run did not come to its end in time."""


@dataclass(frozen=True)
class TaskState:
    """A task of a run. `state` is None until the scheduler has looked at it; `seconds` is None until it has started.

    `pid` is that of the process which runs it, None while none does.
    """

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    seconds: float | None
    pid: int | None = None


@dataclass(frozen=True)
class RunState:
    """A DAG run and its tasks, those that started first in front."""

    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: tuple[TaskState, ...]

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended, well or not."""
        return self.state in FINISHED

    @property
    def failed_tasks(self) -> tuple[TaskState, ...]:
        """The tasks that failed themselves, without those that never ran because of them."""
        return tuple(task for task in self.tasks if task.state == "failed")


class AirflowClient:
    """A client of one Airflow, logged in with a name and a password. Use it as a context manager, or close it."""

    def __init__(self, url: str, login: str, password: str) -> None:
        # An environment's proxy has no business on loopback.
        self._http = httpx.Client(
            base_url=url, timeout=_PATIENCE_SECONDS, trust_env=False, transport=httpx.HTTPTransport(retries=3)
        )
        self._login = {"username": login, "password": password}

    def __enter__(self) -> "AirflowClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def health(self) -> dict[str, dict[str, str | None]]:
        """Each component's status and last heartbeat; empty while the API server does not answer."""
        try:
            response = self._http.get("/api/v2/monitor/health", timeout=5)
        except httpx.TransportError:
            return {}
        return dict(response.json()) if response.status_code == _OK else {}

    def wait_for_dag(self, dag_id: str, timeout: float = 300, progress: Callable[[], None] = lambda: None) -> None:
        """Waits until Airflow has read the DAG, telling `progress` at each look that it has not.

        Raises AirflowApiError with the reason as soon as the file `<dag_id>.py` is known to be unreadable, and with
        all import errors when the DAG does not appear in time.
        """
        deadline = time.monotonic() + timeout
        while not self.has_dag(dag_id):
            errors = self._import_errors()
            late = time.monotonic() > deadline
            errors_of_dag = [text for file, text in errors.items() if late or Path(file).stem == dag_id]
            if errors_of_dag or late:
                reason = "\n".join(errors_of_dag) or "No file of the DAG folder defines it."
                raise AirflowApiError(f"Airflow cannot read DAG {dag_id}: {reason}")
            progress()
            time.sleep(0.2)

    def trigger(
        self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None, timeout: float = 300
    ) -> str:
        """Starts a run of a DAG with `conf` as its parameters, once Airflow has read the DAG. Returns the run's id."""
        self.wait_for_dag(dag_id, timeout)
        body = {"logical_date": None, "conf": dict(conf or {}), "dag_run_id": run_id}
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def abandon_runs(self, dag_id: str, timeout: float = 120) -> None:
        """Marks the unfinished runs of a DAG as failed: those of an Airflow that was killed would go on, or block."""
        deadline = time.monotonic() + timeout
        while unfinished := self.unfinished_runs(dag_id):
            if time.monotonic() > deadline:
                raise AirflowApiError(
                    f"{len(unfinished)} runs of {dag_id} cannot be ended: mark them failed in the UI."
                )
            for run_id in unfinished:
                self._call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"})
            time.sleep(0.5)  # the scheduler may have been about to start one, and then has the last word

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        """Pauses a DAG, so that nothing starts it, or lets it run."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": is_paused})

    def unfinished_runs(self, dag_id: str) -> list[str]:
        """The ids of the runs of a DAG that wait or work."""
        found = self.get(f"/api/v2/dags/{dag_id}/dagRuns", {"state": ["queued", "running"]})
        return [str(run["dag_run_id"]) for run in found["dag_runs"]]

    def runs_since(self, dag_id: str, moment: datetime) -> list[str]:
        """The ids of the runs of a DAG that came about at a moment or later, the first one first."""
        wanted = {"run_after_gte": moment.isoformat(), "order_by": "run_after"}
        return [str(run["dag_run_id"]) for run in self.get(f"/api/v2/dags/{dag_id}/dagRuns", wanted)["dag_runs"]]

    def dag_run(self, dag_id: str, run_id: str) -> RunState:
        """The present state of a run and of its tasks."""
        run = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
        return RunState(dag_id, run_id, run["state"], _seconds(run) or 0.0, self.task_instances(dag_id, run_id))

    def task_instances(self, dag_id: str, run_id: str) -> tuple[TaskState, ...]:
        """The tasks of a run, in the order of their start, then those that wait."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found = self._call("GET", path, params={"limit": 100})["task_instances"]
        found.sort(key=lambda task: (task["start_date"] is None, task["start_date"] or "", task["task_id"]))
        return tuple(_task_state(task) for task in found)

    def wait(
        self, runs: Sequence[tuple[str, str]], timeout: float = 900, interval: float = 1.0
    ) -> Iterator[list[RunState]]:
        """Yields the states of the runs (dag_id, run_id) again and again; the last ones yielded are all finished.

        Raises AirflowApiError, naming the runs that are still going, after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        finished: dict[tuple[str, str], RunState] = {}
        while True:
            states = [finished.get(run) or self.dag_run(*run) for run in runs]
            finished |= {(run.dag_id, run.run_id): run for run in states if run.is_finished}
            yield states
            open_runs = [f"{run.dag_id} ({run.state})" for run in states if not run.is_finished]
            if not open_runs:
                return
            if time.monotonic() > deadline:
                raise AirflowApiError(f"Not finished after {timeout:.0f} s: {', '.join(open_runs)}.")
            time.sleep(interval)

    def log_tail(self, run: RunState, task: TaskState, lines: int = 20) -> list[str]:
        """The last lines that a task's latest try has logged, its exception among them."""
        return [line for message in self._log(run, task) for line in _log_lines(message)][-lines:]

    def log_errors(self, run: RunState, task: TaskState) -> list[str]:
        """Only the errors that a task's latest try has logged, or its last lines when it died without one."""
        errors = [message for message in self._log(run, task) if message.get("level") in {"error", "critical"}]
        return [line for message in errors for line in _log_lines(message)] or self.log_tail(run, task)

    def _log(self, run: RunState, task: TaskState) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        content = self._call("GET", path, params={"full_content": True, "map_index": task.map_index})["content"]
        messages = [message if isinstance(message, dict) else {"event": message} for message in content]
        return [message for message in messages if not message["event"].startswith("::")]  # folding marks of the UI

    def has_dag(self, dag_id: str) -> bool:
        """Whether Airflow has read the DAG, now or before."""
        return self._request("GET", f"/api/v2/dags/{dag_id}").status_code == _OK

    def _import_errors(self) -> dict[str, str]:
        errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"].strip() for error in errors}

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any other thing that the API gives."""
        return self._call("GET", path, params=params)

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._request(method, path, **request)
        if response.is_error:
            raise AirflowApiError(f"Airflow answered {response.status_code} to {method} {path}: {response.text[:500]}")
        return dict(response.json())

    def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            if "Authorization" not in self._http.headers:
                self._http.headers["Authorization"] = f"Bearer {self.token()}"
            return self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise AirflowApiError(f"Airflow at {self._http.base_url} does not answer: {error}.") from error

    def token(self) -> str:
        """A fresh session token of this login."""
        response = self._http.post("/auth/token", json=self._login)
        if response.is_error:
            raise AirflowApiError(f"Airflow refused the login of {self._login['username']}: {response.status_code}.")
        return str(response.json()["access_token"])


def _task_state(task: Mapping[str, Any]) -> TaskState:
    pid = task["pid"] if task["state"] == "running" else None
    return TaskState(task["task_id"], task["map_index"], task["state"], task["try_number"], _seconds(task), pid)


def _seconds(item: Mapping[str, Any]) -> float | None:
    if item["start_date"] is None:
        return None
    start = datetime.fromisoformat(item["start_date"])
    end = datetime.fromisoformat(item["end_date"]) if item["end_date"] else datetime.now(start.tzinfo)
    return (end - start).total_seconds()


def _log_lines(message: Mapping[str, Any]) -> list[str]:
    causes = [f"{cause['exc_type']}: {cause['exc_value']}" for cause in message.get("error_detail") or []]
    return [*str(message["event"]).splitlines(), *causes]
