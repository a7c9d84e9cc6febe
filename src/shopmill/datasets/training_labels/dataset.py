"""What happened next: targets to train models with, made so that none can leak.

A *label* is a measure over the days from an *origin* on: `churn_90d` with the origin 2017-06-01 says of each customer
whether there was no purchase from 2017-06-01 to 2017-08-29. The version of as_of has the labels whose window ended at
as_of, origin = as_of - horizon_days: a label is made of rows of before its own as_of, as all else is, and features to
learn it from are those of the version whose as_of is the origin. `shopmill.training_set` joins the two.

| label | of | is |
|---|---|---|
| `churn_30d`, `churn_90d` | customers who bought before the origin | 1 without a purchase in the window, else 0 |
| `spend_30d`, `spend_90d` | the same | what was spent: price times quantity, in the shop's currency |
| `units_30d`, `units_90d` | the same | units bought |
| `user_churn_7d` | customers who bought in the 7 days before the origin | as churn; RelBench's user-churn of rel-hm |
| `article_units_7d`, `article_units_28d` | articles of the catalogue, and those that were sold before as_of | units sold |
| `item_sales_7d` | the same | what they were sold for: price times quantity; RelBench's item-sales of rel-hm |
| `next_basket_7d` | customers and articles that they bought in the window | units; a pair without a row bought none |
| `review_rating_28d` | customers and articles that they reviewed in the window | stars of the last review |

RelBench's timestamp is the last day that features may see, so its timestamp is the day before our origin.

Units are the quantities of the lines, and amounts are converted into the shop's currency by the rate of their day, as in all
other datasets. Lines of guests count for articles alone. Labels are of what is sold: what comes back later changes none.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from shopmill.datasets.training_labels.labels import KEYS, LABELS, Entity, label_windows
from shopmill.declaration import (
    REJECTS,
    Column,
    Dataset,
    Input,
    Join,
    Parameter,
    Promise,
    QueryCheck,
    RowCheck,
    Table,
    Task,
)
from shopmill.source.currencies import currency_checks

SHORTEST = min(label.horizon_days for label in LABELS)


def _table(entity: Entity, of: str) -> Table:
    key = KEYS[entity]
    names = tuple(label.name for label in LABELS if label.entity == entity)
    return Table(
        name=f"{entity}_labels",
        grain=f"one row per label and {of}",
        key=("label", *key),
        split_by=key[0],
        columns=(
            Column("label", "varchar", "what is to be predicted", allowed=names),
            Column("origin", "date", "first day of the window; features are those of this as_of"),
            Column("horizon_days", "integer", "days of the window", "days", minimum=1),
            *(Column(name, "varchar", f"{name.removesuffix('_id')} as the shop names it") for name in key),
            Column("value", "decimal(38,6)", "the label: see its meaning above", minimum=0),
        ),
        checks=(
            RowCheck(
                "window ends at as_of",
                "date_diff('day', origin, $as_of) = horizon_days",
                "a label is published when its window is over, and not before",
            ),
        ),
        may_be_empty=True,
    )


DATASET = Dataset(
    name="training_labels",
    title="Training labels",
    owner="ml-platform",
    promise=Promise(within=timedelta(hours=2), age=timedelta(hours=33)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    extracts={
        "extract": (
            Input("transactions", is_fresh=True, severity="error"),
            Input("exchange_rates", optional=True),
            Input("articles"),
            Input("reviews", is_fresh=True, optional=True, reject_limit="max_review_reject_share"),
        )
    },
    tasks=(Task("transform", ("customer_labels", "article_labels", "customer_article_labels", "rejects")),),
    tables=(
        _table("customer", "customer"),
        _table("article", "article"),
        _table("customer_article", "customer and article"),
        REJECTS,
    ),
    parameters=(
        # Older than the shortest window, all of its labels would be made of no data.
        Parameter(
            "stale_days",
            "integer",
            SHORTEST,
            "age of the newest rows of the main table in days above which nothing is published",
            0,
            36500,
        ),
        # As in reviews_nlp: people type reviews, and more of them are out of range than of what a till writes.
        Parameter(
            "max_review_reject_share", "decimal", Decimal("0.05"), "share of the reviews that may be rejected", 0, 1
        ),
    ),
    checks=(
        *currency_checks("transactions"),
        QueryCheck("units agree", "units of 7 days are the same, summed by article and by customer and article"),
        QueryCheck("churn agrees", "a customer has churned exactly when no unit was bought in the same window"),
    ),
    joins=(Join("bought_lines", "article_id", "articles"),),
    lookups=label_windows,
)
