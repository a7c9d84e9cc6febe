"""One Airflow on this machine: its processes from start to end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import psycopg

from shopmill.airflow.local import processes
from shopmill.airflow.local.client import AirflowClient
from shopmill.airflow.local.configuration import HOST, LOGIN, airflow_environment, load_secrets, write_passwords
from shopmill.airflow.local.topology import API, COMPONENTS, Topology
from shopmill.errors import InvalidInputError, ShopmillError

_HEALTH_NAMES = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
_GRACE_SECONDS = 5  # a task in the middle of its work does not heed SIGTERM; being killed is safe for it
_TAIL_LINES = 15
_COMPONENT = "shopmill.airflow.component"
_SETUP = 1  # what `prepare` makes: a new number has it run again where an older one was


class LocalAirflowError(ShopmillError):
    """Airflow did not start, or one of its processes died."""


class LocalAirflow:
    """Airflow's api-server, scheduler, dag-processor and triggerer on this machine, for a demo or a test.

    Everything is kept in `home`; `metadata_dsn` is a `postgresql://` address of a database that it may fill;
    `environment` is added to that of every process (connections as `AIRFLOW_CONN_<ID>`); another `topology` has
    workers as well. The API server listens on 127.0.0.1 only. As a context manager it is healthy inside and has left
    no process outside.
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        metadata_dsn: str,
        port: int = 8080,
        environment: Mapping[str, str] | None = None,
        topology: Topology | None = None,
    ) -> None:
        self.home = home.resolve()
        self.dags_folder = dags_folder.resolve()
        self.port = port
        self.login = LOGIN
        self._metadata_dsn = metadata_dsn
        self._extra = dict(environment or {})
        self._topology = topology or Topology()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started_at = datetime.now(UTC)

    def __enter__(self) -> "LocalAirflow":
        try:
            self.start()
            self.wait_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the UI and of the API."""
        return f"http://{HOST}:{self.port}"

    @property
    def logs(self) -> Path:
        """The folder of all logs: one file per process, and a folder per DAG."""
        return self.home / "logs"

    @property
    def password(self) -> str:
        """The password of the only user, `login`."""
        return load_secrets(self.home).password

    @cached_property
    def client(self) -> AirflowClient:
        """A logged-in client of the API."""
        return AirflowClient(self.url, self.login, self.password)

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Ends what an earlier instance left, brings the metadata up to date and starts the processes.

        It does not wait for them: see `wait_healthy`. Raises InvalidInputError when the port is taken.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        processes.end_all(self.home, _GRACE_SECONDS)
        _refuse_taken_port(self.port)
        environment = self.environment()
        write_passwords(self.home, self.password)
        if self._topology.builds_api_early:
            self._start_api(environment)
        self._migrate(environment, progress)
        progress("starting its processes")
        self._started_at = datetime.now(UTC)
        if API not in self._running:
            self._start_api(environment)
        for name, arguments in self._topology.processes.items():
            if name != API:
                self._running[name] = self._spawn(name, (_COMPONENT, *arguments), environment)
        self._let_api_serve()

    def wait_healthy(self, timeout: float = 900, progress: Callable[[list[str]], None] = lambda _: None) -> None:
        """Waits until all processes are healthy, telling `progress` the names of those that are not yet.

        Raises LocalAirflowError with the end of its log when a process dies, or names those that are late.
        """
        deadline = time.monotonic() + timeout
        while late := self._not_healthy():
            progress(late)
            self.check_alive()
            if time.monotonic() > deadline:
                raise self._error(late[0], f"is not healthy after {timeout:.0f} s")
            time.sleep(0.25)

    def check_alive(self) -> None:
        """Raises LocalAirflowError with the end of its log when one of the processes has died."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise self._error(name, f"ended with code {process.returncode}")

    def stop(self) -> None:
        """Ends every process of this Airflow, running tasks included. May be called at any time, and again."""
        self.client.close()
        self.__dict__.pop("client", None)
        processes.end_all(self.home, _GRACE_SECONDS)
        for process in self._running.values():
            process.poll()
            if process.stdin:
                process.stdin.close()
        self._running.clear()

    def process_of(self, pid: int) -> str | None:
        """The name of the process of this Airflow that started the living process `pid`; None where none did."""
        return next((name for name, root in self._running.items() if processes.is_below(pid, root.pid)), None)

    def freeze(self, name: str) -> None:
        """Stops a process and all that it has started where they are."""
        processes.send_tree(self._running[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Lets a frozen process go on."""
        processes.send_tree(self._running[name].pid, signal.SIGCONT)

    def lose(self, name: str) -> None:
        """Ends a process and all that it has started with SIGKILL, as the loss of its machine would; nothing restarts it."""
        process = self._running.pop(name)
        processes.send_tree(process.pid, signal.SIGKILL)
        process.wait()

    def task_log(self, dag_id: str, run_id: str, task_id: str) -> Path:
        """The folder with the log files of a task, one per try."""
        return self.logs / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"

    def environment(self) -> dict[str, str]:
        """The environment of its processes, for commands beside them: it holds secrets."""
        keys = load_secrets(self.home)
        base = {**os.environ, **self._extra}
        return airflow_environment(
            home=self.home,
            dags_folder=self.dags_folder,
            metadata_dsn=self._metadata_dsn,
            port=self.port,
            keys=keys,
            base=base,
            settings=self._topology.settings,
        )

    def _start_api(self, environment: Mapping[str, str]) -> None:
        """It builds what it serves, which takes longer than all else, and waits to be let."""
        command = (_COMPONENT, *self._topology.processes[API])
        self._running[API] = self._spawn(API, command, environment, typed=None)

    def _let_api_serve(self) -> None:
        waiting = self._running[API].stdin
        if waiting:
            waiting.close()

    def _spawn(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], typed: str | None = ""
    ) -> subprocess.Popen[bytes]:
        return processes.spawn([sys.executable, "-m", *command], environment, self.home, self._log(name), typed)

    def _complete(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Runs a command to its end; when it asks for a password, it gets the administrator's."""
        code = self._spawn(name, command, environment, typed=f"{self.password}\n" * 2).wait()
        if code != 0:
            raise self._error(name, f"ended with code {code}")

    def _migrate(self, environment: Mapping[str, str], progress: Callable[[str], None]) -> None:
        """Makes what a new database needs, once for this very database: it takes seconds."""
        stamp = self.home / "migrated.json"
        if stamp.exists() and json.loads(stamp.read_text()) == _prepared(self._metadata_dsn):
            return
        progress("making the tables of its database, once")
        self._complete("prepare", ("shopmill.airflow.local.prepare",), environment)
        for arguments in self._topology.prepare:
            self._complete("-".join(arguments[:2]), ("airflow", *arguments), environment)
        stamp.write_text(json.dumps(_prepared(self._metadata_dsn)))

    def _not_healthy(self) -> list[str]:
        health = self.client.health()
        if not health:
            return list(COMPONENTS)
        late = [name for name, key in _HEALTH_NAMES.items() if not self._is_healthy(health.get(key, {}))]
        return late or self._topology.absent_workers()

    def _is_healthy(self, report: Mapping[str, str | None]) -> bool:
        """A heartbeat older than the start is that of an instance that was killed."""
        heartbeats = [value for key, value in report.items() if key.startswith("latest_") and value]
        return report.get("status") == "healthy" and any(
            datetime.fromisoformat(heartbeat) >= self._started_at for heartbeat in heartbeats
        )

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _error(self, name: str, what: str) -> LocalAirflowError:
        log = self._log(name)
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:] if log.exists() else []
        return LocalAirflowError("\n".join([f"Airflow's {name} {what}. The end of {log}:", *tail]))


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InvalidInputError(
                f"Port {port} on {HOST} is taken by another program: end that one, or choose another port with --port."
            ) from error


def _prepared(dsn: str) -> dict[str, str | int | None]:
    """Airflow's version, that of the schema in the database, None where it has none, and that of our own set-up."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select to_regclass('alembic_version')").fetchone()
        row = connection.execute("select version_num from alembic_version").fetchone() if found and found[0] else None
    return {"airflow": version("apache-airflow-core"), "schema": row[0] if row else None, "setup": _SETUP}
