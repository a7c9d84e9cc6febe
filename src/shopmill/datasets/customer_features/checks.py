"""What must hold before a version of customer_features is published, and what is worth a warning."""

from collections.abc import Sequence
from itertools import pairwise

from shopmill.datasets.customer_features.columns import Window
from shopmill.datasets.customer_features.rfm import THRESHOLDS
from shopmill.declaration import QueryCheck, RowCheck
from shopmill.source.currencies import currency_checks
from shopmill.source.statuses import STATUSES_DECIDED

NESTED = ("transactions_count", "spend_sum", "active_days_count", "articles_distinct", "groups_distinct")


def _nested(measure: str, windows: Sequence[Window]) -> RowCheck:
    pairs = pairwise(window.name for window in windows)
    rule = " and ".join(f"{measure}_{short} <= {measure}_{long}" for short, long in pairs)
    return RowCheck(f"{measure} nested", rule, "a longer window holds the shorter ones")


def _shares(window: str) -> RowCheck:
    shares = " + ".join(f"channel_{channel}_share_{window}" for channel in ("1", "2", "other"))
    return RowCheck(f"channel shares {window}", f"abs({shares} - 1) < 1e-9", "shares of the channels sum to 1")


def row_checks(purchase_windows: Sequence[Window], event_windows: Sequence[Window]) -> tuple[RowCheck, ...]:
    """The rules that every row of features must meet."""
    seen = " and ".join(f"last_seen_at_{window.name} < $as_of_at" for window in event_windows)
    return (
        *(_nested(measure, purchase_windows) for measure in NESTED),
        *(_shares(window.name) for window in purchase_windows),
        *RULES,
        RowCheck("nothing from the future", seen, "no event is dated at or after as_of"),
    )


RULES = (
    RowCheck(
        "scored when bought",
        "(transactions_count_lifetime > 0) = (rfm_score is not null and rfm_segment is not null and r_percentile "
        "is not null and f_percentile is not null and m_percentile is not null and clv_frequency is not null)",
        "customers with a purchase have RFM and BTYD columns, others do not",
    ),
    RowCheck(
        "BTYD in order",
        'clv_frequency <= clv_recency_days and clv_recency_days <= "clv_T_days" '
        "and clv_frequency = active_days_count_lifetime - 1",
        "there are no more repeat days than days from first to last, and those lie before as_of",
    ),
    RowCheck(
        "dates in order",
        "days_since_last_purchase <= days_since_first_purchase and days_since_last_order <= days_since_first_order",
        "the first purchase is not after the last",
    ),
)

THRESHOLD_CHECKS = (
    RowCheck("ascending", " and ".join(f"{low} <= {high}" for low, high in pairwise(THRESHOLDS)), "thresholds ascend"),
)

CHECKS = (
    QueryCheck("spend reconciled", "spend_sum_lifetime sums to the prices of all usable transaction lines"),
    QueryCheck("equal values equal scores", "scores and percentiles follow the values they are made of"),
    QueryCheck("thresholds at the quantiles", "thresholds lie at 20, 40, 60 and 80 % of the customers"),
    QueryCheck("scores spread", "no score is that of most customers (max_score_share)", "warn"),
    QueryCheck("customers lost", "few customers of the previous version are missing (max_customer_loss)"),
    QueryCheck("customers gained", "not unusually many customers are new (max_customer_gain)", "warn"),
    QueryCheck(
        "customers known",
        "every customer is in the customers table",
        "warn",
    ),
    QueryCheck(
        "events of known customers",
        "every customer with an event has a row",
        "warn",
    ),
    QueryCheck(
        "articles in the catalogue",
        "every article bought is in the catalogue, or its group and colour are unknown",
        "warn",
    ),
    *currency_checks("transactions", "orders"),
    STATUSES_DECIDED,
)
