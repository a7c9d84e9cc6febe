"""When a row of the shop can be used is said once per table, and every dataset goes by it."""

import duckdb
import pytest

from shopmill import datasets
from shopmill.engine.compose import base_tables, references, sources, views_of
from shopmill.source.contract import TABLES
from shopmill.sql_files import shared_views

DIRECTLY = {("events_and_funnels", "repeated_events"), ("articles_content", "known_articles")}
"""Queries that ask whether there are rows, whether they can be used or not."""


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("rows", ["", "changed_", "former_"])
def test_a_judged_table_has_the_columns_of_the_contract_and_three_more(name: str, rows: str) -> None:
    connection = duckdb.connect()
    for table in TABLES.values():
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        for prefix in ("source_", "changed_", "former_"):
            connection.execute(f"create table {prefix}{table.name} ({columns})")
    views = shared_views()
    needed = views_of(datasets.load("timeseries"), f"select * from judged_{rows}{name}")
    for view in needed:  # each after those that it reads
        connection.execute(f'create view "{view}" as {_bound(views[view])}')
    found = {row[0]: row[1] for row in connection.execute(f"describe judged_{rows}{name}").fetchall()}
    assert found["problem"] == "VARCHAR"
    assert found["source_day"] == "DATE"
    assert "source_row" in found
    assert {column.name for column in TABLES[name].columns} <= set(found)


def _bound(sql: str) -> str:
    """The query with values of a shop in the place of their names."""
    values = {"as_of_at": "now()", "as_of": "today()", "first_day": "date '2000-01-01'", "time_zone": "'UTC'"}
    values |= {
        "first_sale": "date '2000-01-01'",
        "event_words": "'view>view'",
        "shop_currency": "''",
        "cancelled_statuses": "'|cancelled|'",
        "sold_statuses": "'||'",
    }
    for name, value in values.items():
        sql = sql.replace(f"${name}", value)
    return sql


@pytest.mark.parametrize("name", datasets.names())
def test_a_dataset_reads_the_shop_through_the_judged_tables(name: str) -> None:
    dataset = datasets.load(name)
    own = {table.name for table in dataset.tables}
    shop = {table for table in TABLES if table not in own} | {f"source_{table}" for table in TABLES}
    shared = set(shared_views())
    queries = {**{n: sql for n, sql in dataset.views.items() if n not in shared}, **dataset.sql}
    read = {(name, query) for query, sql in queries.items() if references(sql) & shop}
    assert read <= DIRECTLY


@pytest.mark.parametrize("name", datasets.names())
def test_what_a_dataset_judges_it_rejects(name: str) -> None:
    """Each judged table that is read for the dataset's tables is also read for its rejects."""
    dataset = datasets.load(name)
    judged = {view for sql in dataset.sql.values() for view in views_of(dataset, sql) if view.startswith("judged_")}
    rejected = set(views_of(dataset, dataset.sql["rejects"])) if dataset.can_reject else set()
    assert {view for view in judged if "changed_" not in view and "former_" not in view} <= rejected | {
        "judged_reviews"
    }


def test_a_shared_view_belongs_to_the_code_of_those_who_read_it() -> None:
    of_series, of_embeddings = (set(sources(datasets.load(name))) for name in ("timeseries", "articles_embeddings"))
    assert {name for name in of_series if name.startswith("shared/")} == {
        "shared/judged_articles.sql", "shared/judged_exchange_rates.sql", "shared/judged_promotions.sql",
        "shared/judged_transactions.sql", "shared/rates_by_day.sql", "shared/parts/rate_of_day.sql", "shared/parts/worth.sql",
        "shared/parts/amounts.sql",
    }  # fmt: skip
    assert not any(name.startswith("shared/") for name in of_embeddings)
    assert "shared/judged_events.sql" in sources(datasets.load("events_and_funnels"))
    assert "checks/no_missing_ds.sql" in of_series


def test_a_judged_table_is_made_of_the_shop_alone() -> None:
    dataset = datasets.load("user_item_interactions")
    made_of = {name for view in shared_views() for name in base_tables(dataset, f"select * from {view}")}
    assert made_of == {f"{rows}{table}" for table in TABLES for rows in ("source_", "changed_", "former_")}
