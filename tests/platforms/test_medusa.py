"""What the preset makes of a Medusa shop, beyond its totals: people, articles, categories, visits and promotions."""

from decimal import Decimal

import pytest
from story import Story, by_name, guest

pytestmark = [pytest.mark.npm, pytest.mark.timeout(1800)]


def test_articles_are_what_can_be_bought_and_what_was_sold(medusa_story: Story) -> None:
    articles = by_name(medusa_story)
    assert articles.keys() == {"Tee S / Black", "Tee M / White", "Chinos M", "Mug One", "Vase One", "Draft lamp One"}
    small, medium = articles["Tee S / Black"], articles["Tee M / White"]
    assert small["product_code"] == medium["product_code"] != small["article_id"]
    assert (small["colour_group_name"], small["size"], small["price"], small["detail_desc"]) == (
        "Black", "S", 10, "A cotton tee.",
    )  # fmt: skip
    assert (small["product_type_name"], medium["price"]) == ("T-shirt", Decimal("10.99"))
    assert {name for name, row in articles.items() if not row["is_listed"]} == {"Vase One", "Draft lamp One"}
    assert (articles["Mug One"]["stock"], small["stock"] < 100) == (None, True)


def test_the_category_is_the_deepest_public_one(medusa_story: Story) -> None:
    articles = by_name(medusa_story)
    tee = articles["Tee S / Black"]  # also in Sale, which is less deep, and in Samples, which is not public
    assert (tee["product_group_name"], tee["index_group_name"]) == ("Shirts", "Clothing")
    assert articles["Mug One"]["product_group_name"] == articles["Mug One"]["index_group_name"] == "Home"


def test_a_guest_is_one_person_and_becomes_the_account(medusa_story: Story) -> None:
    before, after = medusa_story.before.mapped, medusa_story.after.mapped
    assert [row["customer_id"] for row in before["orders"]].count(guest("guest@example.com")) == 2
    assert [row["customer_id"] for row in before["orders"]].count(guest("carl@example.com")) == 1
    assert guest("anna@example.com") not in {row["customer_id"] for row in before["orders"]}  # she has an account
    assert guest("carl@example.com") not in {row["customer_id"] for row in [*after["orders"], *after["customers"]]}
    people = {
        kind: [row for row in after["customers"] if row["club_member_status"] == kind] for kind in ("account", "guest")
    }
    assert {row["customer_id"] for row in people["guest"]} == {guest("guest@example.com"), guest("dora@example.com")}
    assert [row["Active"] for row in people["account"]].count(False) == 1  # who left
    assert len(people["account"]) == 4


def test_visits_are_carts_and_purchases(medusa_story: Story) -> None:
    events = medusa_story.after.mapped["events"]
    kinds = {kind: sum(row["event_type"] == kind for row in events) for kind in ("add_to_cart", "purchase")}
    assert kinds["purchase"] == len(medusa_story.after.mapped["transactions"])
    assert kinds["add_to_cart"] == 22  # one of them in a cart that nobody bought
    assert all((row["customer_id"] is None) != (row["visitor_id"] is None) for row in events)
    assert not any(str(row["customer_id"]).startswith("guest-") for row in events)


def test_promotions_that_everybody_gets(medusa_story: Story) -> None:
    planned = medusa_story.after.mapped["promotions"]
    assert [(row["article_id"], row["kind"]) for row in planned] == [
        (by_name(medusa_story)["Mug One"]["article_id"], "price list")
    ]
