"""What the preset makes of a django-oscar shop, beyond its totals: people, articles, categories, reviews, visits, and trouble."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from running import PlatformShop
from story import KEY, LENIENT, Story

from shopmill import datasets
from shopmill.errors import CheckFailedError, SchemaDriftError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings


def guest(address: str) -> str:
    return f"guest-{hmac.new(KEY.encode(), address.encode(), hashlib.sha256).hexdigest()}"


def by_name(story: Story) -> dict[str, dict[str, Any]]:
    return {row["prod_name"]: row for row in story.after.mapped["articles"]}


def test_articles_are_what_can_be_bought_and_what_was_sold(oscar_story: Story) -> None:
    articles = by_name(oscar_story)
    assert articles.keys() == {"TEE S", "TEE M", "Mug", "Lamp", "Vase"}
    small, medium = articles["TEE S"], articles["TEE M"]
    assert small["product_code"] == medium["product_code"] != small["article_id"]
    assert (small["colour_group_name"], small["size"], small["price"], small["detail_desc"].strip()) == (
        "Black", "S", 10, "A cotton tee.",
    )  # fmt: skip
    assert {name for name, row in articles.items() if not row["is_listed"]} == {"Lamp", "Vase"}
    assert articles["Vase"]["article_id"] == "sku-VASE"  # its row was deleted
    assert (articles["Mug"]["stock"], small["stock"] < 100) == (None, True)


def test_the_category_is_the_deepest_public_one(oscar_story: Story) -> None:
    articles = by_name(oscar_story)
    assert (articles["TEE S"]["product_group_name"], articles["TEE S"]["index_group_name"]) == ("Shirts", "Clothing")
    assert articles["Mug"]["product_group_name"] == "Home"  # Cellar is deeper, and below a hidden one


def test_a_guest_is_one_person_and_becomes_the_account(oscar_story: Story) -> None:
    before, after = oscar_story.before.mapped, oscar_story.after.mapped
    assert [row["customer_id"] for row in before["orders"]].count(guest("guest@example.com")) == 2
    assert [row["customer_id"] for row in before["orders"]].count(guest("carl@example.com")) == 1
    assert guest("carl@example.com") not in {row["customer_id"] for row in [*after["orders"], *after["customers"]]}
    accounts = {row["customer_id"] for row in after["customers"] if row["club_member_status"] == "account"}
    assert len(accounts) == 3  # anna, bo and carl; the staff have not ordered
    features = {row["customer_id"] for row in oscar_story.after.published("customer_features")}
    assert features == {row["customer_id"] for row in after["customers"]}


def test_reviews_that_were_approved(oscar_story: Story) -> None:
    articles = by_name(oscar_story)
    reviews = {row["rating"]: row for row in oscar_story.after.mapped["reviews"]}
    assert reviews.keys() == {4, 2}
    assert reviews[4]["article_id"] == articles["Mug"]["article_id"]
    assert (reviews[2]["article_id"], reviews[2]["product_code"]) == (None, articles["TEE S"]["product_code"])


def test_visits_are_views_baskets_and_purchases(oscar_story: Story) -> None:
    events = oscar_story.after.mapped["events"]
    kinds = {kind: sum(row["event_type"] == kind for row in events) for kind in ("view", "add_to_cart", "purchase")}
    assert kinds["view"] == 2
    assert kinds["purchase"] == len(oscar_story.after.mapped["transactions"])
    assert all((row["customer_id"] is None) != (row["visitor_id"] is None) for row in events)
    assert not any(str(row["customer_id"]).startswith("guest-") for row in events)


def test_promotions_that_everybody_gets(oscar_story: Story) -> None:
    articles = by_name(oscar_story)
    planned = {row["article_id"] for row in oscar_story.after.mapped["promotions"]}
    assert planned == {articles["TEE S"]["article_id"], articles["TEE M"]["article_id"]}


def test_another_version_of_oscar_is_named(oscar_story: Story, copied: Callable[[PlatformShop], PlatformShop]) -> None:
    shop = copied(oscar_story.shop)
    with psycopg.connect(shop.owner_dsn) as connection:
        connection.execute("delete from django_migrations where app = 'order' and name > '0014'")
        connection.execute("alter table order_line drop column line_price_excl_tax")
    words = (
        r"articles: the preset oscar .*4\.2\.1.* reads order_line\.line_price_excl_tax, .*django-oscar 3\.2 does not"
    )
    with pytest.raises(SchemaDriftError, match=words):
        publish("user_item_interactions", oscar_story.after.settings, shop)


def test_a_shop_without_orders_says_so(oscar_story: Story, oscar_without_orders: PlatformShop) -> None:
    for name in ("user_item_interactions", "customer_features", "timeseries"):
        with pytest.raises(CheckFailedError, match=r"transactions has no row before as_of"):
            publish(name, oscar_story.after.settings, oscar_without_orders)


def publish(name: str, settings: Settings, shop: PlatformShop) -> None:
    other = settings.model_copy(
        update={"source_dsn": SecretStr(shop.reader_dsn), "store": f"{settings.store}-{shop.database}"}
    )
    steps.run_all(Run.create(datasets.load(name), "2026-01-01", other, LENIENT))
