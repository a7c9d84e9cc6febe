"""Which columns are about a person, and that their values are masked in every shape that they come in."""

import json

import pytest

from shopmill.personal import MASK, describes_people, is_personal, masked, masked_example, masked_json, shape


@pytest.mark.parametrize(
    "column",
    [
        *("customer_id", "user_id", "session_id", "CUSTOMER_ID", "client_id", "email", "e_mail_address"),
        *(
            "phone_number",
            "postal_code",
            "zip",
            "age",
            "first_name",
            "surname",
            "ip_address",
            "visitor_id",
            "birth_date",
            "visitor_key",
            *("customerEmail", "billingAddress", "userId", "shippingPhone", "firstName", "e-mail"),
            *("telephone", "tel", "fax", "user_name", "username", "nickname", "contact_name", "ssn", "dob", "login"),
        ),
    ],
)
def test_personal(column: str) -> None:
    assert is_personal(column)


@pytest.mark.parametrize(
    "column",
    [
        "article_id",
        "customer_index",
        "price",
        "prod_name",
        "review_id",
        "page",
        "age_days",
        "category",
        "priceEur",
        "telling",
    ],
)
def test_not_personal(column: str) -> None:
    assert not is_personal(column)


def test_masks() -> None:
    assert masked("customer_id", "c1") == MASK
    assert masked("customer_id", None) is None
    assert masked("text", "write to a@b.se now") == f"write to {MASK} now"
    assert masked("n", 5) == 5
    assert json.loads(masked_json('{"customer_id": "c1", "price": 1}')) == {"customer_id": MASK, "price": 1}
    assert masked_json("c1 bought something") == MASK
    assert masked_json('["c1"]') == MASK
    assert masked_example(["customer_id", "article_id"], "c1, 0001") == f"{MASK}, 0001"
    assert masked_example(["customer_id", "article_id"], "c, 1, 0001") == MASK
    assert masked_example(["article_id"], "0001, with a comma") == "0001, with a comma"


def test_what_a_shop_knows_of_a_person_is_masked_within_json() -> None:
    own = '{"email":"a@b.se","street":"Lane 1","points":"5","home":{"phone":"1"}}'
    shown = json.loads(masked("attributes", own))
    assert shown == {"email": MASK, "street": MASK, "points": "5", "home": {"phone": MASK}}
    assert masked("attributes", '{"colour":"red"}') == '{"colour":"red"}'
    assert describes_people(own[:20])
    assert masked("attributes", own[:20]) == MASK
    assert not describes_people("street")


def test_of_a_persons_id_the_shape_is_shown() -> None:
    assert shape("customer_id", "Änna-42b") == "?aaa-99a"
    assert shape("customer_id", None) is None
    assert shape("article_id", "0001") == "0001"
