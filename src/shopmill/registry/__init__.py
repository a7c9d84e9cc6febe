"""The registry: schema shopmill in PostgreSQL, with a row per run.

Nothing here needs more of a session than one transaction, so a connection pool such as PgBouncer may stand in between.
"""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version as package_version
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from shopmill.connection_string import CONNECTION, conninfo
from shopmill.errors import InvalidInputError, RegistryError

LOCK_SPACE = 0x5350  # keeps our advisory locks apart from those of others in the same database
STATEMENT_SECONDS = 60
SILENT_SECONDS = 90.0
"""After so long a transaction of a few small statements is given up."""
COLUMNS = ("version", "status", "rows", "bytes", "rejected", "checks", "inputs", "parameters", "error")


@dataclass(frozen=True)
class LastRun:
    """How the newest run of an as_of ended, and whether any run of it has published."""

    status: str
    error: str
    was_published: bool
    started_at: datetime


@dataclass(frozen=True)
class Registry:
    """The registry behind a connection string."""

    dsn: str

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """A transaction on the registry; ShopmillError, without the password, where it fails or takes too long."""
        if not self.dsn:
            raise InvalidInputError(
                "No registry is set: give SHOPMILL_REGISTRY_DSN (postgresql://shopmill:…@host:5432/registry)."
            )
        told = conninfo(self.dsn, "SHOPMILL_REGISTRY_DSN", **CONNECTION)
        try:
            connection = psycopg.connect(told, row_factory=dict_row, prepare_threshold=None)
        except (
            psycopg.OperationalError,
            psycopg.ProgrammingError,
        ) as error:  # the latter where an option has a wrong value
            raise RegistryError(
                f"The registry does not answer: {_reason(error)}. Check SHOPMILL_REGISTRY_DSN and the server."
            ) from None
        with _explained(), _limited(connection), connection:
            connection.execute(f"set local statement_timeout = '{STATEMENT_SECONDS}s'".encode())
            connection.execute(f"set local lock_timeout = '{STATEMENT_SECONDS}s'".encode())
            connection.execute("set local datestyle = 'ISO, YMD'")  # the only one in which psycopg reads moments
            yield connection

    def migrate(self) -> list[str]:
        """Brings the schema up to date; returns the names of the migrations that were applied."""
        with self.connect() as connection:
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
        self,
        run_id: str,
        dataset: str,
        as_of: str,
        parameters: Mapping[str, Any],
        orchestrator: Mapping[str, Any],
        store: str = "",
    ) -> None:
        """Opens the row of a run, or opens it again when the run is retried."""
        self.migrate()
        row = {
            "run_id": run_id,
            "dataset": dataset,
            "as_of": as_of,
            "parameters": Jsonb(dict(parameters)),
            "git_commit": git_commit(),
            "pipeline_version": package_version("shopmill"),
            "host": socket.gethostname(),
            "store": store or None,
            "dag_id": orchestrator.get("dag_id"),
            "dag_run_id": orchestrator.get("dag_run_id"),
            "try_number": orchestrator.get("try_number"),
        }
        names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        changing = ("try_number", "host", "store", "git_commit", "pipeline_version", "parameters")
        again = ", ".join(f"{name} = excluded.{name}" for name in changing)
        with self.connect() as connection:
            connection.execute(
                f"insert into shopmill.etl_runs (status, {names}) values ('running', {values}) on conflict (run_id) "
                f"do update set status = 'running', error = null, finished_at = null, {again}".encode(),
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
        with self.connect() as connection:
            connection.execute(
                f"update shopmill.etl_runs set finished_at = now(), {assignments} where run_id = %(run_id)s".encode(),
                {**changes, "run_id": run_id},
            )

    def runs(self, dataset: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """The newest runs, of one dataset or of all."""
        with self.connect() as connection:
            if not connection.execute(
                "select from pg_tables where schemaname = 'shopmill' and tablename = 'etl_runs'"
            ).rowcount:
                return []  # no run has begun yet
            return connection.execute(
                "select * from shopmill.etl_runs where %(dataset)s::text is null or dataset = %(dataset)s "
                "order by started_at desc limit %(limit)s",
                {"dataset": dataset, "limit": limit},
            ).fetchall()

    def unfinished(self, dataset: str, store: str) -> list[dict[str, Any]]:
        """Runs that the row says are at work in a store, the oldest first. Their processes may have died."""
        self.migrate()
        with self.connect() as connection:
            return connection.execute(
                "select * from shopmill.etl_runs where status = 'running' and dataset = %s and (store is null or store = %s) "
                "order by started_at, run_id",
                (dataset, store),
            ).fetchall()

    def has_published(self, dataset: str, store: str, as_of: str, version: str) -> bool:
        """Whether a run's row says that it published this version. In a registry that is older than such rows none does."""
        with self.connect() as connection:
            there = (
                "select from information_schema.columns "
                "where table_schema = 'shopmill' and table_name = 'etl_runs' and column_name = 'store'"
            )
            if not connection.execute(there).rowcount:
                return False
            found = connection.execute(
                "select from shopmill.etl_runs where dataset = %s and (store is null or store = %s) and as_of = %s "
                "and version = %s and status = 'published'",
                (dataset, store, as_of, version),
            )
            return found.rowcount > 0

    def outcome(self, run_id: str) -> tuple[str, str] | None:
        """The status and the version of a run that has ended with one; None for any other."""
        with self.connect() as connection:
            found = connection.execute(
                "select status, version from shopmill.etl_runs "
                "where run_id = %s and status in ('published', 'unchanged') and version is not null",
                (run_id,),
            ).fetchone()
            return (found["status"], found["version"]) if found else None

    def last_runs(self, dataset: str, store: str) -> dict[str, LastRun]:
        """How the newest run of each as_of ended in a store; those that are at work are left out."""
        self.migrate()
        with self.connect() as connection:
            rows = connection.execute(
                "select distinct on (as_of) as_of, status, error, started_at, "
                "bool_or(status in ('published', 'unchanged')) over (partition by as_of) as was_published "
                "from shopmill.etl_runs where dataset = %s and (store is null or store = %s) and status <> 'running' "
                "order by as_of, started_at desc, run_id",
                (dataset, store),
            )
            return {
                row["as_of"]: LastRun(row["status"], row["error"] or "", row["was_published"], row["started_at"])
                for row in rows
            }

    def recent_dag_runs(self, dataset: str) -> list[dict[str, Any]]:
        """dag_run_id, as_of and status of the DAG runs of a dataset that are at work, or were within the hour.

        The newest 200.
        """
        with self.connect() as connection:
            rows = connection.execute(
                "select dag_run_id, as_of, status from shopmill.etl_runs where dataset = %s and dag_run_id is not null "
                "and (status = 'running' or finished_at > now() - interval '1 hour') "
                "order by coalesce(finished_at, started_at) desc limit 200",
                (dataset,),
            )
            return rows.fetchall()


@contextmanager
def _limited(connection: psycopg.Connection[dict[str, Any]]) -> Iterator[None]:
    """Ends a connection to a server that has stopped answering, which no timeout of the server's own can."""
    plug = socket.socket(fileno=os.dup(connection.fileno()))
    timer = threading.Timer(SILENT_SECONDS, plug.shutdown, [socket.SHUT_RDWR])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        plug.close()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.QueryCanceled:
        raise RegistryError(f"The registry did not answer a statement within {STATEMENT_SECONDS} s.") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise RegistryError(
            f"The registry refuses: {_reason(error)}. Run deploy/postgres/registry.sql there."
        ) from None
    except psycopg.Error as error:
        raise RegistryError(f"The registry failed: {_reason(error)}.") from error


def _reason(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


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
