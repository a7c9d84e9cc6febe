"""A shop that has quantities, guests, credit notes and closed days, and neither events nor reviews, publishes as it is."""

from collections.abc import Callable

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr
from wholesaler import open_wholesaler

from shopmill import datasets
from shopmill.errors import MissingTableError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

A_TO_D = ("user_item_interactions", "articles_content", "customer_features", "timeseries")


@pytest.fixture
def shop(settings: Settings) -> Settings:
    dsn = settings.source_dsn.get_secret_value()
    fill_shop(dsn, {})
    open_wholesaler(dsn)
    return settings.model_copy(update={"time_zone": "Europe/London"})


def test_it_publishes_by_default_also_when_it_was_closed_for_eleven_days(shop: Settings) -> None:
    """Guests are neither used per customer nor rejected; every row is accounted for."""
    for name in A_TO_D:
        run = Run.create(datasets.load(name), "2011-01-03", shop)
        published = steps.run_all(run)
        assert published.status == "published"
        assert published.rejected == 0
        for account in run.versions.need(run.as_of).accounts:
            assert account.found == account.rows, account.sentence()
        if name != "articles_content":
            assert any("transactions are 11 days old" in warning for warning in published.warned), published.warned
    lines = {account.table: account for account in run.versions.need(run.as_of).accounts}["transactions"]
    assert lines.used == lines.rows > 0


LINES = 541_909


@pytest.mark.timeout(1800)  # three quarters of a minute of one core
def test_it_publishes_at_its_full_size(settings: Settings, new_shop: Callable[[], str]) -> None:
    """541,909 lines, a quarter of them of guests, one in sixty a credit note: by default, and every row is accounted for."""
    dsn = new_shop()
    open_wholesaler(dsn, LINES)
    shop = settings.model_copy(update={"source_dsn": SecretStr(dsn), "time_zone": "Europe/London"})
    for name in A_TO_D:
        run = Run.create(datasets.load(name), "2011-12-10", shop)
        assert (steps.run_all(run).status, run.versions.need(run.as_of).summary.rejected) == ("published", 0)
        accounts = {account.table: account for account in run.versions.need(run.as_of).accounts}
        for account in accounts.values():
            assert account.found == account.rows, account.sentence()
        if name in {"user_item_interactions", "customer_features"}:
            lines, items = accounts["transactions"], accounts["order_items"]
            assert lines.rows + items.rows == LINES
            assert 0.24 < lines.not_wanted["guest_lines"] / lines.rows < 0.27
            assert lines.used + lines.not_wanted["guest_lines"] == lines.rows
            assert items.used == items.rows > LINES / 70


def test_a_shop_without_events_orders_and_reviews_publishes_and_is_not_warned_of_them(
    new_shop: Callable[[], str], settings: Settings
) -> None:
    dsn = new_shop()
    open_wholesaler(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("drop table events, reviews, orders, order_items, promotions")
    shop = settings.model_copy(update={"source_dsn": SecretStr(dsn), "time_zone": "Europe/London"})
    for name in (*A_TO_D, "training_labels"):
        published = steps.run_all(Run.create(datasets.load(name), "2011-12-10", shop))
        assert published.status == "published"
        assert not [warning for warning in published.warned if "events" in warning or "order" in warning]
    with pytest.raises(MissingTableError, match="reviews"):
        steps.run_all(Run.create(datasets.load("reviews_nlp"), "2011-12-09", shop))
