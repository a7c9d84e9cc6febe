"""What the preset makes of a Vendure shop, beyond its totals: people, articles, categories, visits and promotions."""

import pytest
from story import Story, by_name, guest

pytestmark = [pytest.mark.npm, pytest.mark.timeout(1800)]


def test_articles_are_what_can_be_bought_and_what_was_sold(vendure_story: Story) -> None:
    articles = by_name(vendure_story)
    assert articles.keys() == {"Laptop 13 inch 8GB", "Laptop 15 inch 16GB", "Mouse", "Cup", "Bonsai"}
    small, large = articles["Laptop 13 inch 8GB"], articles["Laptop 15 inch 16GB"]
    assert small["product_code"] == large["product_code"]
    assert small["article_id"] != large["article_id"]
    assert (small["price"], small["detail_desc"].strip(), small["sku"]) == (1299, "A laptop.", "LAPTOP-13")
    assert articles["Mouse"]["colour_group_name"] == "black"
    assert {name for name, row in articles.items() if not row["is_listed"]} == {"Bonsai"}
    assert (articles["Cup"]["stock"], articles["Mouse"]["stock"] < 100) == (None, True)


def test_the_category_is_the_deepest_one(vendure_story: Story) -> None:
    articles = by_name(vendure_story)
    laptop = articles["Laptop 13 inch 8GB"]
    assert (laptop["product_group_name"], laptop["index_group_name"]) == ("Computers", "Electronics")
    assert articles["Cup"]["product_group_name"] == articles["Cup"]["index_group_name"] == "Home"


def test_a_guest_is_one_person_and_becomes_the_account(vendure_story: Story) -> None:
    before, after = vendure_story.before.mapped, vendure_story.after.mapped
    assert [row["customer_id"] for row in before["orders"]].count(guest("guest@example.com")) == 2
    assert [row["customer_id"] for row in before["orders"]].count(guest("carl@example.com")) == 1
    assert guest("carl@example.com") not in {row["customer_id"] for row in [*after["orders"], *after["customers"]]}
    people = {
        kind: [row for row in after["customers"] if row["club_member_status"] == kind] for kind in ("account", "guest")
    }
    assert [row["customer_id"] for row in people["guest"]] == [guest("guest@example.com")]
    assert [row["Active"] for row in people["account"]].count(False) == 1  # who left
    assert len(people["account"]) == 4


def test_visits_are_carts_and_purchases(vendure_story: Story) -> None:
    events = vendure_story.after.mapped["events"]
    kinds = {kind: sum(row["event_type"] == kind for row in events) for kind in ("add_to_cart", "purchase")}
    assert kinds["purchase"] == len(vendure_story.after.mapped["transactions"])
    assert kinds["add_to_cart"] == kinds["purchase"] + 1  # a cart that nobody bought
    assert all((row["customer_id"] is None) != (row["visitor_id"] is None) for row in events)
    assert not any(str(row["customer_id"]).startswith("guest-") for row in events)


def test_promotions_that_everybody_gets(vendure_story: Story) -> None:
    planned = vendure_story.after.mapped["promotions"]
    assert [(row["article_id"], row["kind"]) for row in planned] == [
        (by_name(vendure_story)["Cup"]["article_id"], "products_percentage_discount")
    ]
