"""Each check finds the fault that it is for, and no fault in what the dataset computes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from shop_of_lines import Line, compute

from shopmill.datasets.customer_features.dataset import DATASET
from shopmill.engine.compose import compose
from shopmill.engine.duckdb_engine import PLACEHOLDER
from shopmill.run.checks import row_rules
from shopmill.run.shop_values import shop_values
from shopmill.settings import Settings
from shopmill.source.contract import TABLES

AS_OF = date(2020, 9, 23)
LINES = [
    Line(f"c{n}", AS_OF - timedelta(days=1 + n * 3 + day), f"000{n % 4}", Decimal(5 * n + day), 1 + n % 2)
    for n in range(1, 11)
    for day in range(n)
]
BOUND = {
    "as_of": AS_OF,
    "as_of_at": datetime(2020, 9, 23, tzinfo=UTC),
    "time_zone": "UTC",
    **shop_values(Settings(_env_file=None)),
    **DATASET.parse_parameters({}),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of a small shop."""
    folder = tmp_path_factory.mktemp("published")
    compute(folder, LINES, AS_OF, {f"000{n}": "Shoes" for n in range(4)})
    return folder


@pytest.fixture
def tables(published: Path) -> duckdb.DuckDBPyConnection:
    """A database with everything that checks read; a test may spoil it."""
    connection = duckdb.connect()
    for name in ("features", "rfm_thresholds"):
        connection.execute(f"create table {name} as from read_parquet('{published / name}.parquet')")
    connection.execute("create table previous_features as from features")
    for needed in DATASET.inputs:
        columns = ", ".join(f'"{column.name}" {column.type}' for column in TABLES[needed.table].columns)
        connection.execute(f"create table {needed.table} ({columns})")
        connection.execute(f"create view source_{needed.table} as from {needed.table}")
    for line in LINES:
        row = [line.day, line.customer, line.article, line.price, line.channel]
        columns = "t_dat, customer_id, article_id, price, sales_channel_id"
        connection.execute(f"insert into transactions ({columns}) values (?, ?, ?, ?, ?)", row)
    connection.execute("insert into articles (article_id) select distinct article_id from transactions")
    connection.execute("insert into customers (customer_id) select customer_id from features")
    connection.execute("update features set is_known = true")
    return connection


def violated(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of the checks that fail."""
    found = set()
    for check in DATASET.checks:
        query = compose(DATASET, DATASET.query(check))
        row = connection.execute(query, {name: BOUND[name] for name in PLACEHOLDER.findall(query)}).fetchone()
        assert row is not None
        found |= {check.name} if row[0] else set()
    for name in ("features", "rfm_thresholds"):
        for rule in row_rules(DATASET.table(name)):
            broken = connection.execute(f"select count(*) from {name} where not ({rule.rule.replace('$as_of_at', AT)})")
            found |= {rule.name} if broken.fetchone() != (0,) else set()
    return found


AT = "timestamptz '2020-09-23 00:00:00+00'"


def test_nothing_is_found_in_what_was_computed(tables: duckdb.DuckDBPyConnection) -> None:
    assert violated(tables) == set()


FAULTS = {
    "spend reconciled": "update features set spend_sum_lifetime = spend_sum_lifetime + 0.000001 where customer_id = 'c9'",
    "transactions in one currency": "update transactions set currency = case customer_id when 'c1' then 'EUR' else 'GBP' end",
    "currency of transactions given": "update transactions set currency = 'EUR' where customer_id = 'c1'",
    "orders in one currency": "insert into orders (order_id, currency) values ('o1', 'EUR'), ('o2', 'GBP')",
    "currency of orders given": "insert into orders (order_id, currency) values ('o1', 'EUR'), ('o2', null)",
    "order statuses decided": "insert into orders (order_id, customer_id, order_datetime, order_status) "
    "values ('o1', 'c1', '2020-09-01', 'refunded')",
    "equal values equal scores": "update features set m_score = 3 where customer_id = 'c10'",
    "thresholds at the quantiles": "update rfm_thresholds set threshold_40 = threshold_60",
    "scores spread": "update features set f_score = 1 where f_score < 5",
    "customers lost": "insert into previous_features by name select 'x' || customer_id as customer_id from features",
    "customers gained": "delete from previous_features where customer_id > 'c5'",
    "customers known": "update features set is_known = false where customer_id = 'c1'",
    "events of known customers": f"insert into events (event_id, customer_id, event_datetime) values ('e', 'x', {AT})",
    "articles in the catalogue": "delete from articles where article_id = '0003'",
    "spend_sum nested": "update features set spend_sum_30d = spend_sum_90d + 1",
    "articles_distinct nested": "update features set articles_distinct_365d = articles_distinct_lifetime + 1",
    "channel shares lifetime": "update features set channel_1_share_lifetime = 0.9",
    "scored when bought": "update features set rfm_segment = null where customer_id = 'c2'",
    "BTYD in order": "update features set clv_frequency = clv_frequency + 1",
    "dates in order": "update features set days_since_first_purchase = 0",
    "nothing from the future": f"update features set last_seen_at_30d = {AT}",
    "ascending": "update rfm_thresholds set threshold_20 = threshold_80 + 1",
    "r_percentile at most 1": "update features set r_percentile = 1.01",
    "rfm_segment of known values": "update features set rfm_segment = 'whale'",
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_check_finds_its_fault(tables: duckdb.DuckDBPyConnection, name: str) -> None:
    tables.execute(FAULTS[name])
    assert name in violated(tables)


def test_every_query_check_has_a_fault_that_it_finds() -> None:
    assert {check.name for check in DATASET.checks} <= set(FAULTS)


def test_a_first_version_has_lost_and_gained_nobody(tables: duckdb.DuckDBPyConnection) -> None:
    tables.execute("delete from previous_features")
    assert violated(tables) == set()
