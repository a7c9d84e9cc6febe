"""What a shop may leave out: optional tables and columns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr
from rows import Extract

from shopmill.errors import MissingTableError, SchemaDriftError
from shopmill.source.contract import TABLES
from shopmill.source.mapping import selection_of
from shopmill.source.snapshot import Snapshot

SHOP = {
    "articles": [{"article_id": "0001", "price": 1, "stock": 2}],
    "promotions": [{"article_id": "0001", "starts_on": "2020-01-01"}],
    "reviews": [{"review_id": "r", "review_date": "2020-09-20 00:00:00Z"}],
}


@pytest.fixture
def small_shop(new_shop: Callable[[], str]) -> str:
    dsn = new_shop()
    fill_shop(dsn, SHOP)
    return dsn


def test_an_optional_table_that_is_not_there_is_empty(extract: Extract, small_shop: str) -> None:
    with psycopg.connect(small_shop) as connection:
        connection.execute("drop table promotions")
    found = extract("2020-09-23", ["promotions", "reviews"], optional=["promotions"], source_dsn=SecretStr(small_shop))
    assert {name: snapshot.rows for name, snapshot in found.items()} == {"promotions": 0, "reviews": 1}


def test_an_optional_table_that_is_not_mapped_is_empty(extract: Extract, small_shop: str, tmp_path: Path) -> None:
    (tmp_path / "promotions.sql").write_text("-- we have none")
    (tmp_path / "reviews.sql").write_text(
        selection_of(TABLES["reviews"], ["review_id", "rating", "review_text", "review_date"])
    )
    found = extract(
        "2020-09-23",
        ["promotions", "reviews"],
        optional=["promotions"],
        source_dsn=SecretStr(small_shop),
        mapping=str(tmp_path),
    )
    assert {name: snapshot.rows for name, snapshot in found.items()} == {"promotions": 0, "reviews": 1}


def test_an_optional_table_that_is_there_must_be_right(extract: Extract, small_shop: str) -> None:
    with psycopg.connect(small_shop) as connection:
        connection.execute("alter table promotions alter starts_on type text")
    with pytest.raises(SchemaDriftError, match=r"promotions\.starts_on"):
        extract("2020-09-23", ["promotions"], optional=["promotions"], source_dsn=SecretStr(small_shop))


def test_a_table_that_a_dataset_needs_is_missed(extract: Extract, small_shop: str) -> None:
    with psycopg.connect(small_shop) as connection:
        connection.execute("drop table promotions")
    with pytest.raises(MissingTableError, match="The shop has no promotions"):
        extract("2020-09-23", ["promotions"], source_dsn=SecretStr(small_shop))


def test_a_table_that_was_there_and_is_not_is_missed(extract: Extract, small_shop: str) -> None:
    """What a run can do without is not lost in silence: a file of the mapping says that the shop has it no more."""
    extract("2020-09-23", ["promotions"], optional=["promotions"], source_dsn=SecretStr(small_shop))
    with psycopg.connect(small_shop) as connection:
        connection.execute("drop table promotions")
    with pytest.raises(MissingTableError, match="The shop has no promotions"):
        extract("2020-09-24", ["promotions"], optional=["promotions"], source_dsn=SecretStr(small_shop))


def test_optional_columns_may_be_missing(
    extract: Extract, rows_of: Callable[[Snapshot], list[dict[str, Any]]], small_shop: str, tmp_path: Path
) -> None:
    (tmp_path / "articles.sql").write_text("select article_id from articles")
    found = extract("2020-09-23", ["articles"], source_dsn=SecretStr(small_shop), mapping=str(tmp_path))
    row = rows_of(found["articles"])[0]
    assert (row["article_id"], row["price"], row["stock"]) == ("0001", None, None)


def test_names_in_another_case_are_the_contracts(
    extract: Extract, rows_of: Callable[..., list[dict[str, Any]]], made: Callable[[str], str], tmp_path: Path
) -> None:
    """SQL without quotes makes "FN" fn: that is no column of the shop's own."""
    dsn = made(
        "create table customers (CUSTOMER_ID text, FN integer, ACTIVE integer, Shoe_Size integer);"
        "insert into customers values ('c1', 1, 0, 44)"
    )
    (tmp_path / "customers.sql").write_text('select customer_id as "Customer_ID", FN, Active, shoe_size from customers')
    for mapping, attributes in (("canonical", None), (str(tmp_path), '{"shoe_size":"44"}')):
        [row] = rows_of(extract("2020-09-23", ["customers"], source_dsn=SecretStr(dsn), mapping=mapping)["customers"])
        assert (row["customer_id"], row["FN"], row["Active"], row["attributes"]) == ("c1", 1, 0, attributes)
    (tmp_path / "customers.sql").write_text("select customer_id, 'yes' as active from customers")
    [row] = rows_of(extract("2020-09-24", ["customers"], source_dsn=SecretStr(dsn), mapping=str(tmp_path))["customers"])
    assert (row["Active"], row["attributes"]) == (None, '{"active":"yes"}')  # of another type, and the shop's own
