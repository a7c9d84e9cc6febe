"""A shop that replaces a table while it is read: its rows are those of before or of after, never none of them.

PostgreSQL shows a table that was emptied, rewritten or put in the place of another as empty to a transaction that began
before. A load of a copy of a shop does so every night.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from rows import Extract, RowsOf

from shopmill.errors import SourceUnavailableError
from shopmill.settings import Settings
from shopmill.source.database import open_source
from shopmill.source.mapping import load_mapping

LINES = "create table lines (t_dat date, article_id text, price numeric);"
ROWS = "insert into lines values ('2020-09-20', 'a', 1.5), ('2020-09-21', 'b', 2);"
VIEW = "create view transactions as select * from lines;"
TABLE = "alter table lines rename to transactions;"
AGAIN = "('2020-09-20', 'a', 1.5), ('2020-09-21', 'c', 3)"
WAITING = "select count(*) from pg_locks where not granted"
REPLACED = {
    "emptied and filled": (TABLE, f"truncate transactions; insert into transactions values {AGAIN}"),
    "emptied and filled under a view": (VIEW, f"truncate lines; insert into lines values {AGAIN}"),
    "swapped with another by name": (
        TABLE,
        f"create table fresh (like transactions); insert into fresh values {AGAIN};"
        "alter table transactions rename to old; alter table fresh rename to transactions",
    ),
    "dropped and made again": (
        TABLE,
        f"drop table transactions; {LINES}{TABLE} insert into transactions values {AGAIN}",
    ),
    "given another type": (
        TABLE,
        f"delete from transactions; insert into transactions values {AGAIN}; alter table transactions alter price type float8",
    ),
    "a partition in the place of another": (
        "alter table lines rename to part; create table transactions (like part) partition by range (t_dat);"
        "alter table transactions attach partition part for values from ('2020-01-01') to ('2021-01-01');",
        f"create table fresh (like part); insert into fresh values {AGAIN}; alter table transactions detach partition part;"
        "alter table transactions attach partition fresh for values from ('2020-01-01') to ('2021-01-01')",
    ),
    "a materialized view that is made anew": (
        "create materialized view transactions as select * from lines;",
        f"delete from lines; insert into lines values {AGAIN}; refresh materialized view transactions",
    ),
    "rows that are deleted and written": (TABLE, f"delete from transactions; insert into transactions values {AGAIN}"),
}  # fmt: skip
AS_IT_WAS = {"rows that are deleted and written"}
"""PostgreSQL lets nobody wait for these, and shows what was there before."""


@contextmanager
def replacing(dsn: str, statements: str, commits: Callable[[], bool]) -> Iterator[None]:
    """Has replaced a table and not committed yet; does so when somebody waits for it."""
    with psycopg.connect(dsn) as writer, psycopg.connect(dsn, autocommit=True) as watch:
        writer.execute(statements.encode())

        def commit() -> None:
            while not commits() and watch.execute(WAITING).fetchone() == (0,):
                time.sleep(0.02)
            writer.commit()

        thread = threading.Thread(target=commit)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize("kind", REPLACED)
def test_what_is_read_is_of_before_or_of_after(
    extract: Extract, rows_of: RowsOf, made: Callable[[str], str], kind: str
) -> None:
    before, statements = REPLACED[kind]
    dsn, done = made(LINES + ROWS + before), threading.Event()
    with replacing(dsn, statements, done.is_set):
        rows = rows_of(extract("2020-09-23", ["transactions"], source_dsn=SecretStr(dsn))["transactions"])
        done.set()
    assert sorted(row["article_id"] for row in rows) == (["a", "b"] if kind in AS_IT_WAS else ["a", "c"])


def test_a_table_that_is_replaced_all_the_time_is_an_error(
    settings: Settings, made: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings.model_copy(update={"source_dsn": SecretStr(made(LINES + ROWS + TABLE))})
    with open_source(chosen, load_mapping(chosen)) as source:
        monkeypatch.setattr(source, "replaced", lambda: ["transactions"])
        with pytest.raises(SourceUnavailableError, match=r"transactions .*replaced.*while it is read.*Run again"):
            source.holding(lambda: None)


def test_nothing_can_be_emptied_once_it_was_looked_at(settings: Settings, made: Callable[[str], str]) -> None:
    dsn = made(LINES + ROWS + TABLE)
    chosen = settings.model_copy(update={"source_dsn": SecretStr(dsn)})
    with open_source(chosen, load_mapping(chosen)) as source, psycopg.connect(dsn) as writer:
        found: Any = source.holding(lambda: source.answers("select count(*) from transactions"))
        assert found == [(2,)]
        writer.execute("set lock_timeout = 50")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            writer.execute("truncate transactions")
