from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopmill.errors import InvalidInputError
from shopmill.shops import synthetic
from shopmill.shops.loading import TABLES

SCALE = 0.01


@pytest.fixture(scope="module")
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    with synthetic.tables(SCALE, seed=3) as tables:
        yield tables


def one(source: duckdb.DuckDBPyConnection, query: str) -> Any:
    (row,) = source.sql(query).fetchall()
    return row if len(row) > 1 else row[0]


@settings(max_examples=6, deadline=None)
@given(scale=st.floats(0.0001, 0.003), seed=st.integers(-(2**31), 2**62))
def test_numbers_of_rows_follow_the_scale_exactly(scale: float, seed: int) -> None:
    with synthetic.tables(scale, seed) as shop:
        assert one(shop, "select count(*) from transactions") == max(1, round(31_788_324 * scale))
        assert one(shop, "select count(*) from customers") == max(1, round(1_371_980 * scale))
        assert one(shop, "select count(distinct article_id) from articles") == max(1, round(105_542 * scale))
        # Every line is in an order, and every order has lines.
        assert one(shop, "select sum(abs(quantity)) > 0 from order_items") is True
        assert one(shop, "select count(*) from orders anti join order_items using (order_id)") == 0
        assert one(shop, "select count(*) from order_items anti join orders using (order_id)") == 0
        assert one(shop, "select count(*) = count(distinct order_id) from orders") is True


def test_same_rows_in_the_same_order_whatever_the_threads() -> None:
    with synthetic.tables(0.005, seed=7, threads=1) as a, synthetic.tables(0.005, seed=7, threads=2) as b:
        for table in TABLES:
            assert a.table(table).to_arrow_table().equals(b.table(table).to_arrow_table()), table


def test_another_seed_is_another_shop() -> None:
    with synthetic.tables(0.001, seed=1) as a, synthetic.tables(0.001, seed=2) as b:
        for table in TABLES:
            assert not a.table(table).to_arrow_table().equals(b.table(table).to_arrow_table()), table


def test_days_cover_the_two_years(shop: duckdb.DuckDBPyConnection) -> None:
    days = one(
        shop, "select min(t_dat), max(t_dat), count(distinct t_dat) from transactions where t_dat < '2021-01-01'"
    )
    assert days == (synthetic.FIRST_DAY, synthetic.LAST_DAY, 734)


def test_seasons_and_weekends_show(shop: duckdb.DuckDBPyConnection) -> None:
    june, january = one(
        shop, "select count(*) filter (month(t_dat) = 6), count(*) filter (month(t_dat) = 1) from transactions"
    )
    assert june > january * 1.4
    saturdays, mondays = one(
        shop, "select count(*) filter (isodow(t_dat) = 6), count(*) filter (isodow(t_dat) = 1) from transactions"
    )
    assert saturdays > mondays * 1.2


@pytest.mark.parametrize(("key", "share"), [("article_id", 0.3), ("customer_id", 0.3)])
def test_a_tenth_makes_most_of_the_lines(shop: duckdb.DuckDBPyConnection, key: str, share: float) -> None:
    top = f"""
        select sum(n) filter (place <= 0.1) / sum(n)
        from (select count(*) as n, percent_rank() over (order by count(*) desc) as place
              from transactions where {key} is not null group by {key})"""
    assert one(shop, top) > share


def test_about_nine_percent_of_lines_repeat_another_exactly(shop: duckdb.DuckDBPyConnection) -> None:
    share = "select 1 - (select count(*) from (select distinct * from transactions)) / count(*) from transactions"
    assert one(shop, share) == pytest.approx(0.0936, abs=0.01)


def test_items_add_up_to_the_transaction_lines(shop: duckdb.DuckDBPyConnection) -> None:
    assert one(shop, "select sum(units) from shop_lines") == one(shop, "select count(*) from transactions")


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("null customer", "select count(*) from transactions where customer_id is null"),
        ("null article", "select count(*) from transactions where article_id is null"),
        ("negative price", "select count(*) from transactions where price < 0"),
        ("future day", "select count(*) from transactions where t_dat > '2020-09-22'"),
        ("unknown article", "select count(*) from transactions anti join articles using (article_id)"),
        ("returned item", "select count(*) from order_items where quantity < 0"),
        ("empty item", "select count(*) from order_items where quantity = 0"),
        ("cancelled order", "select count(*) from orders where order_status = 'cancelled'"),
        ("event without id", "select count(*) from events where event_id is null"),
        ("event without time", "select count(*) from events where event_datetime is null"),
        ("event to come", "select count(*) from events where event_datetime > '2021-01-01'"),
        ("event sent twice", "select count(*) - count(distinct event_id) from events where event_id is not null"),
        ("unknown event", "select count(*) from events where event_type = 'wishlist'"),
        ("anonymous event", "select count(*) from events where customer_id is null"),
        ("bad rating", "select count(*) from reviews where rating is null or rating not between 1 and 5"),
        ("empty review", "select count(*) from reviews where review_text is null"),
        ("no description", "select count(*) from articles where detail_desc is null"),
        ("no age", "select count(*) from customers where age is null"),
        ("group promotion", "select count(*) from promotions where product_group_name is not null"),
    ],
)
def test_what_is_missing_or_wrong_is_there_but_rare(shop: duckdb.DuckDBPyConnection, what: str, query: str) -> None:
    n, total = (
        one(shop, query),
        one(shop, query.replace("count(*) - count(distinct event_id)", "count(*)").split(" where ")[0]),
    )
    assert n > 0
    assert n == total or n < total * 0.25


def test_late_events_are_stored_after_later_ones(shop: duckdb.DuckDBPyConnection) -> None:
    late = """
        select count(*) filter (event_datetime < seen - interval 1 day)
        from (select event_datetime, max(event_datetime) over (order by n rows unbounded preceding) as seen
              from (select *, row_number() over () as n from events where event_datetime < '2020-09-23'))"""
    assert one(shop, late) > 1_000


def test_codes_of_the_catalogue_have_one_name(shop: duckdb.DuckDBPyConnection) -> None:
    for code, name in [
        ("product_type_no", "product_type_name"),
        ("product_type_name", "product_group_name"),
        ("colour_group_code", "colour_group_name"),
        ("department_no", "department_name"),
        ("index_code", "index_name"),
        ("garment_group_no", "garment_group_name"),
        ("product_code", "prod_name"),
    ]:
        torn = f"select {code} from articles group by {code} having count(distinct {name}) > 1"
        assert shop.sql(torn).fetchall() == [], code


@pytest.mark.parametrize("wanted", [0.0, 0.5, 1.0, 3.0])
def test_events_per_transaction(wanted: float) -> None:
    with synthetic.tables(0.003, events_per_transaction=wanted) as shop:
        events, lines = one(shop, "select (select count(*) from events), (select count(*) from transactions)")
    assert events / lines == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize(("scale", "events"), [(0, 1), (-1, 1), (float("nan"), 1), (11, 1), (1, 4), (1, -1)])
def test_sizes_out_of_range_are_named(scale: float, events: float) -> None:
    with pytest.raises(InvalidInputError, match=r"scale of the synthetic shop|events_per_transaction"):
        synthetic.synthetic_shop(scale, events_per_transaction=events)


def test_load_fills_postgres_and_another_scale_replaces(database: Callable[[], str]) -> None:
    dsn = database()
    assert synthetic.load(dsn, 0.002)["transactions"] == 63_577
    rows = synthetic.load(dsn, 0.001)
    assert list(rows) == list(TABLES)
    with psycopg.connect(dsn) as connection:
        for table in TABLES:
            assert connection.execute(f"select count(*) from {table}").fetchone() == (rows[table],)
    assert synthetic.load(dsn, 0.001, progress=lambda *_: pytest.fail("loaded again")) == rows


def test_after_an_interrupted_load_the_next_one_begins_again(database: Callable[[], str]) -> None:
    dsn = database()
    rows = synthetic.load(dsn, 0.001)

    def break_at_orders(table: str, done: int, total: int) -> None:
        if table == "orders":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic.load(dsn, 0.002, progress=break_at_orders)
    loaded = set()
    assert synthetic.load(dsn, 0.001, progress=lambda table, *_: loaded.add(table)) == rows
    assert loaded == set(TABLES)
    with psycopg.connect(dsn) as connection:
        for table in TABLES:
            assert connection.execute(f"select count(*) from {table}").fetchone() == (rows[table],)


def test_parquet_holds_the_same_rows(tmp_path: Path) -> None:
    synthetic.to_parquet(tmp_path, 0.001, only=["transactions", "customers"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["customers.parquet", "transactions.parquet"]
    with synthetic.tables(0.001) as shop:
        expected = shop.table("transactions").to_arrow_table()
    assert pq.read_table(tmp_path / "transactions.parquet").to_pylist() == expected.to_pylist()
