"""What each customer did with each article before as_of: the matrix that recommenders are trained on.

A *signal* is one purchase line (transactions), one view, click or add_to_cart of a logged-in customer (events), or
one returned line (an order item of negative quantity or of a cancelled order). Whatever its
units, a line is one signal; its units are in `unit_count` and `return_count`. Every signal before as_of counts in the raw
counts for ever; `time_weighted_score` lets it fade:

    time_weighted_score = sum over signals of weight(signal) * 0.5 ^ (age_days / half_life_days(signal))

Weights are computed as exact decimals with 12 places and summed as decimals, so the score is the same to the last
digit on any number of threads and on either engine.

Purchase lines that repeat exactly all count. Spend is price times quantity, in the shop's own currency. An event_id that was sent again
within 31 days counts once.
Events without a customer or an article, and event types other than view, click and add_to_cart, are not signals.
Articles that are missing from the catalogue are kept: they were sold (a check counts them).

Guests, whom nobody knows, have no row here: their lines and orders are counted as not wanted. Rejected are lines without an
article, a day, a price of at least 0 or a quantity above 0, events without an id, a time or a user, repeated orders and those
without a time, and order items of such orders or without an order, article, quantity or price. Whether a row is used is
judged alike for all datasets: see [What the numbers mean](../numbers.md).

`log` has the signals themselves, a row each, for models that learn from sequences. It has a file per month; a run computes
those from the month of the first changed day on and takes over the others, byte for byte what a full rebuild gives.

`customer_index` and `article_index` number the ids from 0 for matrices. A number once given stays from version to
version, so the rows and columns of two matrices line up; new ids follow in the order in which they first appeared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from shopmill.declaration import (
    REJECTS,
    Column,
    Dataset,
    Incremental,
    Input,
    Join,
    Parameter,
    Promise,
    QueryCheck,
    RowCheck,
    Table,
    Task,
    Value,
)
from shopmill.source.currencies import currency_checks
from shopmill.source.statuses import STATUSES_DECIDED

if TYPE_CHECKING:
    import pyarrow as pa

SIGNALS = {"purchase": "1.0", "cart": "0.3", "click": "0.1", "view": "0.05", "return": "-1.0"}
PLACES = Decimal("1e-12")
REPEAT_DAYS = 31
"""Days within which an event_id that comes again is the same event."""


def signal_weights(parameters: Mapping[str, Value]) -> Mapping[str, "pa.Table"]:
    """The weight of each signal at each age in days, until it rounds to zero."""
    import pyarrow as pa

    names: list[str] = []
    ages: list[int] = []
    weights: list[Decimal] = []
    for signal in SIGNALS:
        for age, weight in enumerate(
            _fading(Decimal(parameters[f"{signal}_weight"]), Decimal(parameters[f"{signal}_half_life_days"]))
        ):
            names.append(signal)
            ages.append(age)
            weights.append(weight)
    columns = {
        "of_signal": pa.array(names, pa.string()),
        "age_days": pa.array(ages, pa.int64()),
        "weight": pa.array(weights, pa.decimal128(18, 12)),
    }
    return {"signal_weights": pa.table(columns)}


def _fading(weight: Decimal, half_life: Decimal) -> Iterator[Decimal]:
    with localcontext() as context:
        context.prec = 50  # so many more than the places kept that multiplying day by day rounds nothing wrong
        per_day, faded = Decimal("0.5") ** (1 / half_life), weight
        for age in count():
            halvings = age / half_life
            if halvings == int(halvings):  # then alone can it lie exactly between two places, and must be exact
                faded = weight * Decimal("0.5") ** int(halvings)
            if not (rounded := faded.quantize(PLACES)):
                return
            yield rounded
            faded *= per_day


def _count(name: str, meaning: str) -> Column:
    return Column(name, "bigint", meaning, "signals", minimum=0)


def _units(name: str, meaning: str) -> Column:
    return Column(name, "decimal(38,6)", meaning, "units", minimum=0)


def _index(of: str) -> Table:
    return Table(
        name=f"{of}_index",
        grain=f"one row per {of} that had a signal in this or an earlier version",
        key=(f"{of}_id",),
        columns=(
            Column(f"{of}_id", "varchar", f"{of} as the shop names it"),
            Column(f"{of}_index", "bigint", "number from 0, the same in every later version", minimum=0),
        ),
    )


LOG = Table(
    name="log",
    grain="one row per signal before as_of; rows that repeat exactly are so many signals",
    columns=(
        Column("day", "date", "day of the signal, in the shop's time zone"),
        Column("customer_id", "varchar", "customer as the shop names it"),
        Column("article_id", "varchar", "article as the shop names it, zero-padded text"),
        Column("signal", "varchar", "what happened", allowed=tuple(SIGNALS)),
        Column(
            "happened_at",
            "timestamptz",
            "moment of the signal; null for purchases, of which the day is known",
            required=False,
        ),
        Column("quantity", "decimal(18,6)", "units bought or returned; 1 of a view, click or cart", "units", minimum=0),
        Column(
            "value",
            "decimal(18,6)",
            "price times quantity of a purchase line, null for others",
            "the shop's currency",
            False,
            minimum=0,
        ),
        Column("session_id", "varchar", "the tracker's session of a view, click or cart", required=False),
    ),
    checks=(RowCheck("nothing from the future", "day <= $as_of", "no signal is dated at or after as_of"),),
    partition_by="day",
    in_spans=True,
)

DATASET = Dataset(
    name="user_item_interactions",
    title="User-item interactions",
    owner="ml-platform",
    promise=Promise(within=timedelta(hours=2), age=timedelta(hours=29)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    extracts={
        "extract": (
            Input("transactions", is_fresh=True, severity="error"),
            Input("events", is_fresh=True, optional=True),
            Input("orders", is_fresh=True, optional=True),
            Input("order_items", optional=True),
            Input("articles"),
            Input("exchange_rates", optional=True),
        )
    },
    tasks=(Task("transform", ("log", "interactions", "customer_index", "article_index", "rejects")),),
    tables=(
        Table(
            name="interactions",
            grain="one row per customer and article with any signal before as_of",
            key=("customer_id", "article_id"),
            split_by="customer_id",
            columns=(
                Column("customer_id", "varchar", "customer as the shop names it"),
                Column("article_id", "varchar", "article as the shop names it, zero-padded text"),
                _count("purchase_count", "transaction lines, repeated ones included"),
                _units("unit_count", "units of these lines: the sum of their quantities"),
                _count("view_count", "views"),
                _count("click_count", "clicks"),
                _count("cart_count", "times put into the cart"),
                _units("return_count", "units that came back: of returned lines and of lines of cancelled orders"),
                _count("interaction_count", "signals of any kind; a returned line is one, whatever its units"),
                Column(
                    "spend_sum",
                    "decimal(38,6)",
                    "sum of price times quantity of the purchase lines",
                    "the shop's currency",
                    minimum=0,
                ),
                Column("first_interaction_date", "date", "day of the first signal, in the shop's time zone"),
                Column("last_interaction_date", "date", "day of the last signal, in the shop's time zone"),
                Column("recency_days", "integer", "as_of minus last_interaction_date", "days", minimum=0),
                Column(
                    "time_weighted_score",
                    "decimal(38,12)",
                    "sum of the weights of all signals, faded by their age",
                    "weight",
                ),
            ),
            checks=(
                RowCheck("has a signal", "interaction_count > 0", "a row is there because of a signal"),
                RowCheck(
                    "counts add up",
                    "interaction_count >= purchase_count + view_count + click_count + cart_count and (return_count > 0) = "
                    "(interaction_count > purchase_count + view_count + click_count + cart_count)",
                    "interaction_count is the sum of the counts by kind and the returned lines",
                ),
                RowCheck(
                    "dates in order",
                    "first_interaction_date <= last_interaction_date",
                    "the first signal is not after the last",
                ),
                RowCheck(
                    "nothing from the future", "last_interaction_date <= $as_of", "no signal is dated at or after as_of"
                ),
            ),
        ),
        LOG,
        _index("customer"),
        _index("article"),
        replace(REJECTS, reads_all=True),
    ),
    parameters=tuple(
        parameter
        for signal, weight in SIGNALS.items()
        for parameter in (
            Parameter(f"{signal}_weight", "decimal", Decimal(weight), f"weight of a {signal} today", -1000, 1000),
            Parameter(
                f"{signal}_half_life_days", "decimal", Decimal(30), f"days after which a {signal} counts half", 1, 3650
            ),
        )
    ),
    checks=(
        QueryCheck(
            "log adds up",
            "the log has every signal that interactions counts",
        ),
        QueryCheck(
            "numbers kept",
            "ids keep the number that they had in the previous version",
        ),
        QueryCheck(
            "numbers without gap",
            "indexes are 0, 1, 2, ... each once",
        ),
        QueryCheck(
            "articles in the catalogue",
            "every article with a signal is in the catalogue",
            severity="warn",
        ),
        *currency_checks("transactions", "orders"),
        STATUSES_DECIDED,
    ),
    joins=(Join("article_index", "article_id", "articles"),),
    incremental=Incremental(
        facts=("transactions", "events", "orders", "order_items"),
        period="month",
        warm_up_days=lambda _: REPEAT_DAYS,
        margins=lambda _: {"repeat_days": REPEAT_DAYS},
        read_whole=("orders", "order_items"),
    ),
    lookups=signal_weights,
)
