"""The registry behind a real connection pool in transaction mode, and a server that stops answering."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from pgbouncer import is_installed, pgbouncer
from relay import Relay
from shopmill import registry as module
from shopmill.errors import RegistryError
from shopmill.registry import Registry
from shopmill.registry.notices import NoticeBoard


@pytest.fixture(scope="module")
def pooled(database: Callable[[], str]) -> Iterator[str]:
    if not is_installed():
        pytest.skip("pgbouncer is not installed: run `make services`")
    with tempfile.TemporaryDirectory(prefix="shopmill-pool-") as folder, pgbouncer(database(), Path(folder)) as dsn:
        yield dsn


def test_the_pool_is_one_that_breaks_locks_of_sessions(pooled: str) -> None:
    with psycopg.connect(pooled, autocommit=True) as one, psycopg.connect(pooled, autocommit=True) as other:
        taken = [c.execute("select pg_try_advisory_lock(1)").fetchone() for c in (one, other)]
    assert taken == [(True,), (True,)]  # what a lock of the registry must not rest on


def test_runs_and_news_go_through_the_pool(pooled: str) -> None:
    registry = Registry(pooled)
    registry.migrate()

    def work(number: int) -> str:
        registry.begin(f"run {number}", "a_dataset", "2020-09-23", {}, {})
        registry.finish(f"run {number}", status="published", version="v")
        return NoticeBoard(registry, timedelta(hours=1)).note(f"dataset {number}", "published", "", None).kind

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(40))) == {"published"}
    assert {row["status"] for row in registry.runs(limit=100)} == {"published"}
    assert len(registry.runs(limit=100)) == 40


def test_a_statement_that_waits_for_a_lock_ends_in_a_sentence(
    database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(database())
    registry.begin("one", "a_dataset", "2020-09-23", {}, {})
    monkeypatch.setattr(module, "STATEMENT_SECONDS", 1)
    with psycopg.connect(registry.dsn) as other:
        other.execute("lock table shopmill.etl_runs in access exclusive mode")
        with pytest.raises(RegistryError, match=r"within 1 s|lock timeout"):
            registry.finish("one", status="failed")


def test_a_server_that_stops_answering_is_given_up(
    database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(database())
    registry.migrate()
    monkeypatch.setattr(module, "SILENT_SECONDS", 2.0)
    relay = Relay(registry.dsn)

    def ask() -> None:
        with Registry(relay.address).connect() as connection:
            relay.fall_silent()
            connection.execute("select 1")

    with pytest.raises(RegistryError, match="The registry failed"):
        ask()
    relay.shut()
