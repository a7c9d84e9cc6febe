"""The columns of `features`, theme by theme; what repeats by window is written once."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from shopmill.datasets.customer_features.rfm import SEGMENTS
from shopmill.declaration import Column

PURCHASE_WINDOW_DAYS = (30, 90, 180, 365)
EVENT_WINDOW_DAYS = (30,)


@dataclass(frozen=True)
class Window:
    """A stretch of time before as_of that columns are named after, and what holds for the rows of SQL that lie in it."""

    name: str
    when: str
    holds: str


LIFETIME = Window("lifetime", "before as_of", "age_days is not null")


def windows_of(days: Iterable[int]) -> tuple[Window, ...]:
    """A window for each number of whole days before as_of."""
    return tuple(Window(f"{n}d", f"in the {n} days before as_of", f"age_days <= {n}") for n in sorted(set(days)))


CURRENCY = "the shop's currency"


def _count(name: str, meaning: str, unit: str) -> Column:
    return Column(name, "bigint", meaning, unit, minimum=0)


def _days(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, "days", required=False, minimum=0)


def _ratio(name: str, meaning: str, unit: str, maximum: float | None = None) -> Column:
    return Column(name, "double", meaning, unit, required=False, minimum=0, maximum=maximum)


def _amount(name: str, meaning: str, required: bool = False) -> Column:
    return Column(name, "decimal(38,6)", meaning, CURRENCY, required=required, minimum=0)


DEMOGRAPHICS = (
    Column("customer_id", "varchar", "customer as the shop names it"),
    Column("is_known", "boolean", "the customers table has the customer"),
    Column("FN", "integer", "1 when the customer gets fashion news", required=False),
    Column("Active", "integer", "1 when the customer is active for communication", required=False),
    Column("club_member_status", "varchar", "status in the shop's club", required=False),
    Column("fashion_news_frequency", "varchar", "how often the customer gets fashion news", required=False),
    Column("age", "integer", "age, null when unknown or impossible", "years", required=False, minimum=0, maximum=120),
    Column("postal_code", "varchar", "postal code, or its hash, as the shop has it", required=False),
    Column(
        "attributes", "varchar", "the shop's own columns of the customer, as a JSON object of texts", required=False
    ),
)


def _purchases(of: Window) -> tuple[Column, ...]:
    none, window, when = "null without transactions", of.name, of.when
    return (
        _count(f"transactions_count_{window}", f"transaction lines {when}, repeated ones included", "lines"),
        Column(
            f"units_sum_{window}",
            "decimal(38,6)",
            f"units bought {when}: the sum of the quantities",
            "units",
            minimum=0,
        ),
        _amount(f"spend_sum_{window}", f"sum of price times quantity of the lines {when}", required=True),
        _ratio(f"spend_avg_{window}", f"mean spend of a line {when}, {none}", CURRENCY),
        _amount(f"spend_max_{window}", f"highest spend of a line {when}, {none}"),
        _count(f"active_days_count_{window}", f"days with a transaction {when}", "days"),
        _ratio(f"channel_1_share_{window}", f"share of lines on sales channel 1 {when}, {none}", "share", 1),
        _ratio(f"channel_2_share_{window}", f"share of lines on sales channel 2 {when}, {none}", "share", 1),
        _ratio(f"channel_other_share_{window}", f"share of lines on another or no channel {when}, {none}", "share", 1),
        _count(f"articles_distinct_{window}", f"different articles bought {when}", "articles"),
        _count(
            f"groups_distinct_{window}",
            f"different product groups bought {when}; articles without a known group add none",
            "groups",
        ),
    )


TASTES = (
    _days("days_since_first_purchase", "as_of minus the first day with a transaction, null without transactions"),
    _days("days_since_last_purchase", "as_of minus the last day with a transaction, null without transactions"),
    Column(
        "favourite_group_lifetime",
        "varchar",
        "product group with most units; among equals the one bought last, then first by name",
        required=False,
    ),
    Column(
        "favourite_colour_lifetime",
        "varchar",
        "colour group with most units; among equals the one bought last, then first by name",
        required=False,
    ),
)

ORDERS = (
    _count("orders_count_lifetime", "orders, neither cancelled nor made of returned lines alone", "orders"),
    _ratio("basket_size_avg_lifetime", "mean units bought per order, null without orders", "units"),
    _ratio("order_value_avg_lifetime", "mean value of the units bought per order, null without orders", CURRENCY),
    _amount("order_value_max_lifetime", "highest value of the units bought in one order, null without orders"),
    _ratio(
        "return_rate_lifetime",
        "units sent back or cancelled per unit ordered; above 1 when what came back was ordered before the shop's "
        "records begin, null when nothing was ordered",
        "units per unit",
    ),
    _days("days_since_first_order", "as_of minus the day of the first order, null without orders"),
    _days("days_since_last_order", "as_of minus the day of the last order, null without orders"),
    _ratio("days_between_orders_avg_lifetime", "mean days from one order to the next, null below two orders", "days"),
)


def _events(of: Window) -> tuple[Column, ...]:
    window, when = of.name, of.when
    return (
        _count(f"views_count_{window}", f"events view {when}", "events"),
        _count(f"clicks_count_{window}", f"events click {when}", "events"),
        _count(f"carts_count_{window}", f"events add_to_cart {when}", "events"),
        _count(f"purchases_count_{window}", f"events purchase {when}", "events"),
        _ratio(
            f"view_to_cart_rate_{window}",
            "add_to_cart per view; above 1 with carts without a view, null without views",
            "ratio",
        ),
        _ratio(
            f"cart_to_purchase_rate_{window}",
            "purchases per add_to_cart; above 1 with purchases without a cart, null without carts",
            "ratio",
        ),
        Column(
            f"last_seen_at_{window}",
            "timestamptz",
            f"last event of any type {when}, null without one",
            "UTC",
            required=False,
        ),
        _days(f"days_since_last_seen_{window}", f"as_of minus the day of last_seen_at_{window}"),
    )


CLV = (
    _days("clv_frequency", "days with a transaction after the first such day, null without transactions"),
    _days("clv_recency_days", "from the first to the last day with a transaction, null without transactions"),
    _days("clv_T_days", "from the first day with a transaction to as_of, null without transactions"),
    _ratio(
        "clv_monetary_value",
        "mean spend of a day with transactions after the first such day; 0 without one, null without transactions",
        CURRENCY,
    ),
)


def _score(letter: str, meaning: str) -> Column:
    return Column(f"{letter}_score", "integer", f"{meaning}, 5 is best", "score", False, 1, 5)


def _percentile(letter: str, meaning: str) -> Column:
    return _ratio(f"{letter}_percentile", f"share of the other customers with a purchase who {meaning}", "share", 1)


RFM = (
    _score("r", "how recent the last purchase is"),
    _score("f", "on how many days the customer bought"),
    _score("m", "how much the customer spent"),
    Column("rfm_score", "varchar", "r_score, f_score and m_score as three digits", required=False),
    Column(
        "rfm_segment",
        "varchar",
        "segment by r_score and f_score",
        required=False,
        allowed=tuple(sorted(set(chain(*SEGMENTS)))),
    ),
    _percentile("r", "bought longer ago"),
    _percentile("f", "bought on fewer days"),
    _percentile("m", "spent less"),
)


def feature_columns(purchase_windows: Iterable[Window], event_windows: Iterable[Window]) -> tuple[Column, ...]:
    """The columns of features, theme by theme."""
    purchases = chain.from_iterable(_purchases(window) for window in purchase_windows)
    events = chain.from_iterable(_events(window) for window in event_windows)
    return (*DEMOGRAPHICS, *purchases, *TASTES, *ORDERS, *events, *CLV, *RFM)
