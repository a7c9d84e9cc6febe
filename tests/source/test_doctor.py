"""The doctor's findings on a well shop, and on one with every kind of trouble."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr

from shopmill import datasets
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.source.doctor import Finding, examine

SHOP: dict[str, Any] = {
    "customers": [{"customer_id": "c1"}],
    "articles": [{"article_id": "0001"}],
    "transactions": [{"t_dat": "2020-09-20"}, {"t_dat": "2020-09-22"}],
    "orders": [{"order_id": "o1", "order_datetime": "2020-09-20 10:00:00Z"}],
    "order_items": [{"order_id": "o1"}],
    "events": [{"event_id": "e1", "event_datetime": "2020-09-20 10:00:00Z"}],
    "reviews": [{"review_id": "r1", "review_date": "2020-09-20 10:00:00Z"}],
    "promotions": [{"kind": "sale"}],
    "exchange_rates": [{"day": "2020-01-01", "currency": "USD", "rate": 1}],
}
INDEXES = """
create index on transactions (t_dat); create index on orders (order_datetime);
create index on events (event_datetime); create index on reviews (review_date);
"""


@pytest.fixture(scope="module")
def shop(new_shop: Callable[[], str]) -> str:
    dsn = new_shop()
    fill_shop(dsn, SHOP)
    with psycopg.connect(dsn) as connection:
        connection.execute(INDEXES)
    return dsn


def findings(settings: Settings, dsn: str) -> dict[str, Finding]:
    return {
        found.subject: found
        for found in examine(settings.model_copy(update={"source_dsn": SecretStr(dsn)}), datasets.load_all())
    }


def test_a_well_shop(settings: Settings, shop: str, postgres: EmbeddedPostgres) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(shop)["dbname"])
    postgres.ensure_role("doctor")
    with psycopg.connect(postgres.admin_dsn(database)) as admin:
        admin.execute(
            f"grant connect on database {database} to doctor; grant select on all tables in schema public to doctor".encode()
        )
    found = findings(settings, postgres.dsn(database, "doctor"))
    assert {finding.level for finding in found.values()} == {"ok"}
    assert set(found) == {"connection", "role", *SHOP}
    assert found["transactions"].text == "2 rows from 2020-09-20 to 2020-09-22"


def test_a_role_that_may_write_is_warned_about(settings: Settings, shop: str) -> None:
    role = findings(settings, shop)["role"]
    assert (role.level, "9 tables" in role.text, "SELECT" in role.mend.upper()) == ("warn", True, True)


def test_no_connection_is_the_only_finding(settings: Settings) -> None:
    found = findings(settings, "postgresql://shop:hunter2@127.0.0.1:1/shop")
    assert set(found) == {"connection"}
    assert found["connection"].level == "error"
    assert "hunter2" not in str(found)
    assert "user_item_interactions" in found["connection"].suffers
    assert set(findings(settings, "")) == {"connection"}


def test_every_kind_of_trouble(settings: Settings, new_shop: Callable[[], str]) -> None:
    dsn = new_shop()
    fill_shop(dsn, {**SHOP, "reviews": [], "transactions": [{"t_dat": None}, {"t_dat": "2020-09-20"}]})
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "alter table customers drop column customer_id; alter table articles alter article_id type bigint using 1;"
            "alter table articles drop column detail_desc; drop table events; drop table promotions"
        )
    found = findings(settings, dsn)
    levels = {subject: finding.level for subject, finding in found.items()}
    assert levels["customers"] == "error"  # the canonical SELECT names the column that is missing
    assert levels["articles.article_id"] == "error"
    assert levels["events"] == "error"
    assert "has no events" in found["events"].text
    assert "user_item_interactions" in found["events"].suffers
    assert levels["promotions"] == "warn"
    assert (levels["reviews"], found["reviews"].text) == ("warn", "is empty")
    assert (levels["transactions"], "1 without t_dat" in found["transactions"].text) == ("warn", True)
    assert "no index" in found["transactions.t_dat"].text


def test_columns_are_named_with_what_they_should_be(
    settings: Settings, shop: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mapping = tmp_path_factory.mktemp("mapping")
    (mapping / "customers.sql").write_text('select customer_id::bytea, "FN"::text, "Active" from customers')
    found = findings(settings.model_copy(update={"mapping": str(mapping)}), shop)
    assert found["customers.customer_id"].text == "is bytea, expected varchar"
    assert found["customers.FN"].text == "is text, expected integer"
    assert "cast" in found["customers.FN"].mend
    assert "customers.age" not in found
    assert all(finding.document()["subject"] for finding in found.values())
