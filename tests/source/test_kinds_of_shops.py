"""Shops as they are: each keeps its rows in a way of its own, and is read, or told in a sentence what to change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from rows import Extract, RowsOf

from shopmill.errors import ShopmillError
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.database_errors import explain

SALES = "create table transactions (t_dat date, article_id text, price numeric);"
ROWS = "insert into transactions values ('2020-09-20', 'a', 1.5), ('2020-09-21', 'b', 2);"
READ = {
    "a partitioned table": (
        "create table transactions (t_dat date, article_id text, price numeric) partition by range (t_dat);"
        "create table early partition of transactions for values from ('2020-09-01') to ('2020-09-21');"
        "create table late partition of transactions default;" + ROWS,
        "",
    ),
    "a table and those that inherit from it": (
        SALES + "create table archive () inherits (transactions); insert into archive values ('2020-09-20', 'a', 1.5);"
        "insert into transactions values ('2020-09-21', 'b', 2);",
        "",
    ),
    "a materialized view": (
        SALES.replace("transactions", "lines")
        + ROWS.replace("transactions", "lines")
        + "create materialized view transactions as select * from lines;",
        "",
    ),
    "a generated column": (
        "create table lines (id integer generated always as identity, day date, sku text, gross numeric, "
        "net numeric generated always as (gross / 2) stored);"
        "insert into lines (day, sku, gross) values ('2020-09-20', 'a', 3), ('2020-09-21', 'b', 4);",
        "select day as t_dat, sku as article_id, net as price from lines",
    ),
    "money": (
        "create table lines (day date, sku citext, paid money);"
        "insert into lines values ('2020-09-20', 'a', '1.50'), ('2020-09-21', 'b', '2');",
        "select day as t_dat, sku as article_id, paid::numeric as price from lines",
    ),
    "reserved words, umlauts, dots and quotes as names": (
        'create schema "Läden.1"; create table "Läden.1"."order" ("Tag ""A""" date, "user" text, "Preis.€" numeric);'
        "insert into \"Läden.1\".\"order\" values ('2020-09-20', 'a', 1.5), ('2020-09-21', 'b', 2);",
        'select "Tag ""A""" as t_dat, "user" as article_id, "Preis.€" as price from "Läden.1"."order"',
    ),
    "JSON": (
        "create table documents (body jsonb); insert into documents values "
        '(\'{"day": "2020-09-20", "sku": ["a"], "price": 1.5}\'), (\'{"day": "2020-09-21", "sku": ["b"], "price": 2}\');',
        "select (body ->> 'day')::date as t_dat, body -> 'sku' ->> 0 as article_id, (body ->> 'price')::numeric as price "
        "from documents",
    ),
    "a function": (
        SALES + ROWS + "create function sales() returns setof transactions language sql as 'select * from transactions';",
        "select * from sales() where article_id not like '%?%' and '$1 {x}' <> ''",
    ),
    "columns that are called as shopmill's own": (
        SALES + ROWS + "alter table transactions add misfits text default 'x', add _day text default 'y';",
        "select * from transactions",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_it_is_read(extract: Extract, rows_of: RowsOf, made: Callable[[str], str], tmp_path: Path, kind: str) -> None:
    statements, select = READ[kind]
    changes: dict[str, Any] = {"source_dsn": SecretStr(made("create extension if not exists citext;" + statements))}
    if select:
        (tmp_path / "transactions.sql").write_text(select)
        changes["mapping"] = str(tmp_path)
    rows = rows_of(extract("2020-09-23", ["transactions"], **changes)["transactions"])
    found = sorted((str(row["t_dat"]), row["article_id"], float(row["price"])) for row in rows)
    assert found == [("2020-09-20", "a", 1.5), ("2020-09-21", "b", 2.0)]


SETTINGS = {
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "on",
    "timezone": "Pacific/Kiritimati",
    "xmloption": "document",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_is_set_for_a_database_changes_no_row(
    extract: Extract, rows_of: RowsOf, made: Callable[[str], str], tmp_path: Path, setting: str
) -> None:
    rows = r"create table lines (day timestamptz, sku text, paid real); insert into lines values ('2020-09-20 23:30+00', E'a\\1', 129.95);"
    (tmp_path / "transactions.sql").write_text(
        r"select day as t_dat, replace(sku, '\', '#') as article_id, paid as price from lines where sku ~ '\d'"
    )
    dsn = made(rows)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"alter database {connection.info.dbname} set {setting} = '{SETTINGS[setting]}'")
    [row] = rows_of(
        extract("2020-09-23", ["transactions"], source_dsn=SecretStr(dsn), mapping=str(tmp_path), time_zone="UTC")[
            "transactions"
        ]
    )
    assert (str(row["t_dat"]), row["article_id"], float(row["price"])) == ("2020-09-20", "a#1", 129.95)


REFUSED = {
    "money as it is": ("alter table transactions alter price type money", "", "found money.*cast it to numeric"),
    "an id that is a number": (
        "alter table transactions alter article_id type bigint using 1", "", "found int8.*padded as the shop pads it",
    ),
    "an array of ids": (
        "alter table transactions alter article_id type text[] using array[article_id]", "", r"found text\[\].*column\[1\]",
    ),
    "a day as text": ("alter table transactions alter t_dat type text", "", r"found text.*to_date\(column, 'DD.MM.YYYY'\)"),
    "a day without a zone": ("alter table transactions alter t_dat type timestamp", "", "found timestamp.*cast it to date"),
    "seconds since 1970": (
        "", "select 1600000000::bigint as t_dat, article_id, price from transactions", "found int8.*to_date",
    ),
    "a price as text": ("alter table transactions alter price type text", "", r"found text.*replace\(column, ',', '.'\)"),
    "a view that was never filled": (
        "alter table transactions rename to lines; create materialized view transactions as select * from lines with no data",
        "", "has not been populated.*refresh materialized view",
    ),
    "a division by zero": (
        "", "select t_dat, article_id, price / (price - 2) as price from transactions",
        r"division by zero\. Change transactions\.sql",
    ),
    "a text that is no number": (
        "", "select t_dat, article_id, nullif(article_id, 'a')::numeric as price from transactions",
        r'invalid input syntax for type numeric: a value like "a"\. Change transactions\.sql',
    ),
    "a character 0 in JSON": (
        "", """select t_dat, '{"sku": "\\u0000"}'::json ->> 'sku' as article_id, price from transactions""",
        r"Unicode.* no text can\. In transactions\.sql .*regexp_replace",
    ),
    "a subquery of several rows": (
        "", "select t_dat, (select article_id from transactions) as article_id, price from transactions",
        r"more than one row returned .*Change transactions\.sql",
    ),
    "a failure that nobody foresaw": (
        "", "select t_dat, substring(article_id from '(') as article_id, price from transactions",
        r"parentheses \(\) not balanced\. .*Change transactions\.sql|change what transactions\.sql of the mapping makes of its values",
    ),
    "bytes as an id": (
        "alter table transactions alter article_id type bytea using article_id::bytea", "", r"found bytea.*encode\(column, 'hex'\)",
    ),
    "JSON as an id": (
        "alter table transactions alter article_id type jsonb using to_jsonb(article_id)", "", "found jsonb.*column ->> 'key'",
    ),
    "a flag as a number": (
        "alter table transactions add sales_channel_id boolean", "", "sales_channel_id .*found bool.*case when column then",
    ),
    "a SELECT that deletes": (
        "", "with gone as (delete from transactions returning *) select * from gone", r"top level\. Change transactions\.sql",
    ),
    "an INSERT": ("", "insert into transactions select * from transactions returning *", r"syntax error.*Change transactions\.sql"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_told_in_a_sentence_what_to_change(
    extract: Extract, made: Callable[[str], str], tmp_path: Path, kind: str
) -> None:
    statements, select, words = REFUSED[kind]
    changes: dict[str, Any] = {"source_dsn": SecretStr(made(SALES + ROWS + statements))}
    if select:
        (tmp_path / "transactions.sql").write_text(select)
        changes["mapping"] = str(tmp_path)
    with pytest.raises(ShopmillError, match=words) as refused:
        extract("2020-09-23", ["transactions"], **changes)
    assert "\n" not in str(refused.value)


def test_a_zone_that_the_database_does_not_know() -> None:
    """Python finds some names in the system's files that are no zones: no mapping is to blame."""

    class InvalidParameterValueError(Exception):
        sqlstate = "22023"

    told = str(
        explain(
            "the database", InvalidParameterValueError('ERROR:  invalid value for parameter "TimeZone": "localtime"')
        )
    )
    assert told.endswith('"TimeZone": "localtime". Check SHOPMILL_TIME_ZONE.')
    assert "mapping" not in told


def of_a_narrow_role(postgres: EmbeddedPostgres, dsn: str, granted: str) -> SecretStr:
    """The database for a role that may read some columns of transactions."""
    database = str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])
    postgres.ensure_role("narrow")
    with psycopg.connect(postgres.admin_dsn(database)) as admin:
        admin.execute(f"grant connect on database {database} to narrow".encode())
        admin.execute(f"grant select ({granted}) on transactions to narrow".encode())
    return SecretStr(postgres.dsn(database, "narrow"))


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        ("t_dat, article_id, price", r"transactions\.quantity is there, but .*Grant .*leave quantity, currency out"),
        ("t_dat, article_id, price, quantity", r"transactions\.currency is there, but .*or leave currency out"),
        ("article_id, price, quantity, currency", r"transactions\.t_dat is there, but the source role may not read it"),
    ],
)
def test_a_column_that_the_role_may_not_read_is_not_taken_for_one_that_the_shop_has_not(
    extract: Extract, made: Callable[[str], str], postgres: EmbeddedPostgres, granted: str, words: str
) -> None:
    more = "alter table transactions add quantity numeric default 500, add currency text, add note text"
    narrow = of_a_narrow_role(postgres, made(SALES + ROWS + more), granted)
    with pytest.raises(ShopmillError, match=words) as refused:
        extract("2020-09-23", ["transactions"], source_dsn=narrow)
    assert "\n" not in str(refused.value)


def test_a_column_that_is_none_of_the_contract_may_be_hidden(
    extract: Extract, rows_of: RowsOf, made: Callable[[str], str], postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """So may one of the contract that a mapping leaves out."""
    more = "alter table transactions add card_number text, add quantity numeric default 500"
    dsn = made(SALES + ROWS + more)
    narrow = of_a_narrow_role(postgres, dsn, "t_dat, article_id, price, quantity")
    assert len(rows_of(extract("2020-09-23", ["transactions"], source_dsn=narrow)["transactions"])) == 2
    (tmp_path / "transactions.sql").write_text("select t_dat, article_id, price from transactions")
    found = extract("2020-09-23", ["transactions"], source_dsn=narrow, mapping=str(tmp_path))["transactions"]
    assert "quantity" not in found.columns
