"""Whole runs: bytes that depend on nothing but the past, and extract tasks side by side."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

AS_OF = "2020-09-23"

# More lines than a row group of Parquet has, so that threads share the work; ties and repeated lines among them.
HISTORY = """
    insert into customers (customer_id, age) select 'c' || n, n % 130 from generate_series(1, 3000) as n;
    insert into articles (article_id, product_group_name, colour_group_name)
    select lpad(n::text, 10, '0'), 'Group ' || n % 7, 'Colour ' || n % 11 from generate_series(1, 500) as n;
    insert into transactions (t_dat, customer_id, article_id, price, sales_channel_id)
    select date '2020-09-22' - n * 7 % 500, 'c' || (n % 97) * (n % 89) % 3100, lpad((n * 17 % 520)::text, 10, '0'),
           (n * 13 % 1000) / 100.0, 1 + n % 3
    from generate_series(1, 150000) as n;
    insert into orders (order_id, customer_id, order_datetime, order_status)
    select 'o' || n, 'c' || (n % 97) * (n % 89) % 3100, timestamptz '2020-09-22 20:00:00Z' - n * interval '1 hour',
           case when n % 10 = 0 then 'cancelled' else 'completed' end
    from generate_series(1, 8000) as n;
    insert into order_items (order_id, article_id, quantity, price)
    select 'o' || 1 + n % 8000, lpad((n % 500)::text, 10, '0'), n % 5 - 1, (n % 77) / 10.0
    from generate_series(1, 20000) as n;
    insert into events (event_id, session_id, customer_id, article_id, event_type, event_datetime)
    select 'e' || n, 's', 'c' || (n % 97) * (n % 89) % 3100, null, (array['view', 'click', 'add_to_cart', 'purchase'])[1 + n % 4],
           timestamptz '2020-09-22 23:00:00Z' - n * interval '3 minutes'
    from generate_series(1, 20000) as n
"""

# What a run must not see: garbage dated at as_of or after it, also for orders and events that are there already.
FUTURE = """
    insert into transactions (t_dat, customer_id, article_id, price, sales_channel_id)
    select date '2020-09-23' + n, 'c' || n, 'nonsense', case n % 3 when 0 then null when 1 then -1 else 999999 end, -5
    from generate_series(0, 400) as n;
    insert into orders (order_id, customer_id, order_datetime, order_status)
    select 'o' || n, 'stranger', timestamptz '2020-09-23 00:00:00Z' + n * interval '1 day', 'cancelled'
    from generate_series(0, 400) as n;
    insert into orders (order_id, customer_id, order_datetime, order_status)
    select 'later' || n, null, timestamptz '2020-09-23 00:00:00Z', '' from generate_series(0, 400) as n;
    insert into order_items (order_id, article_id, quantity, price)
    select 'later' || n, null, -99, -99 from generate_series(0, 400) as n;
    insert into events (event_id, session_id, customer_id, event_type, event_datetime)
    select 'e' || n, null, 'stranger', 'poison', timestamptz '2020-09-23 00:00:00Z' + n * interval '1 hour'
    from generate_series(0, 400) as n
"""


def execute(settings: Settings, script: str) -> None:
    with psycopg.connect(settings.source_dsn.get_secret_value()) as connection:
        for statement in script.split(";"):
            connection.execute(statement.encode())


@pytest.fixture
def shop(settings: Settings) -> Settings:
    fill_shop(settings.source_dsn.get_secret_value(), {})
    execute(settings, HISTORY)
    return settings


def new_run(settings: Settings, run_id: str | None = None) -> Run:
    return Run.create(datasets.load("customer_features"), AS_OF, settings, LENIENT, run_id)


def test_bytes_are_the_same_on_one_and_two_threads_on_a_second_run_and_whatever_the_future_holds(
    shop: Settings, tmp_path: Path
) -> None:
    made = steps.run_all(new_run(shop.model_copy(update={"threads": 2})))
    assert made.status == "published"
    assert made.rows > 3000
    impossible_ages = 3000 // 130 * 9 + max(0, 3000 % 130 - 120)
    assert made.rejected == 0
    assert any(f"{impossible_ages} values of customers could not be used" in warning for warning in made.warned)
    # The version is a hash of the files' hashes.
    again = steps.run_all(new_run(shop.model_copy(update={"threads": 1})))
    assert (again.status, again.version) == ("unchanged", made.version)
    execute(shop, FUTURE)
    elsewhere = shop.model_copy(update={"threads": 2, "store": str(tmp_path / "another")})
    assert steps.run_all(new_run(elsewhere)).version == made.version


def extract_in_a_process_of_its_own(settings: Settings, run_id: str, task: str) -> dict[str, Any]:
    return steps.extract(new_run(settings, run_id), task)


def test_the_extract_tasks_of_a_run_work_side_by_side(shop: Settings) -> None:
    run = new_run(shop, "side by side")
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        doing = [pool.submit(extract_in_a_process_of_its_own, shop, run.run_id, task) for task in run.dataset.extracts]
        rows = {table: count for done in doing for table, count in done.result().items()}
    assert rows == {
        "customers": 3000,
        "transactions": 150000,
        "articles": 500,
        "orders": 8000,
        "exchange_rates": 0,
        "order_items": 20000,
        "events": 20000,
    }
    rest: list[Callable[[], Any]] = [
        lambda: steps.transform(run, "join_and_rfm"),
        lambda: steps.check(run),
        lambda: steps.publish(run),
    ]
    for step in rest:
        step()
    assert steps.register(run).version == steps.run_all(new_run(shop)).version
