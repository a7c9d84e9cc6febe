"""What the preset makes of a django-oscar shop, beyond its totals: people, articles, categories, reviews and visits."""

from story import Story, by_name, guest


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
