"""What is known of each customer at as_of: one row of features per customer, ready for a model.

**Who has a row.** Every customer of the customers table who registered before as_of, with or without purchases, and every
customer who has a transaction or an order without being in that table (`is_known` is false, demographics are null, a check
counts them). Customers known from events alone have no row; a check counts those too.

**Windows** are whole days of the shop, `[as_of - w, as_of)`, named in the column: `spend_sum_180d`; `_lifetime` is
everything before as_of. Where as_of lies within a day, orders and events of that day up to as_of count as well.
Counts and sums without anything to count are 0; means, maxima, shares and rates are null.

**Purchases** are the lines of transactions with a customer. `transactions_count` counts lines and `units_sum` their units; spend
is price times quantity, in the shop's own currency. Sums are exact decimals, means the quotient of two exact sums. Guests
have no row, and are counted as not wanted.
The favourite group and colour have most units; among equals the one bought last wins, then the first by name.

**Orders**: an order that was cancelled, or has nothing but lines of negative quantity, is not an order. Basket size and
order value count lines of positive quantity; a line of quantity 0 adds nothing. The return rate is units sent back
(negative quantity) or cancelled, per unit ordered, cancelled ones included; what is both is one. See
[What the numbers mean](../numbers.md).

**Events**: an event_id sent twice counts once; unknown event types count for `last_seen_at_30d` alone.

**BTYD**: `clv_frequency`, `clv_recency_days`, `clv_T_days` and `clv_monetary_value` are what
`lifetimes.utils.summary_data_from_transaction_data` gives for transactions by day with as_of as the end.

**RFM** scores the customers with a purchase; for all others it is null. The measures are `days_since_last_purchase`,
`active_days_count_lifetime` and `spend_sum_lifetime`. Of n customers ordered by a measure, threshold_20 is the value
at place ceil(0.2 n), and so on to threshold_80. Then

    f_score, m_score = 1 + number of thresholds that the value exceeds
    r_score          = 5 - number of thresholds that days_since_last_purchase exceeds

A value equal to a threshold does not exceed it, so equal values get equal scores, and with many equal values some
scores stay empty. Percentiles are the share of the other customers with a purchase who do strictly worse. They always
come from this version's customers, the scores perhaps not: `frozen_thresholds` keeps scores comparable from version to
version. It is JSON with the thresholds of each measure, as an earlier version's `rfm_thresholds` shows them:

    {"days_since_last_purchase": [7, 21, 60, 180], "active_days_count_lifetime": [1, 2, 4, 9],
     "spend_sum_lifetime": [25.5, 80, 190, 520]}

Segments, by r_score and f_score:

| r_score \\ f_score | 1 | 2 | 3 | 4 | 5 |
|---|---|---|---|---|---|
| 5 | new | potential_loyalist | potential_loyalist | champion | champion |
| 4 | promising | potential_loyalist | potential_loyalist | loyal | loyal |
| 3 | about_to_sleep | about_to_sleep | need_attention | loyal | loyal |
| 2 | hibernating | hibernating | at_risk | at_risk | cannot_lose |
| 1 | hibernating | hibernating | at_risk | at_risk | cannot_lose |

**Rejects**: rows without an id, a date or a price, with a negative price, and repeated customer_id, order_id or article_id
(one counts: the earliest order, the first customer or article by value). Lines of a rejected order, or of none, are rejected
with it. Of an age outside 0..120 only the age is lost: the customer stays, with age null.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from shopmill.datasets.customer_features.checks import CHECKS, THRESHOLD_CHECKS, row_checks
from shopmill.datasets.customer_features.columns import (
    EVENT_WINDOW_DAYS,
    LIFETIME,
    PURCHASE_WINDOW_DAYS,
    feature_columns,
    windows_of,
)
from shopmill.datasets.customer_features.rfm import THRESHOLDS, rfm_lookups
from shopmill.declaration import REJECTS, Column, Dataset, Input, Join, Parameter, Promise, Table, Task

BEYOND_ANY_ZONE = 2
"""Days by which the bound on event_datetime is wider than the longest window: a day of the shop may begin that much earlier."""

EXTRACTS = {
    "extract_demographics": (Input("customers"),),
    "extract_transactions": (
        Input("transactions", is_fresh=True, severity="error"),
        Input("articles"),
        Input("exchange_rates", optional=True),
    ),
    "extract_orders": (
        Input("orders", is_fresh=True, optional=True),
        Input("order_items", optional=True),
    ),
    "extract_events": (Input("events", is_fresh=True, optional=True),),
}

RFM_THRESHOLDS = Table(
    name="rfm_thresholds",
    grain="one row per measure of RFM",
    key=("measure",),
    columns=(
        Column("measure", "varchar", "column of features that is scored"),
        *(
            Column(name, "decimal(38,6)", f"{name[-2:]} % of the customers do not exceed it", "of the measure")
            for name in THRESHOLDS
        ),
        Column("is_frozen", "boolean", "given to the run instead of computed from this version's customers"),
    ),
    checks=THRESHOLD_CHECKS,
    may_be_empty=True,
)

# What several views are built on is computed once.
STEPS = (
    Table(
        name="purchase_days",
        grain="one row per customer and day with purchases",
        split_by="customer_id",
        columns=(
            Column("customer_id", "varchar", "customer as the shop names it"),
            Column("age_days", "integer", "as_of minus the day", "days"),
            Column("n_lines", "bigint", "transaction lines", "lines"),
            Column("n_units", "decimal(38,6)", "units of these lines", "units"),
            Column("n_channel_1", "bigint", "lines on sales channel 1", "lines"),
            Column("n_channel_2", "bigint", "lines on sales channel 2", "lines"),
            Column("spend", "decimal(38,6)", "sum of price times quantity", "the shop's currency"),
            Column("max_spend", "decimal(18,6)", "highest price times quantity of a line", "the shop's currency"),
        ),
        published=False,
    ),
    Table(
        name="customer_articles",
        grain="one row per customer and article bought",
        split_by="customer_id",
        columns=(
            Column("customer_id", "varchar", "customer as the shop names it"),
            Column("article_id", "varchar", "article as the shop names it, zero-padded text"),
            Column("n_units", "decimal(38,6)", "units bought", "units"),
            Column("age_days", "integer", "as_of minus the last day", "days"),
        ),
        published=False,
    ),
    Table(
        name="everyone",
        grain="one row per customer",
        split_by="customer_id",
        columns=(
            Column("customer_id", "varchar", "customer as the shop names it"),
            Column("is_known", "boolean", "the customers table has the customer"),
        ),
        published=False,
    ),
)

PARAMETERS = (
    Parameter("frozen_thresholds", "text", "", "thresholds of RFM as JSON; empty: computed from the customers"),
    Parameter("max_customer_loss", "decimal", Decimal("0.01"), "share of customers that may be missing", 0, 1),
    Parameter("max_customer_gain", "decimal", Decimal("0.2"), "share of new customers without a warning", 0, 1000),
    Parameter("max_score_share", "decimal", Decimal("0.6"), "share of one score without a warning", 0, 1),
)


def declare(
    purchase_window_days: Iterable[int] = PURCHASE_WINDOW_DAYS, event_window_days: Iterable[int] = EVENT_WINDOW_DAYS
) -> Dataset:
    """The dataset with these windows: its columns, its checks and its SQL repeat by them."""
    event_window_days = tuple(event_window_days)
    windows, event_windows = (*windows_of(purchase_window_days), LIFETIME), windows_of(event_window_days)
    return Dataset(
        name="customer_features",
        title="Customer features",
        owner="ml-platform",
        promise=Promise(within=timedelta(hours=2), age=timedelta(hours=31)),
        documentation=__doc__,
        folder=Path(__file__).parent,
        values={
            "windows": windows,
            "event_windows": event_windows,
            "event_days": str(max(event_window_days) + BEYOND_ANY_ZONE),
        },
        extracts=EXTRACTS,
        # Thresholds first: the scores in features come from the published ones.
        tasks=(
            Task(
                "join_and_rfm",
                ("purchase_days", "customer_articles", "everyone", "rfm_thresholds", "features", "rejects"),
            ),
        ),
        tables=(
            Table(
                name="features",
                grain="one row per customer",
                key=("customer_id",),
                split_by="customer_id",
                columns=feature_columns(windows, event_windows),
                checks=row_checks(windows, event_windows),
            ),
            RFM_THRESHOLDS,
            REJECTS,
            *STEPS,
        ),
        held=("transaction_features", "variety_features", "taste_features", "order_features", "event_features"),
        parameters=PARAMETERS,
        checks=CHECKS,
        joins=(
            Join("customer_articles", "article_id", "articles"),
            Join("purchase_days", "customer_id", "customers"),
            Join("recent_events", "customer_id", "customers"),
        ),
        lookups=rfm_lookups,
    )


DATASET = declare()
