"""From a stream of rows to files: cut into days and pieces, in a total order, in the contract's types."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from golden import fill_shop
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr
from rows import Extract, RowsOf, add, line

from shopmill.settings import Settings
from shopmill.source import stream, values
from shopmill.versions.store import Store


def test_a_year_of_days_and_one_huge_day_in_small_chunks(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill_shop(shop_dsn, {})
    with psycopg.connect(shop_dsn) as connection:
        connection.execute(
            "insert into transactions select '2020-01-01'::date + (i % 200), 'c' || i % 7, 'a', i % 11, 1 from generate_series(1, 2000) i"
        )
        connection.execute(
            "insert into transactions select '2020-09-22', 'c' || i, 'a', 1, 1 from generate_series(1, 20000) i"
        )
    whole = extract("2020-09-23", ["transactions"])["transactions"]
    monkeypatch.setattr(stream, "CHUNK_ROWS", 100)
    monkeypatch.setattr(stream, "QUEUED_BATCHES", 1)
    chunked = extract("2020-09-23", ["transactions"], store=str(tmp_path / "other"))["transactions"]
    assert chunked.rows == 22_000
    assert chunked.days == whole.days
    assert len(rows_of(whole)) == 22_000


def test_a_dimension_larger_than_a_chunk_is_one_sorted_file(
    extract: Extract, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_shop(shop_dsn, {})
    with psycopg.connect(shop_dsn) as connection:
        connection.execute(
            "insert into customers (customer_id) select 'c' || i from generate_series(1, 60000) i order by random()"
        )
    monkeypatch.setattr(stream, "CHUNK_ROWS", 100)
    snapshot = extract("2020-09-23", ["customers"])["customers"]
    assert [file.rows for file in snapshot.files] == [60_000]


ODD = (
    "",
    " ",
    "'",
    '"',
    "a\nb",
    "\\N",
    "\\.",
    "\t",
    "😀",
    "NULL",
    "x" * 100_000,
    "\x01",
    "\u0131",
    "\u0130",
    "0001",
    "1e5",
)


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.builds(
            line,
            st.sampled_from(["2020-09-20", "2020-09-21", None]),
            st.one_of(st.none(), st.sampled_from(ODD)),
            st.one_of(st.none(), st.decimals(-(10**9), 10**9, places=6)),
            st.one_of(st.none(), st.sampled_from(ODD)),
        ),
        max_size=12,
    ),
    data=st.data(),
)
def test_any_physical_order_gives_equal_bytes(
    extract: Extract,
    rows_of: RowsOf,
    shop_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
    data: Any,
) -> None:
    found = []
    for order in (rows, data.draw(st.permutations(rows))):
        fill_shop(shop_dsn, {"transactions": order})
        store = str(tmp_path_factory.mktemp("store"))
        found.append(extract("2020-09-23", ["transactions"], store=store)["transactions"])
    assert found[0].days == found[1].days
    read = [
        row for file in found[1].files for row in pq.read_table(Path(store) / file.key, partitioning=None).to_pylist()
    ]
    absent = {"quantity": Decimal("1.000000"), "currency": None, "changed_at": None, "misfits": None}
    expected = [
        {
            **row,
            **absent,
            **_trimmed(row),
            "t_dat": row["t_dat"] and date.fromisoformat(row["t_dat"]),
            "price": _price(row["price"]),
        }
        for row in rows
    ]
    assert sorted(map(_ordered, read)) == sorted(map(_ordered, expected))


def _ordered(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


def _trimmed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: (row[name] or "").strip(values.BLANKS) or None for name in ("customer_id", "article_id")}


def _price(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(Decimal("0.000001"))


def test_a_value_that_does_not_fit_is_null_and_said(
    extract: Extract, rows_of: RowsOf, shop_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20", "a"), line("2020-09-20", "b", "NaN")]})
    found = rows_of(extract("2020-09-23", ["transactions"])["transactions"])
    assert sorted((row["customer_id"], row["price"]) for row in found) == [("a", Decimal("1.5")), ("b", None)]
    assert "transactions" in caplog.text
    assert "read as null" in caplog.text


def test_an_infinite_price_and_a_number_too_large_are_null(
    extract: Extract, rows_of: RowsOf, new_shop: Callable[[], str]
) -> None:

    dsn = new_shop()
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table transactions alter price type numeric, alter sales_channel_id type bigint")
    add(dsn, "transactions", line("2020-09-20", "a", "Infinity"), line("2020-09-20", "b", "1e20"))
    add(dsn, "transactions", {**line("2020-09-20", "c"), "sales_channel_id": 2**40})
    found = rows_of(extract("2020-09-23", ["transactions"], source_dsn=SecretStr(dsn))["transactions"])
    assert sorted((r["customer_id"], r["price"], r["sales_channel_id"]) for r in found) == [
        ("a", None, 1), ("b", None, 1), ("c", Decimal("1.5"), None),
    ]  # fmt: skip


def test_a_dictionary_is_made_of_what_repeats_and_not_of_ids(
    extract: Extract, settings: Settings, shop_dsn: str
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20", f"c{number}") for number in range(100)]})
    [file] = extract("2020-09-23", ["transactions"])["transactions"].files
    [path] = Store(settings.store).fetch([file.key], settings.work_folder)  # type: ignore[arg-type]
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    has_dictionary = {column.path_in_schema: column.has_dictionary_page for column in columns}
    assert (has_dictionary["customer_id"], has_dictionary["article_id"]) == (False, True)


def test_a_day_with_one_customer_and_guests_keeps_them_apart(
    extract: Extract, shop_dsn: str, settings: Settings
) -> None:
    """A filter on nulls is answered from a file's statistics where it can be, and must be answered rightly."""
    fill_shop(shop_dsn, {"transactions": [line("2020-09-20"), line("2020-09-20"), line("2020-09-20", customer=None)]})  # type: ignore[arg-type]
    [file] = extract("2020-09-21", ["transactions"])["transactions"].files
    [path] = Store(settings.store).fetch([file.key], Path(settings.store))
    with duckdb.connect() as connection:
        found = connection.execute("select count(*) from read_parquet(?) where customer_id is null", [str(path)])
        assert found.fetchone() == (1,)
