"""The registry: schema shopmill in PostgreSQL, with a row per run, and the locks that keep runs apart."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from shopmill.connection_string import conninfo
from shopmill.errors import ConflictError, InvalidInputError, ShopmillError

LOCK_SPACE = 0x5350  # keeps our advisory locks apart from those of others in the same database
COLUMNS = ("version", "status", "rows", "bytes", "rejected", "checks", "inputs", "parameters", "error")


@dataclass(frozen=True)
class Registry:
    """The registry behind a connection string."""

    dsn: str

    @contextmanager
    def _connect(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        if not self.dsn:
            raise InvalidInputError(
                "No registry is set: give SHOPMILL_REGISTRY_DSN (postgresql://shopmill:…@host:5432/registry)."
            )
        try:
            connection = psycopg.connect(
                conninfo(self.dsn, "SHOPMILL_REGISTRY_DSN", connect_timeout=10, application_name="shopmill"),
                autocommit=True,
                row_factory=dict_row,
            )
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise ShopmillError(
                f"The registry does not answer: {reason}. Check SHOPMILL_REGISTRY_DSN and the server."
            ) from None
        with connection:
            yield connection

    def migrate(self) -> list[str]:
        """Brings the schema up to date; returns the names of the migrations that were applied."""
        with self._connect() as connection, connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s, 0)", (LOCK_SPACE,))
            if connection.execute("select to_regnamespace('shopmill') is null as missing").fetchone() == {
                "missing": True
            }:
                connection.execute("create schema shopmill")
            connection.execute(
                "create table if not exists shopmill.migrations (name text primary key, applied_at timestamptz default now())"
            )
            done = {row["name"] for row in connection.execute("select name from shopmill.migrations")}
            pending = [path for path in _migrations() if path.name not in done]
            for path in pending:
                connection.execute(path.read_text().encode())
                connection.execute("insert into shopmill.migrations (name) values (%s)", (path.name,))
        return [path.name for path in pending]

    def begin(
        self, run_id: str, dataset: str, as_of: str, parameters: Mapping[str, Any], orchestrator: Mapping[str, Any]
    ) -> None:
        """Opens the row of a run, or opens it again when the run is tried again."""
        self.migrate()
        row = {
            "run_id": run_id,
            "dataset": dataset,
            "as_of": as_of,
            "parameters": Jsonb(dict(parameters)),
            "git_commit": git_commit(),
            "pipeline_version": package_version("shopmill"),
            "host": socket.gethostname(),
            "dag_id": orchestrator.get("dag_id"),
            "dag_run_id": orchestrator.get("dag_run_id"),
            "try_number": orchestrator.get("try_number"),
        }
        names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        with self._connect() as connection:
            connection.execute(
                f"insert into shopmill.etl_runs (status, {names}) values ('running', {values}) on conflict (run_id) do update set "
                "status = 'running', error = null, finished_at = null, try_number = excluded.try_number, host = excluded.host, "
                "git_commit = excluded.git_commit, pipeline_version = excluded.pipeline_version, parameters = excluded.parameters".encode(),
                row,
            )

    def finish(self, run_id: str, **columns: Any) -> None:
        """Writes what came of a run. Only columns given are changed."""
        changes = {
            name: Jsonb(value) if name in {"checks", "inputs"} else value
            for name, value in columns.items()
            if name in COLUMNS
        }
        assignments = ", ".join(f"{name} = %({name})s" for name in changes)
        with self._connect() as connection:
            connection.execute(
                f"update shopmill.etl_runs set finished_at = now(), {assignments} where run_id = %(run_id)s".encode(),
                {**changes, "run_id": run_id},
            )

    def runs(self, dataset: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """The newest runs, of one dataset or of all."""
        with self._connect() as connection:
            if not connection.execute(
                "select from pg_tables where schemaname = 'shopmill' and tablename = 'etl_runs'"
            ).rowcount:
                return []  # no run has begun yet
            return connection.execute(
                "select * from shopmill.etl_runs where %(dataset)s::text is null or dataset = %(dataset)s "
                "order by started_at desc limit %(limit)s",
                {"dataset": dataset, "limit": limit},
            ).fetchall()

    def recent_dag_runs(self, dataset: str) -> list[dict[str, Any]]:
        """dag_run_id, as_of and status of the DAG runs of a dataset that are at work, or were within the hour.

        The newest 200.
        """
        with self._connect() as connection:
            rows = connection.execute(
                "select dag_run_id, as_of, status from shopmill.etl_runs where dataset = %s and dag_run_id is not null "
                "and (status = 'running' or finished_at > now() - interval '1 hour') "
                "order by coalesce(finished_at, started_at) desc limit 200",
                (dataset,),
            )
            return rows.fetchall()

    @contextmanager
    def lock(self, name: str, wait: bool = True) -> Iterator[None]:
        """Holds the lock `name`; PostgreSQL frees it when this process dies. ConflictError when taken and not waiting."""
        with self._connect() as connection:
            function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
            held = connection.execute(
                f"select {function}(%s, hashtext(%s)) as held".encode(), (LOCK_SPACE, name)
            ).fetchone()
            if held and held["held"] is False:
                raise ConflictError(f"Another {name} is at work. Wait for it to end, then run again.")
            try:
                yield
            finally:
                # Closing the connection frees it as well, but only when the server has noticed: a next run may be quicker.
                with suppress(psycopg.Error):
                    connection.execute("select pg_advisory_unlock(%s, hashtext(%s))", (LOCK_SPACE, name))


@cache
def _migrations() -> list[Path]:
    folder = Path(str(files("shopmill.registry") / "migrations"))
    return sorted(folder.glob("*.sql"))


@cache
def git_commit() -> str | None:
    """The commit that is deployed: SHOPMILL_GIT_COMMIT, or that of the checkout this runs from."""
    if given := os.environ.get("SHOPMILL_GIT_COMMIT"):
        return given
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
