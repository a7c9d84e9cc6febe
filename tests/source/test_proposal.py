"""How a proposal finds tables and columns: by names in any style, by types, keys and references; and what it asks."""

import pytest

from shopmill.source.contract import TABLES
from shopmill.source.proposal.choices import Choice
from shopmill.source.proposal.drafts import Draft, Item, id_item, price_item, time_item
from shopmill.source.proposal.matching import Match, matches
from shopmill.source.proposal.tables import ShopColumn, ShopTable
from shopmill.source.proposal.vocabulary import ROLES, words


def table(name: str, oid: int = 1, /, **columns: str | tuple[str, int, str]) -> ShopTable:
    """A table of columns with types; a reference is a type, the other table and its column."""
    made = {
        column: ShopColumn(
            column,
            column,
            kind if isinstance(kind, str) else kind[0],
            False,
            kind[1:] if isinstance(kind, tuple) else None,
        )
        for column, kind in columns.items()
    }
    return ShopTable(oid, name, name, True, made)


def found(*tables: ShopTable) -> dict[str, Match]:
    return matches(tables)


LINES = table("order_lines", 3, order_id="int8", product_id="int8", qty="int4", price="numeric")
ORDERS = table("orders", 2, id="int8", order_no="text", customer_id="int8", created_at="timestamptz")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SalesOrders", ("sale", "order")),
        ("order_statuses", ("order", "statuse")),
        ("categories", ("category",)),
        ("shop-Item", ("shop", "item")),
        ("address", ("address",)),
    ],
)
def test_words_of_a_name(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


def test_lines_and_orders_are_told_apart_and_no_cart_is_a_sale() -> None:
    cart = table(
        "cart_items",
        4,
        product_id="int8",
        customer_id="int8",
        price="numeric",
        quantity="int4",
        created_at="timestamptz",
    )
    chosen = found(cart, LINES, ORDERS)
    assert {name: match.table.name for name, match in chosen.items()} == {
        "order_items": "order_lines",
        "orders": "orders",
    }
    assert all(match.is_whole for match in chosen.values())


def test_what_lines_refer_to_is_the_key() -> None:
    by_name = table("product", 5, id="int8", sku="text", name="text")
    assert found(by_name, LINES, ORDERS)["articles"].columns["article_id"].name == "id"
    named = table("order_lines", 3, order_id="int8", sku="text", qty="int4", price="numeric")
    assert found(by_name, named, ORDERS)["articles"].columns["article_id"].name == "sku"
    referring = table("order_lines", 3, order_id="int8", what=("text", 5, "name"), qty="int4", price="numeric")
    assert found(by_name, referring, ORDERS)["articles"].columns["article_id"].name == "name"
    assert found(LINES, ORDERS)["orders"].columns["order_id"].name == "id"


def test_a_table_with_the_surer_name_is_taken_and_the_other_is_asked_about() -> None:
    accounts = table("account", 6, id="int8")
    customers, clients = table("customer", 7, id="int8"), table("crm_customers", 8, id="int8")
    assert found(accounts, customers)["customers"].table is customers
    twins = found(table("web_customer", 9, id="int8"), clients)["customers"]
    assert [rival.name for rival in twins.rivals] in (["web_customer"], ["crm_customers"])


def test_what_is_missing_is_said() -> None:
    chosen = found(table("reviews", 10, id="int8", body="text", written="date"))
    assert chosen["reviews"].missing == ("rating",)
    assert "weather" not in {
        match.table.name for match in found(table("weather", 11, day="date", rain="numeric")).values()
    }


@pytest.mark.parametrize(
    ("column", "expression", "words"),
    [
        (ShopColumn("unit_cents", "unit_cents", "int4"), "line.unit_cents / 100.0", "a hundredth"),
        (ShopColumn("price", "price", "int4"), "line.price", "if price counts cents"),
        (
            ShopColumn("line_total", "line_total", "numeric"),
            "line.line_total / nullif(line.qty, 0)",
            "divided by its units",
        ),
        (ShopColumn("price", "price", "money"), "line.price::numeric", ""),
        (ShopColumn("price", "price", "numeric"), "line.price", ""),
    ],
)
def test_prices(column: ShopColumn, expression: str, words: str) -> None:
    item = price_item("price", column, "line.", "line.qty")
    assert (item.expression, words in item.note, bool(item.note)) == (expression, True, bool(words))


def test_ids_are_text_and_times_have_a_zone() -> None:
    assert id_item("order_id", ShopColumn("id", "id", "int8")).expression == "id::text"
    assert id_item("order_id", ShopColumn("id", "id", "uuid")).expression == "id"
    zoned = "at time zone current_setting('shopmill.time_zone')"
    assert time_item("order_datetime", ShopColumn("t", "t", "timestamp")).expression == f"t {zoned}"
    assert time_item("order_datetime", ShopColumn("t", "t", "date")).expression == f"t::timestamp {zoned}"
    assert time_item("t_dat", ShopColumn("t", "t", "date"), as_day=True).expression == "t"
    assert time_item("order_datetime", ShopColumn("t", "t", "timestamptz")).expression == "t"


def test_a_draft_and_one_that_is_not_finished() -> None:
    draft = Draft("reviews", "reviews: r.", (Item("review_id", "id::text", "why"), Item("rating", "rating")), "r")
    assert draft.text == "-- reviews: r.\nselect\n  id::text as review_id,  -- why\n  rating\nfrom r\n"
    undecided = Draft("reviews", "reviews: r.", draft.items[:1], "r", (), (), ("rating",))
    assert all(line.startswith("-- ") for line in undecided.text.splitlines())
    assert undecided.asked == ("Which column of r is rating?",)
    joined = Draft("reviews", "reviews: r.", (), "r\njoin s on true", (), (), ("review_id", "rating"))
    assert all(line.startswith("-- ") for line in joined.text.splitlines())
    assert "--   ? as rating\n-- from r\n-- join s on true\n" in joined.text
    assert joined.asked == ("Which column of r join s on true is review_id and which rating?",)


def test_choices_are_lines_of_toml() -> None:
    assert Choice("currency", "EUR", "").line == 'currency = "EUR"'
    assert Choice("cancelled_statuses", ("a", 'b"'), "", False).line == '# cancelled_statuses = ["a", "b\\""]'


def test_every_role_knows_what_it_cannot_do_without() -> None:
    for role in ROLES.values():
        assert any(not wanted.optional for wanted in role.wanted), role.name


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_contracts_names_loses_no_column(name: str) -> None:
    """One that is not on the search path is mapped as others are, and has all its columns all the same."""
    kinds = {"varchar": "text", "integer": "int4", "boolean": "bool", "date": "date", "timestamptz": "timestamptz"}
    columns = {c.name: ShopColumn(c.name, c.name, kinds.get(c.type, "numeric")) for c in TABLES[name].selected}
    match = matches([ShopTable(1, name, f"sales.{name}", False, columns)])[name]
    assert {found: column.name for found, column in match.columns.items() if found in columns} == {
        n: n for n in columns
    }


def test_a_column_of_the_contracts_name_is_not_taken_for_another() -> None:
    columns = {
        name: ShopColumn(name, name, kind)
        for name, kind in {
            "event_id": "text",
            "session_id": "text",
            "product_code": "text",
            "event_type": "text",
            "event_datetime": "timestamptz",
        }.items()
    }
    match = matches([ShopTable(1, "events", "web.events", False, columns)])["events"]
    assert match.columns["product_code"].name == "product_code"
    assert "article_id" not in match.columns
