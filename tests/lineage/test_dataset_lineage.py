"""Lineage of the datasets: exact for one, complete for all, and traced through a shop's own mapping."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.errors import InvalidInputError
from shopmill.lineage.dataset_lineage import DatasetLineage, Origin, ShopLineage
from shopmill.source.mapping import Mapping

CUSTOMER = {"transactions.customer_id IDENTITY", "events.customer_id IDENTITY", "orders.customer_id IDENTITY"}
ARTICLE = {"transactions.article_id IDENTITY", "events.article_id IDENTITY", "order_items.article_id IDENTITY"}
DAY = {
    "transactions.t_dat AGGREGATION",
    "events.event_datetime AGGREGATION",
    "orders.order_datetime AGGREGATION",
    "order_items.item_datetime AGGREGATION",
}
KIND = {"events.event_type CONDITIONAL"}
UNITS = {
    *KIND,
    "transactions.quantity AGGREGATION",
    "transactions.misfits CONDITIONAL",
    "order_items.quantity AGGREGATION",
    *(f"order_items.{name} CONDITIONAL" for name in ("order_id", "article_id", "quantity", "item_datetime")),
    *(f"orders.{name} CONDITIONAL" for name in ("order_datetime", "order_status")),
}
EVENT = (
    "event_id",
    "session_id",
    "visitor_id",
    "event_type",
    "customer_id",
    "article_id",
    "event_value",
    "currency",
    "event_datetime",
    "misfits",
)
LINE = ("t_dat", "customer_id", "article_id", "price", "quantity", "currency", "sales_channel_id", "misfits")
ITEM = ("order_id", "article_id", "quantity", "price", "item_datetime", "misfits")
ORDER = ("order_id", "customer_id", "order_datetime", "order_status", "currency", "misfits")
RATE = ("day", "currency", "rate", "misfits")
ROW = {
    *(f"transactions.{name}" for name in LINE),
    *(f"events.{name}" for name in EVENT),
    *(f"order_items.{name}" for name in ITEM),
    *(f"orders.{name}" for name in ORDER),
    *(f"exchange_rates.{name}" for name in RATE),
}
FLAWS = {
    *(f"transactions.{name}" for name in LINE if name not in {"customer_id", "sales_channel_id"}),
    *(f"events.{name}" for name in EVENT if name not in {"event_type", "article_id", "misfits"}),
    *(f"orders.{name}" for name in ORDER),
    *(f"order_items.{name}" for name in ITEM),
    *(f"exchange_rates.{name}" for name in RATE),
}
SHOWN = {
    *(
        f"{table}.misfits TRANSFORMATION"
        for table in ("transactions", "orders", "order_items", "exchange_rates", "events")
    ),
    *(f"{table}.currency TRANSFORMATION" for table in ("transactions", "orders", "events")),
}
"""What the reason of a rejected row shows."""


def _numbered(kind: str, ids: set[str]) -> dict[str, set[str]]:
    place = f"user_item_interactions.{kind}_index"
    return {
        f"{kind}_id": ids | {f"{place}.{kind}_id IDENTITY"},
        f"{kind}_index": {f"{name.split()[0]} WINDOW" for name in ids | DAY} | {f"{place}.{kind}_index IDENTITY"},
    }


INTERACTIONS = {
    "customer_id": CUSTOMER,
    "article_id": ARTICLE,
    **{f"{kind}_count": KIND for kind in ("purchase", "view", "click", "cart")},
    "unit_count": UNITS,
    "return_count": UNITS,
    "interaction_count": set(),
    "spend_sum": {
        "transactions.price AGGREGATION",
        "transactions.quantity AGGREGATION",
        "exchange_rates.rate AGGREGATION",
        "exchange_rates.rate CONDITIONAL",  # a rate of 1 is not multiplied by
        "transactions.quantity CONDITIONAL",
        "transactions.currency CONDITIONAL",
        "transactions.misfits CONDITIONAL",
    },
    "first_interaction_date": DAY,
    "last_interaction_date": DAY,
    "recency_days": DAY,
    "time_weighted_score": set(),
}
EXACT = {
    "interactions": INTERACTIONS,
    "customer_index": _numbered("customer", CUSTOMER),
    "article_index": _numbered("article", ARTICLE),
    "rejects": {
        "source_table": set(),
        "reason": {f"{name} CONDITIONAL" for name in FLAWS} | SHOWN,
        "source_day": {
            "transactions.t_dat IDENTITY",
            "events.event_datetime TRANSFORMATION",
            "orders.order_datetime TRANSFORMATION",
            "order_items.item_datetime TRANSFORMATION",
            "exchange_rates.day IDENTITY",
        },
        "source_row": {f"{name} TRANSFORMATION" for name in ROW} | {"transactions.misfits CONDITIONAL"},
    },
}


@pytest.mark.parametrize("table", EXACT)
def test_every_column_of_interactions_exactly(table: str) -> None:
    lineage = DatasetLineage(datasets.load("user_item_interactions")).table(table)
    found = {name: {f"{o} {o.role}" for o in column.origins} for name, column in lineage.columns.items()}
    assert found == EXACT[table]


@pytest.mark.parametrize("name", datasets.names())
def test_every_published_column_has_an_origin_or_a_reason(name: str) -> None:
    declared = datasets.load(name)
    for table in declared.published:
        columns = DatasetLineage(declared).table(table.name).columns
        assert list(columns) == [column.name for column in table.columns]
        assert [
            c for c, found in columns.items() if bool(found.reason) == any(o.is_direct for o in found.origins)
        ] == []


def test_reasons_are_said() -> None:
    columns = DatasetLineage(datasets.load("user_item_interactions")).table("interactions").columns
    assert columns["interaction_count"].reason == "a number of rows"
    assert columns["time_weighted_score"].besides == ("a constant", "lookup signal_weights")
    assert columns["spend_sum"].reason == ""


def test_what_a_function_adds_may_come_from_all_it_is_given() -> None:
    columns = DatasetLineage(datasets.load("articles_embeddings")).table("bert").columns
    assert {str(o) for o in columns["article_id"].origins} == {"articles_content.articles.article_id"}
    assert {str(o) for o in columns["embedding"].origins} == {
        "articles_content.articles.article_id",
        "articles_content.articles.content_text",
    }
    assert columns["embedding"].besides == ("computed by shopmill.embeddings.embeddings:embed_rows",)


def test_conditions_reach_through_tables_on_the_way() -> None:
    conditions = DatasetLineage(datasets.load("user_item_interactions")).table("article_index").conditions
    assert "order_items.quantity FILTER" in {f"{o} {o.role}" for o in conditions}


@pytest.fixture
def shop(tmp_path: Path) -> ShopLineage:
    (tmp_path / "transactions.sql").write_text(
        "select s.sold_at::date as t_dat, lpad(s.sku::text, 10, '0') as article_id, c.email as customer_id, price "
        "from shop.sales as s join shop.clients as c on c.id = s.client;"
    )
    (tmp_path / "customers.sql").write_text("with c as (select mail from people) select mail as customer_id from c")
    (tmp_path / "articles.sql").write_text("select * from catalogue")
    (tmp_path / "reviews.sql").write_text("-- none")
    return ShopLineage(Mapping((tmp_path,), "UTC"))


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("transactions", "t_dat", {"shop.sales.sold_at TRANSFORMATION"}),
        ("transactions", "customer_id", {"shop.clients.email IDENTITY"}),
        ("transactions", "price", set()),  # of which of the two, only the database knows
        ("customers", "customer_id", {"people.mail IDENTITY"}),
        ("articles", "article_id", {"catalogue.article_id IDENTITY"}),
        ("reviews", "review_id", set()),
    ],
)
def test_the_mapping_is_followed_to_the_shop(shop: ShopLineage, table: str, column: str, expected: set[str]) -> None:
    found = shop.followed(Origin("", table, column, "IDENTITY"))
    assert {f"{origin} {origin.role}" for origin in found} == expected


def test_tables_of_the_shop(shop: ShopLineage) -> None:
    assert shop.tables("transactions") == {"shop.sales", "shop.clients"}
    assert shop.tables("reviews") == set()


def test_the_command_shows_it() -> None:
    shown = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["lineage", "user_item_interactions", "--json"])
    document = json.loads(shown.stdout)
    origins = document["interactions"]["columns"]["spend_sum"]["origins"]
    assert {"dataset": "", "table": "transactions", "column": "price", "role": "AGGREGATION"} in origins
    assert {"dataset": "", "table": "order_items", "column": "quantity", "role": "FILTER"} in document["interactions"][
        "conditions"
    ]
    table = CliRunner().invoke(cli.app, ["lineage", "user_item_interactions", "--table", "customer_index"])
    assert "customer_index" in table.stdout
    assert "article_index" not in table.stdout


def test_a_table_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="it has interactions, log, customer_index"):
        CliRunner().invoke(cli.app, ["lineage", "user_item_interactions", "--table", "x"], catch_exceptions=False)


@pytest.mark.parametrize("step", ["_trace", "_decide"])
def test_nothing_is_followed_twice(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[object] = []
    follow = getattr(DatasetLineage, step)

    def noted(lineage: DatasetLineage, what: object) -> object:
        followed.append(what)
        return follow(lineage, what)

    monkeypatch.setattr(DatasetLineage, step, noted)
    lineage = DatasetLineage(datasets.load("training_labels"))
    first = [lineage.table(table.name) for table in lineage.dataset.published]
    assert [lineage.table(table.name) for table in lineage.dataset.published] == first
    assert followed
    assert len(set(followed)) == len(followed)
