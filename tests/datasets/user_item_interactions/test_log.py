"""The log of a run that continues is the one from nothing, byte for byte; its sums are interactions."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.engine import limits
from shopmill.errors import InvalidInputError
from shopmill.reading import load
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.run.spans import Span
from shopmill.run.workspace import Workspace
from shopmill.settings import Settings

DATASET = "user_item_interactions"
FIRST, SECOND = "2020-09-10", "2020-09-12"
Rows = dict[str, list[dict[str, Any]]]


def purchase(day: str, customer: str = "c1", article: str = "0001") -> dict[str, Any]:
    return {"t_dat": day, "customer_id": customer, "article_id": article, "price": 2}


def view(event_id: str, moment: str, customer: str = "c1") -> dict[str, Any]:
    what = {"session_id": "s", "customer_id": customer, "article_id": "0001", "event_type": "view"}
    return {"event_id": event_id, **what, "event_datetime": moment}


def order(order_id: str, moment: str, status: str = "delivered") -> dict[str, Any]:
    return {"order_id": order_id, "customer_id": "c1", "order_datetime": moment, "order_status": status}


def item(order_id: str) -> dict[str, Any]:
    return {"order_id": order_id, "article_id": "0002", "quantity": 1, "price": 2}


BEFORE: Rows = {
    "transactions": [
        purchase("2020-05-03"),
        purchase("2020-07-05"),
        purchase("2020-08-30"),
        purchase("2020-09-09", "c2"),
    ],
    "events": [
        view("e1", "2020-05-01 10:00:00Z"),
        view("e2", "2020-08-20 10:00:00Z"),
        view("e2", "2020-08-31 10:00:00Z"),
    ],
    "orders": [order("o1", "2020-06-01 10:00:00Z"), order("o2", "2020-09-08 10:00:00Z")],
    "order_items": [item("o1"), item("o2")],
}
SINCE: Rows = {
    # e1 comes again after four months, e2 after twelve days; o1 repeats an order of June.
    "transactions": [purchase("2020-09-10"), purchase("2020-09-11", "c3", "0003")],
    "events": [view("e1", "2020-09-10 09:00:00Z"), view("e2", "2020-09-11 10:00:00Z")],
    "orders": [order("o1", "2020-09-11 10:00:00Z", "cancelled")],
    "order_items": [],
}
RETURNED = order("o2", "2020-09-08 10:00:00Z", "cancelled")


def shop_at_second() -> Rows:
    rows = {name: [*BEFORE[name], *SINCE[name]] for name in BEFORE}
    return {**rows, "orders": [RETURNED if row["order_id"] == "o2" else row for row in rows["orders"]]}


def run(settings: Settings, as_of: str) -> dict[str, Any]:
    return steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, LENIENT))


def continued(settings: Settings, shop_dsn: str) -> None:
    fill_shop(shop_dsn, BEFORE)
    run(settings, FIRST)
    fill_shop(shop_dsn, shop_at_second())
    run(settings, SECOND)


def from_nothing(settings: Settings, tmp_path: Path) -> Settings:
    alone = Settings(**{**settings.model_dump(), "store": str(tmp_path / "alone")})
    run(alone, SECOND)
    return alone


def test_a_run_that_continues_gives_the_bytes_of_a_full_rebuild(
    settings: Settings, shop_dsn: str, tmp_path: Path
) -> None:
    continued(settings, shop_dsn)
    alone = from_nothing(settings, tmp_path)
    here, there = (load(DATASET, SECOND, store=s.store) for s in (settings, alone))
    for table in here.tables:
        assert here.manifest.files(table) == there.manifest.files(table), table


def test_only_the_months_since_the_first_change_are_computed(settings: Settings, shop_dsn: str) -> None:
    continued(settings, shop_dsn)
    first, second = (load(DATASET, as_of, store=settings.store).files("log") for as_of in (FIRST, SECOND))
    same = {path.name for path in first} & {path.name for path in second}
    assert [path.stem for path in second] == ["2020-05-01", "2020-07-01", "2020-08-01", "2020-09-01"]
    inodes = [{path.name: path.stat().st_ino for path in files} for files in (first, second)]
    taken_over = {name for name in same if inodes[0][name] == inodes[1][name]}
    assert taken_over == {"2020-05-01.parquet", "2020-07-01.parquet", "2020-08-01.parquet"}


def test_a_month_after_the_other_gives_the_bytes_of_all_at_once(
    settings: Settings, shop_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_shop(shop_dsn, shop_at_second())
    run(settings, SECOND)
    gone: list[Span] = []
    monkeypatch.setattr(limits, "BYTES_PER_ROW", limits.size_in_bytes(settings.memory_limit))  # one row at once
    monkeypatch.setattr(
        Workspace, "go_to", lambda self, span, go_to=Workspace.go_to: (gone.append(span), go_to(self, span))
    )
    alone = from_nothing(settings, tmp_path)
    months = [date(2020, month, 1) for month in (7, 8, 9)]
    assert [one.since for one in gone if one.since in months] == months
    here, there = (load(DATASET, SECOND, store=s.store) for s in (settings, alone))
    for table in here.tables:
        assert here.manifest.files(table) == there.manifest.files(table), table


def test_a_query_that_gives_rows_of_another_span_is_refused(
    settings: Settings, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_shop(shop_dsn, shop_at_second())
    monkeypatch.setattr(limits, "BYTES_PER_ROW", limits.size_in_bytes(settings.memory_limit))
    dataset = datasets.load(DATASET)
    careless = {**dataset.sql, "log": dataset.sql["log"].replace("day < $until", "$until is not null")}
    monkeypatch.setitem(vars(dataset), "sql", careless)
    with pytest.raises(
        InvalidInputError, match=r"log.sql gives rows of 2020-0\d-01, which is not among .* before \$until"
    ):
        steps.run_all(Run.create(dataset, SECOND, settings, LENIENT))


def test_its_sums_are_the_interactions(settings: Settings, shop_dsn: str) -> None:
    continued(settings, shop_dsn)
    opened = load(DATASET, SECOND, store=settings.store)
    with duckdb.connect() as connection:
        for table in ("log", "interactions"):
            opened.to_duckdb(table, connection).create_view(table)
        summed = connection.sql(
            "select customer_id, article_id, count(*), coalesce(sum(value), 0), min(day), max(day) from log group by all order by all"
        ).fetchall()
        stated = connection.sql(
            "select customer_id, article_id, interaction_count, spend_sum, first_interaction_date, last_interaction_date "
            "from interactions order by all"
        ).fetchall()
    assert summed == stated
    assert ("c1", "0002", 1) in [row[:3] for row in stated]  # o2 was cancelled later; o1 repeats
