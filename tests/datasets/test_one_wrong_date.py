"""One row with a wrong date decides nothing about how much is written: no dataset fills the years that it makes."""

import time
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest

AS_OF = date(2020, 9, 23)
DAYS = [AS_OF - timedelta(days=n) for n in range(1, 61)]
MANY_FILES = 40
"""More than a wrong date may add: a file or two of each table for the period that it is in."""
LONG_SECONDS = 120
Rows = Mapping[str, list[dict[str, Any]]]


def moment(day: object) -> str:
    return f"{day} 10:00Z"


SHOP: Rows = {
    "customers": [{"customer_id": "c1", "created_at": moment(DAYS[-1])}],
    "articles": [{"article_id": "0001", "index_group_name": "Ladieswear", "product_group_name": "Shoes", "price": 1}],
    "transactions": [{"t_dat": day, "customer_id": "c1", "article_id": "0001", "price": 1} for day in DAYS],
    "orders": [{"order_id": f"o{day}", "customer_id": "c1", "order_datetime": moment(day)} for day in DAYS],
    "order_items": [{"order_id": f"o{day}", "article_id": "0001", "quantity": 1, "price": 1} for day in DAYS],
    "events": [
        {"event_id": f"e{day}", "visitor_id": "v", "event_type": "view", "article_id": "0001", "event_datetime": moment(day)}
        for day in DAYS
    ],
    "reviews": [],
    "promotions": [{"article_id": "0001", "starts_on": DAYS[10], "ends_on": DAYS[5]}],
    "exchange_rates": [{"day": DAYS[-1], "currency": "USD", "rate": 1}],
}  # fmt: skip


def odd(day: str) -> Rows:
    """A row of each table with a wrong date."""
    return {
        "customers": [{"customer_id": "c2", "created_at": moment(day)}],
        "transactions": [{"t_dat": day, "customer_id": "c1", "article_id": "0001", "price": 1}],
        "orders": [{"order_id": "odd", "customer_id": "c1", "order_datetime": moment(day)}],
        "order_items": [
            {"order_id": "odd", "article_id": "0001", "quantity": 1, "price": 1},
            {"order_id": f"o{DAYS[0]}", "article_id": "0001", "quantity": -1, "price": 1, "item_datetime": moment(day)},
        ],
        "events": [
            {"event_id": "odd", "visitor_id": "v", "event_type": "view", "article_id": "0001", "event_datetime": moment(day)}
        ],
        "promotions": [
            {"article_id": "0001", "starts_on": day, "ends_on": "9999-12-31"},
            {"product_group_name": "Shoes", "starts_on": day, "ends_on": "infinity"},
        ],
        "exchange_rates": [{"day": day, "currency": "USD", "rate": 2}],
    }  # fmt: skip


def published(settings: Settings, name: str, shop: Rows, as_of: date) -> Manifest:
    fill_shop(settings.source_dsn.get_secret_value(), shop)
    known = {parameter.name for parameter in datasets.load(name).all_parameters}
    wide = {"min_observations": 1, **LENIENT}
    run = Run.create(datasets.load(name), str(as_of), settings, {n: v for n, v in wide.items() if n in known})
    steps.run_all(run)
    return run.versions.need(run.as_of)


def rows(manifest: Manifest) -> int:
    return sum(manifest.rows(table) for table in manifest.tables)


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01", "2001-01-01"])
@pytest.mark.parametrize(
    "name",
    ["timeseries", "user_item_interactions", "customer_features", "events_and_funnels", "training_labels", "articles_content"],
)  # fmt: skip
def test_it_adds_few_files_and_takes_no_time(name: str, day: str, settings: Settings) -> None:
    before = published(settings, name, SHOP, AS_OF)
    wrong = odd(day)
    given = {table: [*rows, *wrong.get(table, [])] for table, rows in SHOP.items()}
    began = time.monotonic()
    after = published(settings.model_copy(update={"store": f"{settings.store}-odd"}), name, given, AS_OF)
    assert len(list(after.all_files)) <= len(list(before.all_files)) + MANY_FILES
    assert rows(after) <= 2 * rows(before) + MANY_FILES
    assert time.monotonic() - began < LONG_SECONDS
