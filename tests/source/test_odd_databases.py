"""Databases with settings, types and names of their own: they are read as any other, and doctor has nothing to say of it."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from rows import Extract, RowsOf

from pgbouncer import is_installed, pgbouncer
from shopmill import datasets
from shopmill.errors import ShopmillError
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.doctor import examine
from shopmill.source.findings import Finding

Make = Callable[[str], str]
AS_OF = "2020-09-23"
SALES = "create table transactions (t_dat date, article_id text, price numeric);"
ROWS = "insert into transactions values ('2020-09-20', 'a', 1.5), ('2020-09-21', 'b', 2);"


def set_for(dsn: str, **values: str) -> None:
    """Settings that every session on a database begins with."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, value in values.items():
            connection.execute(f"alter database {connection.info.dbname} set {name} = '{value}'".encode())


def execute(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def read(extract: Extract, rows_of: RowsOf) -> Callable[..., list[dict[str, Any]]]:
    """The raw rows of one table of a database."""

    def rows(dsn: str, table: str, refresh: bool = False, **changes: Any) -> list[dict[str, Any]]:
        return rows_of(extract(AS_OF, [table], refresh, source_dsn=SecretStr(dsn), **changes)[table])

    return rows


@pytest.fixture
def doctor(settings: Settings) -> Callable[..., Mapping[str, Finding]]:
    """What doctor finds that is not as it should be."""

    def findings(dsn: str, **changes: Any) -> Mapping[str, Finding]:
        chosen = settings.model_copy(update={"source_dsn": SecretStr(dsn), **changes})
        found = examine(chosen, datasets.load_all())
        return {one.subject: one for one in found if one.level != "ok" and one.subject != "role"}

    return findings


OF_EVERY_TYPE = """
create table goods (
  article_id text, "bytes" bytea, span interval, at timestamp, at_zone timestamptz, day date, hour time, ratio float8,
  small real, list text[], pair int4range, tree jsonb, flag boolean, exact numeric, net inet
);
insert into goods values (
  'a', '\\x00ff', '1 year 2 days 03:04:05.6', '2020-09-20 10:00', '2020-09-20 10:00+00', '2020-09-20', '10:00', 0.1, 129.95,
  array['x y', 'null', null], '[1,3)', '{"b": 1, "a": [1, 2]}', true, 1.50, '10.0.0.1'
);
"""
SETTINGS = {
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "timezone": "Pacific/Kiritimati",
    "quote_all_identifiers": "on",
    "xmlbinary": "hex",
    "array_nulls": "off",
    "debug_parallel_query": "on",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "60s",
    "enable_hashjoin": "off",
    "jit_above_cost": "0",
}


def test_what_a_role_sets_changes_no_attribute(made: Make, read: Callable[..., Any], tmp_path: Path) -> None:
    """The bytes of a version would change with it."""
    (tmp_path / "articles.sql").write_text("select * from goods")
    dsn = made(OF_EVERY_TYPE)
    [plain] = read(dsn, "articles", mapping=str(tmp_path))
    set_for(dsn, **SETTINGS)
    [odd] = read(dsn, "articles", mapping=str(tmp_path), store=str(tmp_path / "other"))
    assert odd == plain
    assert json.loads(plain["attributes"])["bytes"] == "\\x00ff"


def test_a_shop_stays_the_same_shop_whatever_its_role_sets(
    made: Make, extract: Extract, rows_of: RowsOf, doctor: Callable[..., Any]
) -> None:
    dsn = made(SALES + ROWS + "create index on transactions (t_dat)")
    before = doctor(dsn)
    first = extract(AS_OF, ["transactions"], source_dsn=SecretStr(dsn))["transactions"]
    set_for(dsn, **SETTINGS)
    again = extract(AS_OF, ["transactions"], refresh=True, source_dsn=SecretStr(dsn))["transactions"]
    assert [file.key for file in again.files] == [file.key for file in first.files]
    assert doctor(dsn).keys() == before.keys()


INDEXED = "create index on lines (t_dat);"
LINES = SALES.replace("transactions", "lines") + ROWS.replace("transactions", "lines")
RELATIONS = {
    "a view": LINES + INDEXED + "create view transactions as select * from lines;",
    "a view of a view with a filter": LINES + INDEXED
    + "create view v1 as select * from lines where price > 0; create view transactions as select t_dat, article_id, price from v1;",
    "a view of two tables": LINES + INDEXED + LINES.replace("lines", "old_lines").replace("'a'", "'c'")
    + "delete from old_lines; create index on old_lines (t_dat);"
    "create view transactions as select * from lines union all select * from old_lines;",
    "a materialized view": LINES + "create materialized view transactions as select * from lines; create index on transactions (t_dat);",
    "an unlogged table": SALES.replace("create table", "create unlogged table") + ROWS + "create index on transactions (t_dat);",
    "partitions by list in partitions by range": (
        "create table transactions (t_dat date, article_id text, price numeric) partition by range (t_dat);"
        "create table early partition of transactions for values from (minvalue) to ('2020-09-21') partition by list (article_id);"
        "create table early_a partition of early for values in ('a'); create table late partition of transactions default;"
        + ROWS + "create index on transactions (t_dat);"
    ),
    "a table of a composite type": (
        "create type sold_line as (t_dat date, article_id text, price numeric); create table transactions of sold_line;" + ROWS
        + "create index on transactions (t_dat);"
    ),
    "domains over domains": (
        "create domain money_net as numeric check (value >= 0); create domain paid as money_net;"
        "create domain day as date; create domain sku as varchar(40) not null;"
        "create table transactions (t_dat day, article_id sku, price paid);" + ROWS + "create index on transactions (t_dat);"
    ),
    "identity, generated and dropped columns": (
        "create table transactions (id bigint generated always as identity, gone int, t_dat date, article_id text, gross numeric,"
        " price numeric generated always as (gross / 2) stored); alter table transactions drop gone;"
        "insert into transactions (t_dat, article_id, gross) values ('2020-09-20', 'a', 3), ('2020-09-21', 'b', 4);"
        "create index on transactions (t_dat);"
    ),
    "a table with a rule and a trigger": SALES + ROWS
    + "create rule quiet as on delete to transactions do instead nothing; create index on transactions (t_dat);",
    "a table whose aliases are shopmill's": LINES + INDEXED
    + "create table mapped (x int); create table dated (x int); create table ours (x int); create table arriving (x int);"
    "create view transactions as select * from lines;",
    "numbers without scale, text with blanks": (
        "create table transactions (t_dat date, article_id varchar(10), price numeric);"
        "insert into transactions values ('2020-09-20', 'a   ', 1.500000000000), ('2020-09-21', ' b', 2);"
        "create index on transactions (t_dat);"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RELATIONS)
def test_a_source_may_be_any_relation(
    made: Make, read: Callable[..., Any], doctor: Callable[..., Any], kind: str
) -> None:
    dsn = made(RELATIONS[kind])
    found = sorted((str(row["t_dat"]), row["article_id"], float(row["price"])) for row in read(dsn, "transactions"))
    assert found == [("2020-09-20", "a", 1.5), ("2020-09-21", "b", 2.0)]
    assert doctor(dsn).keys() == {"transactions fresh"}  # its newest rows are years old


@pytest.fixture
def remote(postgres: EmbeddedPostgres, made: Make) -> str:
    """A database whose transactions lie in another one."""
    there, here = made(SALES + ROWS + "create index on transactions (t_dat)"), made("select 1")
    target, near = (psycopg.conninfo.conninfo_to_dict(dsn) for dsn in (there, here))
    with psycopg.connect(postgres.admin_dsn(str(near["dbname"]))) as admin:
        if not admin.execute("select 1 from pg_available_extensions where name = 'postgres_fdw'").fetchone():
            pytest.skip("this PostgreSQL has no postgres_fdw")
        for statement in (
            "create extension postgres_fdw",
            f"create server other foreign data wrapper postgres_fdw options (host '{target['host']}', "
            f"port '{target['port']}', dbname '{target['dbname']}')",
            f"create user mapping for tester server other options (user '{target['user']}', password '{target['password']}')",
            "create foreign table transactions (t_dat date, article_id text, price numeric) server other",
            "grant select on transactions to tester",
        ):
            admin.execute(statement.encode())
    return here


def test_a_foreign_table_is_read(remote: str, read: Callable[..., Any], doctor: Callable[..., Any]) -> None:
    assert sorted(row["article_id"] for row in read(remote, "transactions")) == ["a", "b"]
    assert not {one.subject for one in doctor(remote).values() if "index" in one.text}


def test_a_setting_that_a_pool_lets_nobody_change_is_said(made: Make, read: Callable[..., Any]) -> None:
    if not is_installed():
        pytest.skip("pgbouncer is not installed: run `make services`")
    dsn = made(SALES + ROWS)
    set_for(dsn, quote_all_identifiers="on")
    with tempfile.TemporaryDirectory(prefix="shopmill-pool-") as folder, pgbouncer(dsn, Path(folder)) as pooled:
        with pytest.raises(ShopmillError, match=r"options.*alter role … set quote_all_identifiers = off"):
            read(pooled, "transactions")
        set_for(dsn, quote_all_identifiers="off")
    assert len(read(dsn, "transactions")) == 2


def test_doctor_says_the_same_through_a_pool_in_transaction_mode(made: Make, doctor: Callable[..., Any]) -> None:
    if not is_installed():
        pytest.skip("pgbouncer is not installed: run `make services`")
    dsn = made(
        SALES + ROWS + "create table articles (article_id text, prod_name text); insert into articles values ('A')"
    )
    with tempfile.TemporaryDirectory(prefix="shopmill-pool-") as folder, pgbouncer(dsn, Path(folder), 1) as pooled:
        direct = doctor(dsn)
        assert {"transactions.t_dat", "transactions.article_id"} <= direct.keys()
        assert doctor(pooled) == direct
        with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as other:
            left = "select current_setting('enable_seqscan'), current_setting('timezone'), current_setting('intervalstyle')"
            with psycopg.connect(dsn) as fresh:
                assert other.execute(left).fetchone() == fresh.execute(left).fetchone()


LEFT_BEHIND = {
    "settings": "set intervalstyle = 'iso_8601'; set bytea_output = 'escape'; set extra_float_digits = -15;"
    "set transform_null_equals = on; set enable_seqscan = off; set lock_timeout = 1; set xmlbinary = 'hex'",
    "a cursor and a prepared statement": "prepare p as select 1; begin; declare c cursor with hold for select 1; commit",
    "a search path": "set search_path = other",
    "a temporary table": "create temp table articles (article_id text, detail_desc text)",
    "a time zone": "set timezone = 'Pacific/Apia'",
}  # fmt: skip
REFUSED = {"a search path", "a temporary table"}


@pytest.mark.parametrize("kind", LEFT_BEHIND)
def test_what_another_client_left_in_a_session_of_a_pool_changes_no_row(
    made: Make, read: Callable[..., Any], kind: str
) -> None:
    """It is overruled, or found to be another shop's table; never a few rows less, or others."""
    if not is_installed():
        pytest.skip("pgbouncer is not installed: run `make services`")
    dsn = made(
        OF_EVERY_TYPE.replace("goods", "articles") + "create schema other; create table other.articles (like articles);"
    )
    [plain] = read(dsn, "articles")
    with tempfile.TemporaryDirectory(prefix="shopmill-pool-") as folder, pgbouncer(dsn, Path(folder), 1) as pooled:
        with psycopg.connect(pooled, autocommit=True, prepare_threshold=None) as other:
            for statement in LEFT_BEHIND[kind].split(";"):
                other.execute(statement.encode())
        if kind in REFUSED:
            with pytest.raises(
                ShopmillError, match=r'another shop \(now: schema of "articles" (other|pg_temp_\d+), not public'
            ):
                read(pooled, "articles", refresh=True)
        else:
            assert read(pooled, "articles", refresh=True) == [plain]


LONG = "a" * 63
NAMES = ("user", "order", "Größe", 'a"b', "it's", "50%", "{x}", "$1", "two words", "new\nline", "Size", "size", LONG,
         "attributes", "misfits", "_day", "_attribute_0", "_misfit_price", "日本", "?", ":x", "--", "/* x */")  # fmt: skip


def test_a_column_may_have_any_name(made: Make, read: Callable[..., Any], tmp_path: Path) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in NAMES]
    dsn = made(
        f"create table goods (article_id text, {', '.join(f'{name} text' for name in quoted)});"
        f"insert into goods values ('a', {', '.join(str(n).join(chr(39) * 2) for n in range(len(NAMES)))})"
    )
    (tmp_path / "articles.sql").write_text("select * from goods")
    [row] = read(dsn, "articles", mapping=str(tmp_path))
    assert json.loads(row["attributes"]) == {name: str(number) for number, name in enumerate(NAMES)}
    assert list(json.loads(row["attributes"])) == sorted(NAMES)


def test_a_search_path_that_finds_nothing_is_said(made: Make, read: Callable[..., Any]) -> None:
    dsn = made("create schema laden; create table laden.transactions (t_dat date, article_id text, price numeric)")
    with pytest.raises(ShopmillError, match=r"has no table transactions .*but laden\.transactions"):
        read(dsn, "transactions")
    set_for(dsn, search_path="laden")
    assert read(dsn, "transactions") == []


def test_a_table_of_the_readers_own_schema_comes_first_and_is_another_shop_later(
    made: Make, extract: Extract, rows_of: RowsOf
) -> None:
    """PostgreSQL looks into the schema that is named after the role before all others."""
    dsn = made(SALES + ROWS)
    chosen = {"source_dsn": SecretStr(dsn)}
    assert len(rows_of(extract(AS_OF, ["transactions"], **chosen)["transactions"])) == 2
    execute(dsn, "create schema tester; create table tester.transactions (like public.transactions)")
    with pytest.raises(ShopmillError, match=r"another shop .*schema of .*transactions.* tester, not public"):
        extract("2020-09-24", ["transactions"], **chosen)


@pytest.mark.parametrize("day", ["-infinity", "infinity"])
def test_a_rate_of_no_day_is_rejected_with_its_text(made: Make, read: Callable[..., Any], day: str) -> None:
    dsn = made(
        "create table exchange_rates (day timestamptz, currency text, rate numeric);"
        f"insert into exchange_rates values ('{day}', 'USD', 1.1), ('2020-09-01', 'USD', 'NaN')"
    )
    rows = {str(row["day"]): row for row in read(dsn, "exchange_rates")}
    assert json.loads(rows["None"]["misfits"]) == {"day": day}
    assert json.loads(rows["2020-09-01"]["misfits"]) == {"rate": "NaN"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("timestamp", "found timestamp.*at time zone"),
        ("date", "found date.*at time zone"),
        ("text", "found text.*timestamptz"),
        ("bigint", "found int8.*to_timestamp"),
        ("time", "found time.*"),
    ],
)
def test_a_moment_without_a_zone_is_told_what_to_do(
    made: Make, read: Callable[..., Any], kind: str, words: str
) -> None:
    dsn = made(f"create table events (event_id text, visitor_id text, event_type text, event_datetime {kind})")
    with pytest.raises(ShopmillError, match=words) as refused:
        read(dsn, "events")
    assert "\n" not in str(refused.value)
