"""A window more is a word more in the declaration: its columns, checks and SQL follow."""

import pytest
from golden import run_case

from shopmill import datasets
from shopmill.datasets.customer_features.columns import EVENT_WINDOW_DAYS, PURCHASE_WINDOW_DAYS
from shopmill.datasets.customer_features.dataset import DATASET, declare
from shopmill.settings import Settings

CASE = {
    "as_of": "2020-09-23",
    "given": {
        "customers": [{"customer_id": "c1"}],
        "articles": [{"article_id": "0001", "product_group_name": "Shoes"}],
        "transactions": [
            {"t_dat": day, "customer_id": "c1", "article_id": "0001", "price": price, "sales_channel_id": 1}
            for day, price in (("2020-09-22", 16), ("2020-08-24", 1), ("2020-08-23", 2), ("2020-07-25", 4), ("2020-07-24", 8))
        ],
        "events": [
            {"event_id": f"e{day}", "customer_id": "c1", "event_type": "view", "event_datetime": f"2020-09-{day} 10:00:00Z"}
            for day in (22, 16, 15)
        ],
    },
    "expect": {
        "features": [
            {
                "customer_id": "c1", "spend_sum_30d": 17, "spend_sum_60d": 23, "spend_sum_90d": 31,
                "transactions_count_60d": 4, "active_days_count_60d": 4, "articles_distinct_60d": 1,
                "groups_distinct_60d": 1, "channel_1_share_60d": 1.0, "views_count_7d": 2, "views_count_30d": 3,
            }
        ]
    },
}  # fmt: skip


def test_sixty_days_of_purchases_and_seven_of_events(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wider = declare((*PURCHASE_WINDOW_DAYS, 60), (*EVENT_WINDOW_DAYS, 7))
    monkeypatch.setattr(datasets, "load", lambda _name: wider)
    assert run_case("customer_features", CASE, settings) is not None


def test_windows_are_in_order_and_nothing_else_changes() -> None:
    wider = [column.name for column in declare((60, *PURCHASE_WINDOW_DAYS)).table("features").columns]
    now = [column.name for column in DATASET.table("features").columns]
    assert [name for name in wider if not name.endswith("_60d")] == now
    assert wider.index("spend_sum_30d") < wider.index("spend_sum_60d") < wider.index("spend_sum_90d")
    assert "a longer window holds the shorter ones" in {c.meaning for c in declare((7,)).table("features").checks}
