"""The registry: migrations, the row of a run, and locks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shopmill.errors import InvalidInputError, RegistryError, ShopmillError
from shopmill.registry import Registry
from shopmill.registry.notices import NoticeBoard


@pytest.fixture
def empty(database: Callable[[], str]) -> Registry:
    return Registry(database())


@pytest.fixture
def registry(registry_dsn: str) -> Registry:
    registry = Registry(registry_dsn)
    registry.migrate()
    return registry


def row_of(registry: Registry, run_id: str) -> dict[str, object]:
    return next(row for row in registry.runs(limit=1000) if row["run_id"] == run_id)


def test_migrations_are_applied_once(empty: Registry) -> None:
    assert empty.migrate() == ["0001_etl_runs.sql", "0002_news.sql", "0003_store.sql", "0004_erasures.sql"]
    assert empty.migrate() == []


def test_migrations_at_once_are_applied_once(empty: Registry) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: empty.migrate(), range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, 4]


def test_a_schema_made_by_an_administrator_is_used(empty: Registry) -> None:
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("create schema shopmill")
    assert empty.migrate()


def test_a_registry_that_was_never_used_has_no_runs(empty: Registry) -> None:
    assert empty.runs() == []


def test_a_run_begins_and_ends(registry: Registry) -> None:
    orchestrator = {"dag_id": "d", "dag_run_id": "r", "try_number": 2}
    registry.begin("one", "a_dataset", "2020-09-23", {"weight": "0.5"}, orchestrator)
    row = row_of(registry, "one")
    assert (row["status"], row["finished_at"], row["parameters"]) == ("running", None, {"weight": "0.5"})
    assert (row["dag_id"], row["dag_run_id"], row["try_number"]) == ("d", "r", 2)
    assert row["pipeline_version"]
    assert row["host"]
    registry.finish("one", status="published", version="v", rows=3, checks=[{"name": "n"}], inputs={"t": 1})
    row = row_of(registry, "one")
    assert (row["status"], row["version"], row["rows"], row["checks"]) == ("published", "v", 3, [{"name": "n"}])
    assert row["finished_at"] >= row["started_at"]  # type: ignore[operator]


def test_a_run_that_is_tried_again_forgets_its_error(registry: Registry) -> None:
    registry.begin("again", "a_dataset", "2020-09-23", {}, {"try_number": 1})
    registry.finish("again", status="failed", error="boom")
    registry.begin("again", "a_dataset", "2020-09-23", {}, {"try_number": 2})
    row = row_of(registry, "again")
    assert (row["status"], row["error"], row["finished_at"], row["try_number"]) == ("running", None, None, 2)


@pytest.mark.parametrize("status", ["running", "published", "unchanged", "blocked", "failed"])
def test_each_status_is_allowed(registry: Registry, status: str) -> None:
    registry.begin(f"is {status}", "a_dataset", "2020-09-23", {}, {})
    registry.finish(f"is {status}", status=status)
    assert row_of(registry, f"is {status}")["status"] == status


def test_another_status_is_not(registry: Registry) -> None:
    registry.begin("odd", "a_dataset", "2020-09-23", {}, {})
    with pytest.raises(RegistryError, match="etl_runs_status_check"):
        registry.finish("odd", status="splendid")


def test_runs_are_of_one_dataset_and_newest_first(registry: Registry) -> None:
    for number in range(3):
        registry.begin(f"of b {number}", "dataset_b", "2020-09-23", {}, {})
    assert [row["run_id"] for row in registry.runs("dataset_b", 2)] == ["of b 2", "of b 1"]


def test_no_registry_is_said() -> None:
    with pytest.raises(InvalidInputError, match="SHOPMILL_REGISTRY_DSN"):
        Registry("").runs()


@pytest.mark.parametrize("dsn", ["registry:hunter2@host/db", "postgresql://u:hunter2@127.0.0.1:1/registry"])
def test_a_registry_that_cannot_be_reached_is_named_without_its_password(dsn: str) -> None:
    with pytest.raises(ShopmillError, match="SHOPMILL_REGISTRY_DSN") as error:
        Registry(dsn).runs()
    assert "hunter2" not in str(error.value)


ODD_SETTINGS = {
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "bytea_output": "escape",
    "timezone": "Pacific/Kiritimati",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "client_encoding": "LATIN1",
    "search_path": "pg_catalog",
    "array_nulls": "off",
}


@pytest.mark.parametrize("name", ODD_SETTINGS)
def test_what_a_role_sets_changes_nothing(database: Callable[[], str], name: str) -> None:
    dsn = database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"alter database {connection.info.dbname} set {name} = '{ODD_SETTINGS[name]}'".encode())
    registry = Registry(dsn)
    registry.begin("r", "a_dataset", "2020-09-23", {"path": "C:\\x", "name": "很好"}, {})
    registry.finish("r", status="failed", error="a\\b 很好 '")
    [row] = registry.runs()
    assert (row["error"], row["parameters"]) == ("a\\b 很好 '", {"path": "C:\\x", "name": "很好"})
    assert abs((row["started_at"] - datetime.now(UTC)).total_seconds()) < 600
    assert registry.last_runs("a_dataset", "")["2020-09-23"].error == "a\\b 很好 '"
    board = NoticeBoard(registry, timedelta(hours=1))
    assert board.note("a_dataset", "failed", "很", None).kind == "failed"
