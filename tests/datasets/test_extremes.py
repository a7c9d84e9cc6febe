"""Every dataset computes with each of its numbers at both ends of what is allowed."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from golden import LENIENT, fill_shop, load_case

from shopmill import datasets
from shopmill.errors import CheckFailedError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

FOLDER = Path(__file__).parent
FROM_SHOP = [name for name in datasets.names() if not datasets.load(name).upstream]


@pytest.mark.parametrize("name", FROM_SHOP)
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_ends_of_every_range_can_be_computed(name: str, end: str, settings: Settings) -> None:
    [case, *_] = [run for path in sorted((FOLDER / name).glob("*.yaml")) for run in load_case(path) if run.get("given")]
    ends: dict[str, Any] = {p.name: getattr(p, end) for p in datasets.load(name).parameters}
    chosen = {parameter: value for parameter, value in ends.items() if value is not None}
    fill_shop(settings.source_dsn.get_secret_value(), case["given"])
    patient = settings.model_copy(update={"lookback_days": 31})  # late_days may not be longer
    stale = {"stale_days": 36_500}  # no lower than fresh_days
    run = Run.create(datasets.load(name), str(case["as_of"]), patient, {**LENIENT, **chosen, **stale})
    with suppress(CheckFailedError):  # a shop of three rows may fail a check; it may not fail to compute
        steps.run_all(run)


LARGEST = 999_999_999_999
AMOUNTS = {
    "the row that ended a dataset": [(12_000, 96_385_074)],
    "as much as a line can be": [(1, LARGEST), (LARGEST, 1), (0.5, LARGEST), (LARGEST, 1)],
    "as many units as a line can have": [(0.01, 999_999_999), (1, 999_999_999.999999), (1, 96_385_074)],
    "a fraction": [(0.000001, 0.000001), (LARGEST, 0.000001), (0.000001, LARGEST)],
    "a little beyond": [(1_000_000, 1_000_000), (LARGEST, 1.000002), (2, LARGEST)],
}


@pytest.mark.parametrize("name", FROM_SHOP)
@pytest.mark.parametrize("lines", AMOUNTS.values(), ids=AMOUNTS)
def test_any_amount_of_a_line_is_computed_or_rejected_by_name(
    name: str, lines: list[tuple[float, float]], settings: Settings
) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), shop_of(lines))
    given = {p.name for p in datasets.load(name).all_parameters}
    run = Run.create(datasets.load(name), "2020-09-23", settings, {k: v for k, v in LENIENT.items() if k in given})
    steps.run_all(run)
    rejected = run.versions.need(run.as_of).content["rejected"]
    assert {said.partition(": ")[2] for said in rejected} <= {
        "price times quantity is 1000000000000 or more",
        "quantity is beyond 1000000000",
    }


def shop_of(lines: list[tuple[float, float]]) -> dict[str, list[dict[str, Any]]]:
    """The lines on two days, as transactions and as items of orders, beside an ordinary one."""
    sold = [(day, price, quantity) for day in (20, 22) for price, quantity in [*lines, (10, 1)]]
    who = {"customer_id": "c1", "article_id": "1"}
    return {
        "customers": [{"customer_id": "c1"}],
        "articles": [{"article_id": "1", "index_group_name": "Ladieswear", "price": LARGEST}],
        "transactions": [{"t_dat": f"2020-09-{d}", "price": price, "quantity": n, **who} for d, price, n in sold],
        "orders": [
            {"order_id": f"o{number}", "customer_id": "c1", "order_datetime": f"2020-09-{sold[number][0]}T10:00Z"}
            for number in range(len(sold))
        ],
        "order_items": [
            {
                "order_id": f"o{number}",
                "article_id": "1",
                "price": price,
                "quantity": -quantity if number % 2 else quantity,
            }
            for number, (_, price, quantity) in enumerate(sold)
        ],
        "reviews": [
            {
                "review_id": "r1",
                "article_id": "1",
                "rating": 5,
                "review_text": "Fits.",
                "review_date": "2020-09-20T10:00Z",
            }
        ],
        "events": [
            {"event_id": f"e{number}", "visitor_id": "v", "event_type": "purchase", "event_value": LARGEST, **who}
            | {"event_datetime": f"2020-09-22T10:0{number}Z"}
            for number in range(3)
        ],
    }
