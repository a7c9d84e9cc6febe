"""A read on a hot standby that its replay ends: a real primary and a real standby that does not wait for readers."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from rows import Extract

from shopmill.errors import SourceUnavailableError
from shopmill.shops import postgres as embedded
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.database_errors import explain

SALES = """
create table transactions (t_dat date, article_id text, price numeric);
insert into transactions select '2020-09-20', n::text, 1 from generate_series(1, 40) as n;
"""
SLOWLY = "select t.*, pg_sleep(0.2)::text as slept from transactions as t offset 0"


@dataclass
class Pair:
    """A primary, and a standby of it."""

    primary: EmbeddedPostgres
    standby: EmbeddedPostgres


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    replicates = {"wal_level": "replica", "max_wal_senders": "2", "shared_buffers": "16MB"}
    with tempfile.TemporaryDirectory(prefix="shopmill-standby-") as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o711)
        patch.setattr(embedded, "SETTINGS", {**embedded.SETTINGS, **replicates})
        with EmbeddedPostgres(Path(folder) / "primary") as primary:
            with psycopg.connect(primary.admin_dsn()) as connection:
                connection.execute(SALES)
            with _standby_of(primary, Path(folder) / "standby") as standby:
                yield Pair(primary, standby)


def _standby_of(primary: EmbeddedPostgres, home: Path) -> EmbeddedPostgres:
    home.mkdir(mode=0o711)
    shutil.copy(primary.home / "passwords.json", home)
    os.chown(home, primary.data.stat().st_uid, -1)
    primary._run("pg_basebackup", "--dbname", primary.admin_dsn(), "--pgdata", home / "data", "--write-recovery-conf")
    standby = EmbeddedPostgres(home)
    with (standby.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("max_standby_streaming_delay = 0\n")
    return standby


def test_a_standby_is_read_as_any_other_server(pair: Pair, extract: Extract) -> None:
    found = extract("2020-09-23", ["transactions"], source_dsn=SecretStr(pair.standby.admin_dsn()))
    assert found["transactions"].rows == 40


def test_a_read_that_the_replay_ends_is_one_sentence_with_the_way_out(
    pair: Pair, extract: Extract, tmp_path: Path
) -> None:
    (tmp_path / "transactions.sql").write_text(SLOWLY)
    source = SecretStr(pair.standby.admin_dsn())

    def read() -> str:
        with pytest.raises(SourceUnavailableError) as ended:
            extract("2020-09-23", ["transactions"], source_dsn=source, mapping=str(tmp_path))
        return str(ended.value)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        with psycopg.connect(pair.primary.admin_dsn(), autocommit=True) as connection:
            while not reading.done():
                connection.execute("update transactions set price = price + 1")
                connection.execute("vacuum transactions")
    told = reading.result()
    assert "was ended by the shop's database: " in told
    assert "conflict with recovery" in told
    assert "FATAL" not in told
    assert "hot_standby_feedback" in told
    assert "\n" not in told


@pytest.mark.parametrize("state", ["40001", "57014", "57P01", ""])
@pytest.mark.parametrize("words", ["canceling statement", "FATAL:  terminating connection"])
def test_a_conflict_is_known_by_its_words_whatever_its_state(state: str, words: str) -> None:
    class DatabaseError(Exception):
        sqlstate = state

    assert "hot_standby_feedback" in str(explain("events", DatabaseError(f"{words} due to conflict with recovery")))
