"""Shops on their real platforms: what is mapped and published agrees with the platform's own totals, to the cent and the unit.

Oscar always runs; Medusa and Vendure are Node programs and run with `make test-platforms`.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from story import DAYS_AGO, KEY, Chapter, Story

CENT = Decimal("0.01")
REMEMBERS = {"customer_index", "article_index", "session_history", "articles", "catalogue_changes"}
"""Tables that say what earlier versions held, which a store that begins later cannot know."""
ON_NPM = (pytest.mark.npm, pytest.mark.timeout(1800))


@pytest.fixture(
    scope="module",
    params=["oscar", pytest.param("medusa", marks=ON_NPM), pytest.param("vendure", marks=ON_NPM)],
)
def story(request: pytest.FixtureRequest) -> Story:
    found: Story = request.getfixturevalue(f"{request.param}_story")
    return found


@pytest.fixture(params=["before", "after", "anew"])
def chapter(request: pytest.FixtureRequest, story: Story) -> Chapter:
    found: Chapter = getattr(story, request.param)
    return found


def test_each_order_has_the_platforms_own_value_and_units(chapter: Chapter) -> None:
    items = defaultdict(list)
    for row in chapter.mapped["order_items"]:
        items[row["order_id"]].append(row)
    assert len(chapter.totals) >= 11
    for total in chapter.totals:
        sold = [row for row in items[total.id] if row["quantity"] > 0]
        back = [row for row in items[total.id] if row["quantity"] < 0]
        returned = units(sold) if total.cancelled else -units(back)
        assert (units(sold), returned) == (total.units, total.returned), total
        if total.net is not None:
            assert value(sold) == total.net, total
        if total.kept is not None:
            assert value([*sold, *back]) == total.kept, total
    assert items.keys() == {total.id for total in chapter.totals}


def test_lines_of_transactions_are_those_of_the_orders(chapter: Chapter) -> None:
    by_currency: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in chapter.mapped["transactions"]:
        by_currency[row["currency"]].append(row)
    assert len(by_currency) == 2
    for currency, rows in by_currency.items():
        totals = [total for total in chapter.totals if total.currency == currency]
        assert units(rows) == sum(total.units for total in totals)
        if all(total.net is not None for total in totals):
            assert value(rows) == sum(total.net for total in totals if total.net is not None)


def test_datasets_have_the_platforms_totals(chapter: Chapter) -> None:
    lines = sum(total.lines for total in chapter.totals)
    interactions, daily = chapter.published("user_item_interactions"), chapter.published("timeseries")
    features = chapter.published("customer_features")
    assert total_of(daily, "y") == sum(total.units for total in chapter.totals)
    assert total_of(interactions, "purchase_count") == lines  # guests are known by the hash of their address
    people = {row["customer_id"] for row in chapter.mapped["orders"]}
    assert people == {row["customer_id"] for row in features} == {row["customer_id"] for row in interactions}


def test_an_incremental_run_equals_a_start_from_scratch(story: Story) -> None:
    for name in story.datasets:
        continued, scratch = story.after.version(name), story.anew.version(name)
        for table in sorted(set(scratch.tables) - REMEMBERS):
            assert continued.to_arrow(table).equals(scratch.to_arrow(table)), f"{name}.{table}"


def test_what_changed_late_is_seen(story: Story) -> None:
    before = {total.id: total for total in story.before.totals}
    changed = [total for total in story.after.totals if total.id in before and total != before[total.id]]
    assert len(changed) == 2  # a return and a cancellation, sixty days after the orders
    assert {total.cancelled for total in changed} == {True, False}


def test_units_come_back_on_the_day_on_which_they_did(story: Story) -> None:
    placed = {row["order_id"]: datetime.fromisoformat(row["order_datetime"]) for row in story.after.mapped["orders"]}
    back = [row for row in story.after.mapped["order_items"] if row["quantity"] < 0]
    days = sorted(
        (datetime.fromisoformat(row["item_datetime"]) - placed[row["order_id"]]).days
        for row in back
        if row["item_datetime"]
    )
    assert days[-1] == DAYS_AGO - 1  # a return of yesterday, of the first day's orders
    assert set(days[:-1]) == {0}


def test_no_address_and_no_key_is_written_anywhere(story: Story) -> None:
    for settings in (story.after.settings, story.anew.settings):
        for path in Path(settings.store).rglob("*"):
            if path.is_file():
                content = path.read_bytes().lower()
                assert b"@example.com" not in content, path
                assert KEY.encode() not in content, path


def units(rows: Iterable[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["quantity"]) for row in rows), Decimal(0))


def value(rows: Iterable[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["quantity"]) * Decimal(row["price"]) for row in rows), Decimal(0)).quantize(CENT)


def total_of(rows: Iterable[dict[str, Any]], column: str) -> Decimal:
    return sum((Decimal(str(row[column] or 0)) for row in rows), Decimal(0))
