"""The session on the shop's database: what it waits for and how long, and what it is behind a pooler."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr
from rows import Extract, RowsOf, line

from shopmill.errors import SourceUnavailableError
from shopmill.settings import Settings
from shopmill.source.database_errors import explain
from shopmill.source.patience import SilentSourceError, patiently, prefetched
from shopmill.versions.store import Store


@pytest.fixture
def slow_mapping(tmp_path: Path) -> str:
    """Transactions of which every row takes four seconds."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "transactions.sql").write_text("select t.*, pg_sleep(4)::text as slept from transactions as t offset 0")
    return str(folder)


def test_a_read_without_a_row_is_given_up(
    extract: Extract, shop_dsn: str, slow_mapping: str, settings: Settings
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    begun = time.monotonic()
    with pytest.raises(SilentSourceError, match="SHOPMILL_SOURCE_PATIENCE_SECONDS"):
        extract("2020-09-23", ["transactions"], mapping=slow_mapping, source_patience_seconds=1)
    assert time.monotonic() - begun < 4
    assert not any("snapshots" in key for key in Store(settings.store).keys("raw"))


def test_a_lock_that_is_not_given_is_named(extract: Extract, shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    with psycopg.connect(shop_dsn) as other:
        other.execute("lock table transactions in access exclusive mode")
        with pytest.raises(SourceUnavailableError, match=r"transactions .*holds a lock"):
            extract("2020-09-23", ["transactions"], source_patience_seconds=3)


def test_a_statement_timeout_of_the_role_says_what_to_do(extract: Extract, shop_dsn: str, slow_mapping: str) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20")]})
    impatient = SecretStr(make_conninfo(shop_dsn, options="-c statement_timeout=200"))
    with pytest.raises(SourceUnavailableError, match=r"transactions .*statement_timeout = 0"):
        extract("2020-09-23", ["transactions"], mapping=slow_mapping, source_dsn=impatient)


def test_what_the_server_said_counts_though_the_driver_repeats_the_query_before_it() -> None:
    raw = "CANCELLED: [libpq] Failed to execute query '\nselect 1\n': ERROR:  canceling statement due to statement timeout\n"
    told = str(explain("events", Exception(raw)))
    assert told.startswith(
        "Reading events was ended by the shop's database: canceling statement due to statement timeout. "
    )
    assert "alter role" in told


def test_a_server_that_is_frozen_is_given_up(
    extract: Extract, shop_dsn: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The server accepts, and says nothing ever after: as one does whose disk hangs."""
    frozen = socket.create_server(("127.0.0.1", 0))
    try:
        dsn = SecretStr(f"postgresql://u:p@127.0.0.1:{frozen.getsockname()[1]}/d")
        with pytest.raises(SourceUnavailableError):
            extract("2020-09-23", ["transactions"], source_dsn=dsn, source_patience_seconds=2)
    finally:
        frozen.close()


def test_work_that_takes_too_long_is_left_behind() -> None:
    assert patiently(lambda: 7, 5) == 7
    with pytest.raises(ZeroDivisionError):
        patiently(lambda: 1 // 0, 5)
    with pytest.raises(SilentSourceError):
        patiently(lambda: time.sleep(2), 0.1)


def test_items_that_do_not_come_are_not_waited_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        time.sleep(2)

    found = prefetched(items(), 2, 0.2)
    assert next(found) == 1
    with pytest.raises(SilentSourceError):
        next(found)


# Behind PgBouncer, which gives each transaction to another connection


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory, shop_dsn: str) -> Iterator[str]:
    """The shared shop behind a PgBouncer in transaction mode, of one connection."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(program).exists():
        pytest.skip("pgbouncer is not installed")
    parts = conninfo_to_dict(shop_dsn)
    folder = tmp_path_factory.mktemp("pgbouncer")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "users.txt").write_text(f'"{parts["user"]}" "{parts["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{parts['dbname']} = host=127.0.0.1 port={parts['port']}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = scram-sha-256\nauth_file = {folder}/users.txt\npool_mode = transaction\n"
        "default_pool_size = 1\nunix_socket_dir =\n"
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    Path(folder).parent.chmod(0o755)
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([program, *user, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL)
    try:
        dsn = make_conninfo(shop_dsn, host="127.0.0.1", port=port)
        _wait_for(dsn)
        yield dsn
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(dsn: str) -> None:
    for _ in range(100):
        try:
            psycopg.connect(dsn, prepare_threshold=None).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PgBouncer does not answer")


def test_behind_a_pooler_rows_are_the_same_and_no_setting_stays(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, pooled: str, tmp_path: Path
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20"), line("2020-09-21")], "articles": [{"article_id": "1"}]})

    def read(dsn: str, name: str) -> dict[str, Any]:
        found = extract(
            "2020-09-23", ["transactions", "articles"], source_dsn=SecretStr(dsn), store=str(tmp_path / name),
            time_zone="Europe/Stockholm",
        )  # fmt: skip
        return {table: snapshot.days for table, snapshot in found.items()}

    direct = read(shop_dsn, "direct")
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda n: read(pooled, f"pooled{n}"), range(3))) == [direct] * 3
    with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as other:
        left = other.execute(
            "select current_setting('row_security'), current_setting('timezone') = 'Europe/Stockholm', "
            "current_setting('lock_timeout'), coalesce(current_setting('shopmill.time_zone', true), '')"
        ).fetchone()
    assert left == ("on", False, "0", "")
