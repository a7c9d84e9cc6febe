"""`shopmill init` where a shop's names are not English, not in snake case, or not columns at all: right, or a question."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHOPS = Path(__file__).parent / "shops_of_other_names"
RIGHT = {
    "german": {
        "articles": ["artikelnummer as article_id", "preis as price", "lagerbestand as stock", "aktiv as is_listed"],
        "customers": ["kundennummer as customer_id", "angelegt_am at time zone", "plz as postal_code"],
        "events": ["aktion as event_type", "zeitpunkt at time zone", "besucher as visitor_id", "sitzung as session_id"],
        "order_items": ["bestellnummer::text as order_id", "menge as quantity", "einzelpreis as price", "geaendert_am at"],
        "orders": ["bestellnummer::text as order_id", "bestelldatum at time zone", "waehrung as currency"],
        "reviews": ["sterne as rating", "erstellt_am at time zone", "text as review_text"],
        "transactions": ["placed.bestelldatum at time zone", "line.menge as quantity", "line.einzelpreis as price"],
    },
    "camel_case": {
        "articles": ['"unitPriceCents" / 100.0 as price', '"stockQty" as stock', '"isActive" as is_listed'],
        "customers": ["id as customer_id", '"createdAt" as created_at', '"zipCode" as postal_code'],
        "events": ['"anonymousId" as visitor_id', '"occurredAt" as event_datetime', '"userAgent" as user_agent'],
        "order_items": ['"orderId" as order_id', "qty as quantity", '"unitPriceCents" / 100.0 as price'],
        "orders": ["id as order_id", '"placedAt" as order_datetime', '"orderStatus" as order_status'],
        "reviews": ["stars as rating", "body as review_text"],
        "transactions": ['placed."placedAt" as t_dat', 'line."unitPriceCents" / 100.0 as price', 'placed."currencyCode" as currency'],
    },
    "reserved": {
        "articles": ['"product id" as article_id', '"unit price" as price', 'from product'],
        "customers": ['"user id" as customer_id', '"Created At" as created_at', '"postal code" as postal_code', 'from "user"'],
        "events": ['"event id" as event_id', '"visitor id" as visitor_id', '"occurred at" as event_datetime', '"event name" as event_type'],
        "order_items": ['"order id" as order_id', '"Qty." as quantity', '"unit price" as price', 'from "order line"'],
        "orders": ['"order id" as order_id', '"placed-at" as order_datetime', '"order status" as order_status', '"Currency." as currency'],
        "transactions": ['placed."placed-at" as t_dat', 'line."Qty." as quantity', 'line."unit price" as price'],
    },
}  # fmt: skip
"""What the files of the mapping must say."""


@pytest.fixture
def proposed(
    shopmill: Callable[..., tuple[int, str, str]],
    made: Callable[[str], str],
    tmp_path: Path,
    registry_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], tuple[dict[str, Any], dict[str, str]]]:
    """What is said of a shop, and the files of its mapping."""

    def propose(shop: str) -> tuple[dict[str, Any], dict[str, str]]:
        (tmp_path / "shop").mkdir()
        monkeypatch.chdir(tmp_path / "shop")
        monkeypatch.setenv("SHOPMILL_REGISTRY_DSN", registry_dsn)
        monkeypatch.setenv("SHOPMILL_SOURCE_DSN", made((SHOPS / f"{shop}.sql").read_text()))
        _, out, err = shopmill("init", "--json")
        assert err == ""
        return json.loads(out), {path.stem: path.read_text() for path in Path("mapping").glob("*.sql")}

    return propose


@pytest.mark.parametrize("shop", RIGHT)
def test_what_is_found_is_right(proposed: Callable[[str], Any], shop: str) -> None:
    said, files = proposed(shop)
    assert files.keys() == RIGHT[shop].keys()
    for name, lines in RIGHT[shop].items():
        for line in lines:
            assert line in files[name], files[name]
    wrong = {finding["subject"] for finding in said["doctor"] if finding["level"] == "error"}
    assert wrong <= {"events.event_type", "events.visitor_id"}, said["doctor"]


def test_what_is_not_found_is_asked_and_selects_nothing(proposed: Callable[[str], Any]) -> None:
    said, files = proposed("attributes_and_values")
    asked = [question for question in said["questions"] if "Which column of" in question]
    assert len(asked) >= 2
    assert not [finding for finding in said["doctor"] if finding["level"] == "error"], said["doctor"]
    for text in files.values():
        if "Then take the dashes below away." in text:
            assert all(line.startswith("-- ") for line in text.splitlines()), text
