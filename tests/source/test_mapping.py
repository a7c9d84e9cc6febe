"""A shop with its own names and types, mapped by a folder of SELECTs; and what tells raw files apart."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.mapping import Mapping, canonical, load_mapping
from shopmill.source.select_file import statement
from shopmill.source.snapshot import Snapshot

OTHER_SHOP = """
create schema "Laden";
create table "Laden"."Verkäufe" ("Tag" timestamp, "Kunde" bigint, "Artikel" integer, "Preis (€)" double precision);
insert into "Laden"."Verkäufe" values ('2020-09-20 23:30', 7, 42, 1.25), ('2020-09-21 00:30', 7, 42, 1.25);
"""
TRANSACTIONS = """
-- a comment; and a semicolon
select
  "Tag"::date as t_dat, "Kunde"::text as customer_id, lpad("Artikel"::text, 10, '0') as article_id,
  "Preis (€)" as price, null::integer as sales_channel_id
from "Laden"."Verkäufe"
;
"""


def test_another_shop_fits_by_a_folder(
    extract: Callable[..., dict[str, Snapshot]],
    rows_of: Callable[[Snapshot], list[dict[str, Any]]],
    database: Callable[[], str],
    tmp_path: Path,
) -> None:
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute(OTHER_SHOP)
    (tmp_path / "transactions.sql").write_text(TRANSACTIONS)
    (tmp_path / "unrelated.sql").write_text("drop table everything")
    found = extract("2020-09-23", ["transactions"], source_dsn=SecretStr(dsn), mapping=str(tmp_path))["transactions"]
    absent = dict.fromkeys(("sales_channel_id", "currency", "changed_at", "misfits"))
    common = {
        "customer_id": "7",
        "article_id": "0000000042",
        "price": Decimal("1.25"),
        "quantity": Decimal(1),
        **absent,
    }
    assert rows_of(found) == [{"t_dat": date(2020, 9, day), **common} for day in (20, 21)]


def test_the_canonical_mapping_selects_the_whole_contract() -> None:
    mapping = Mapping((), "UTC")
    for name, table in TABLES.items():
        assert all(f'"{column.name}"' in mapping.select(name) for column in table.selected)


def test_presets_and_folders_in_the_order_in_which_they_count(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder, tables in ((mine, ["orders"]), (theirs, ["orders", "events"])):
        folder.mkdir()
        for table in tables:
            (folder / f"{table}.sql").write_text(f"select '{folder.name}' from {table}")
    found = load_mapping(Settings(_env_file=None, mapping=f"{mine}, {theirs},canonical"))
    assert "mine" in found.select("orders")
    assert "theirs" in found.select("events")
    assert found.select("reviews") == canonical(TABLES["reviews"])
    assert load_mapping(Settings(_env_file=None)).is_canonical


@pytest.mark.parametrize("mapping", ["canonicle", "canonical,nowhere"])
def test_a_mapping_that_is_not_there_is_one_sentence(mapping: str) -> None:
    with pytest.raises(InvalidInputError, match="SHOPMILL_MAPPING") as error:
        load_mapping(Settings(_env_file=None, mapping=mapping))
    assert "\n" not in str(error.value)


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "order.sql").write_text("select 1")
    with pytest.raises(InvalidInputError, match="named after a table"):
        load_mapping(Settings(_env_file=None, mapping=str(tmp_path)))


@pytest.mark.parametrize("name", ["Orders.sql", "ORDERS.SQL", "orders.Sql", "Order_Items.sql"])
def test_a_file_whose_name_is_in_another_case_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "events.sql").write_text("select 1")
    (tmp_path / name).write_text("select 1")
    with pytest.raises(InvalidInputError, match=rf"{name} would not be used: rename it to {name.lower()}"):
        load_mapping(Settings(_env_file=None, mapping=str(tmp_path)))


def test_one_renamed_table_needs_one_file(
    extract: Callable[..., dict[str, Snapshot]],
    rows_of: Callable[[Snapshot], list[dict[str, Any]]],
    new_shop: Callable[[], str],
    tmp_path: Path,
) -> None:
    """Also where another table is dated by it, or where it is a column that has another name."""
    dsn = new_shop()
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table orders rename to purchases; alter table articles rename prod_name to title")
        connection.execute("insert into purchases (order_id, order_datetime) values ('o1', '2020-09-20 10:00Z')")
        connection.execute("insert into order_items (order_id, article_id, quantity, price) values ('o1', 'a', 1, 1)")
        connection.execute("insert into articles (article_id, title) values ('a', 'Coat')")
    (tmp_path / "orders.sql").write_text("select * from purchases")
    (tmp_path / "articles.sql").write_text("select article_id, title as prod_name from articles")
    found = extract("2020-09-23", TABLES, source_dsn=SecretStr(dsn), mapping=str(tmp_path))
    assert [file.day for file in found["order_items"].files] == ["2020-09-20"]
    assert rows_of(found["articles"])[0]["prod_name"] == "Coat"
    assert found["events"].rows == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1 -- a comment", "select 1 -- a comment"),
        ("select 1; -- the end", "select 1"),
        ("\ufeffselect 1;;\r\n", "select 1"),
        ("/* a;b */ select ';', $$;$$ ; ", "/* a;b */ select ';', $$;$$"),
        ("with a as (select 1) select * from a\n-- end ;", "with a as (select 1) select * from a\n-- end ;"),
        ("select 'über' as x, '€' as y ;", "select 'über' as x, '€' as y"),
        ("-- we have none", ""),
        ("", ""),
        (" ;", ""),
    ],
)
def test_a_statement_is_what_the_file_means(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "events.sql").write_text(text)
    assert statement(tmp_path / "events.sql") == expected


def test_two_statements_in_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "events.sql").write_text("select 1; drop table orders")
    with pytest.raises(InvalidInputError, match="more than one statement"):
        statement(tmp_path / "events.sql")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.sql").write_bytes("select 'über'".encode("latin1"))
    with pytest.raises(InvalidInputError, match="UTF-8"):
        statement(tmp_path / "events.sql")


def test_what_changes_the_rows_changes_the_fingerprint(tmp_path: Path) -> None:
    for name in ("orders", "order_items", "events"):
        (tmp_path / f"{name}.sql").write_text(f"select * from {name}")
    items = TABLES["order_items"]
    first = Mapping((tmp_path,), "UTC").fingerprint(items)
    assert Mapping((tmp_path,), "UTC").fingerprint(items) == first
    assert Mapping((tmp_path,), "Europe/Stockholm").fingerprint(items) != first
    (tmp_path / "events.sql").write_text("select 1")
    assert Mapping((tmp_path,), "UTC").fingerprint(items) == first
    (tmp_path / "orders.sql").write_text("select * from orders where shop = 1")  # items are dated by orders
    assert Mapping((tmp_path,), "UTC").fingerprint(items) != first
