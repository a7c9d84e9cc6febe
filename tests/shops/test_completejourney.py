from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from pydantic import SecretStr

import shopmill
from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import completejourney
from shopmill.shops.loading import TABLES

GENERATED = ("events", "reviews")


@pytest.fixture(scope="module")
def journey() -> Iterator[duckdb.DuckDBPyConnection]:
    with completejourney.tables(threads=2) as tables:
        yield tables


def one(source: duckdb.DuckDBPyConnection, query: str) -> Any:
    (row,) = source.sql(query).fetchall()
    return row if len(row) > 1 else row[0]


def content(source: duckdb.DuckDBPyConnection, table: str) -> Any:
    return one(source, f"select count(*), sum(hash(t::text)) from {table} t")


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("customers", 2_469),
        ("articles", 92_331),
        ("transactions", 1_469_307),
        ("order_items", 1_469_307),
        ("orders", 155_848),
    ],
)
def test_real_tables_have_the_published_number_of_rows(
    journey: duckdb.DuckDBPyConnection, table: str, rows: int
) -> None:
    assert one(journey, f"select count(*) from {table}") == rows


def test_odd_rows_are_kept(journey: duckdb.DuckDBPyConnection) -> None:
    orphans = "select count(*) from transactions anti join articles using (article_id)"
    assert one(journey, orphans) == 4_836
    assert one(journey, "select count(*) from order_items where quantity = 0") == 8_869
    assert str(one(journey, "select max(order_datetime)::text from orders")) == "2018-01-01 04:01:20+00"


def test_a_day_is_a_day_in_new_york(journey: duckdb.DuckDBPyConnection) -> None:
    first, last = one(journey, "select min(t_dat), max(t_dat) from transactions")
    assert first == completejourney.FIRST_DAY
    assert (completejourney.AS_OF - last).days == 1
    # Weeks of the data begin on Mondays at local midnight: in local days no week is torn.
    torn = """
        select count(*) from (
            select week from journey_lines
            group by week
            having count(distinct date_trunc('week', sold_at at time zone 'America/New_York')) > 1
        )"""
    assert one(journey, torn) == 0


def test_money_is_kept_to_the_cent(journey: duckdb.DuckDBPyConnection) -> None:
    assert one(journey, "select sum(price) from transactions") == Decimal("4596039.580000")
    by_unit = "select sum(quantity * price) from order_items where quantity between 1 and 99"
    by_line = "select sum(amount) from journey_lines where quantity between 1 and 99"
    assert abs(one(journey, by_unit) - one(journey, by_line)) < Decimal("0.1")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("product_type_no", "product_type_name"),
        ("product_code", "prod_name"),
        ("department_no", "department_name"),
        ("index_code", "index_name"),
        ("section_no", "section_name"),
        ("garment_group_no", "garment_group_name"),
        ("product_type_name", "product_group_name"),
    ],
)
def test_a_code_has_one_name(journey: duckdb.DuckDBPyConnection, code: str, name: str) -> None:
    torn = f"select {code} from articles where {code} is not null group by {code} having count(distinct {name}) > 1"
    assert journey.sql(torn).fetchall() == []


def test_promotions_are_whole_weeks_that_neither_touch_nor_overlap(journey: duckdb.DuckDBPyConnection) -> None:
    assert one(journey, "select bool_and(isodow(starts_on) = 1 and isodow(ends_on) = 7) from promotions") is True
    near = """
        select count(*) from promotions a join promotions b
            on a.article_id = b.article_id and a.kind = b.kind
        where a.starts_on < b.starts_on and b.starts_on <= a.ends_on + 1"""
    assert one(journey, near) == 0
    weeks = "select sum((ends_on - starts_on + 1) // 7) from promotions where kind = 'mailer'"
    real = "select count(distinct (product_id, week)) from journey_promotions where mailer_location::text <> '0'"
    assert one(journey, weeks) == one(journey, real)


def test_clickstream_leads_to_real_baskets(journey: duckdb.DuckDBPyConnection) -> None:
    counts = dict(journey.sql("select event_type, count(*) from events group by all").fetchall())
    assert counts["view"] > counts["click"] > counts["remove_from_cart"] > 0
    assert counts["view"] > counts["add_to_cart"] > counts["checkout"] > 0
    assert counts["wishlist"] > 0
    assert 2 <= sum(counts.values()) / 1_469_307 <= 3
    invented = """
        select count(*) from events anti join journey_lines
            on journey_lines.article_id = events.article_id and sold_at = event_datetime and amount = event_value
        where event_type = 'purchase'"""
    assert one(journey, invented) == 0
    anonymous, repeated = one(
        journey, "select count(*) filter (customer_id is null), count(*) - count(distinct event_id) from events"
    )
    assert anonymous > 100_000
    assert 500 < repeated < 5_000


def test_reviews_look_like_reviews(journey: duckdb.DuckDBPyConnection) -> None:
    shares = """
        select
            count(*) filter (review_text is null), count(*) filter (review_text like '%<%'),
            count(*) filter (review_text like '%@example.com%'), count(*) filter (review_text like '%https://%'),
            count(*) filter (review_text like '%(555)%'), count(*) filter (review_text like '%ó%'),
            count(*) - count(distinct review_id), count(*) - count(distinct review_text)
        from reviews"""
    assert min(one(journey, shares)) > 10
    assert one(journey, "select bool_and(rating between 1 and 5) from reviews") is True
    means = (
        "select avg(rating) filter (review_text ~ 'Love it'), avg(rating) filter (review_text ~ 'Awful') from reviews"
    )
    loved, awful = one(journey, means)
    assert loved - awful > 2
    assert one(journey, "select count(*) from reviews where review_text like '%{%'") == 0


def test_generated_tables_are_the_same_again_in_one_thread(journey: duckdb.DuckDBPyConnection) -> None:
    with completejourney.tables(threads=1) as again:
        for table in GENERATED:
            assert content(again, table) == content(journey, table)


@dataclass(frozen=True)
class Loaded:
    """A database with the shop, its rows by table, and what the loading reported."""

    dsn: str
    rows: dict[str, int]
    reported: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def loaded(database: Callable[[], str]) -> Loaded:
    dsn = database()
    reported: dict[str, tuple[int, int]] = {}
    rows = completejourney.load(dsn, lambda table, done, total: reported.update({table: (done, total)}))
    return Loaded(dsn, rows, reported)


def test_load_fills_postgres_once(loaded: Loaded, journey: duckdb.DuckDBPyConnection) -> None:
    assert list(loaded.rows) == list(TABLES)
    assert loaded.rows == {table: one(journey, f"select count(*) from {table}") for table in TABLES}
    assert {table: done for table, (done, _) in loaded.reported.items()} == loaded.rows
    assert all(total < done * 1.05 for done, total in loaded.reported.values())
    with psycopg.connect(loaded.dsn) as connection:
        money = connection.execute("select count(*), sum(price) from transactions").fetchone()
        assert money == (1_469_307, Decimal("4596039.580000"))
    assert completejourney.load(loaded.dsn, lambda *_: pytest.fail("loaded again")) == loaded.rows


class TornError(Exception):
    """Of a load that is cut off."""


def test_the_catalogue_is_there_before_the_rest(database: Callable[[], str]) -> None:
    dsn = database()
    seen: list[Any] = []

    def look_and_tear() -> None:
        with psycopg.connect(dsn) as connection:
            seen.append(connection.execute("select count(*), count(detail_desc) from articles").fetchone())
            seen.append(connection.execute("select count(*) from transactions").fetchone())
        raise TornError

    for _ in range(2):  # the second one begins again: the shop of the first is not whole
        with pytest.raises(TornError):
            completejourney.load(dsn, catalogue_loaded=look_and_tear)
    assert seen == [(92_331, 0), (0,)] * 2


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "dataset",
    ["user_item_interactions", "customer_features", "events_and_funnels", "timeseries", "training_labels"],
)
def test_the_datasets_are_published_of_its_first_month(
    dataset: str, loaded: Loaded, database: Callable[[], str], tmp_path: Path
) -> None:
    settings = Settings(
        _env_file=None,
        store=str(tmp_path / "store"),
        source_dsn=SecretStr(loaded.dsn),
        registry_dsn=SecretStr(database()),
        time_zone=completejourney.TIME_ZONE,
    )
    done = steps.run_all(Run.create(datasets.load(dataset), "2017-02-01", settings))
    assert done.status == "published"
    found = shopmill.load(dataset, store=settings.store)
    assert found.manifest.summary.rows > 0


def test_a_foreign_shop_is_not_replaced(database: Callable[[], str]) -> None:
    dsn = database()
    with psycopg.connect(dsn) as connection:
        connection.execute("create table orders (precious int)")
    with pytest.raises(InvalidInputError, match=r"tables that no sample shop made \(orders\)"):
        completejourney.load(dsn)
