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
from shopmill.source.mapping import PRESETS, Mapping, load_mapping
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
    common = {"customer_id": "7", "article_id": "0000000042", "price": Decimal("1.25"), "sales_channel_id": None}
    assert rows_of(found) == [{"t_dat": date(2020, 9, day), **common} for day in (20, 21)]


def test_every_preset_selects_the_whole_contract() -> None:
    for folder in PRESETS.iterdir():
        mapping = Mapping(folder, "UTC")
        for name, table in TABLES.items():
            assert table.optional or mapping.select(name)


def test_a_preset_by_name_and_a_folder_by_path(tmp_path: Path) -> None:
    assert load_mapping(Settings(_env_file=None)).folder == PRESETS / "canonical"
    assert load_mapping(Settings(_env_file=None, mapping=str(tmp_path))).folder == tmp_path
    with pytest.raises(InvalidInputError, match="SHOPMILL_MAPPING"):
        load_mapping(Settings(_env_file=None, mapping="canonicle"))


def test_what_changes_the_rows_changes_the_fingerprint(tmp_path: Path) -> None:
    for name in ("orders", "order_items", "events"):
        (tmp_path / f"{name}.sql").write_text(f"select * from {name}")
    items = TABLES["order_items"]
    first = Mapping(tmp_path, "UTC").fingerprint(items)
    assert Mapping(tmp_path, "UTC").fingerprint(items) == first
    assert Mapping(tmp_path, "Europe/Stockholm").fingerprint(items) != first
    (tmp_path / "events.sql").write_text("select 1")
    assert Mapping(tmp_path, "UTC").fingerprint(items) == first
    (tmp_path / "orders.sql").write_text("select * from orders where shop = 1")  # items are dated by orders
    assert Mapping(tmp_path, "UTC").fingerprint(items) != first
