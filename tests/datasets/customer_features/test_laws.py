"""What holds for the features of any shop, and what the field's own package says of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop_of_lines import Line, compute

AS_OF = date(2020, 9, 23)
WINDOWS = {"30d": 30, "90d": 90, "180d": 180, "365d": 365, "lifetime": 10**6}
GROUPS = {"0001": "Shoes", "0002": "Shoes", "0003": "Bags", "0004": "Bags"}
MEASURES = {"r": "days_since_last_purchase", "f": "active_days_count_lifetime", "m": "spend_sum_lifetime"}

ages = st.one_of(st.integers(1, 400), st.sampled_from([30, 31, 90, 91, 180, 181, 365, 366]))
lines = st.builds(
    Line,
    customer=st.sampled_from("abcdefghij"),
    day=ages.map(lambda age: AS_OF - timedelta(days=age)),
    article=st.sampled_from(["0001", "0002", "0003", "0004", "0005"]),
    price=st.integers(0, 40).map(lambda quarters: Decimal(quarters) / 4),
    channel=st.sampled_from([None, 1, 2, 3]),
)
shops = st.lists(lines, min_size=1, max_size=60)
law = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def made_of(shop: Sequence[Line]) -> Any:
    with TemporaryDirectory() as folder:
        return compute(Path(folder), shop, AS_OF, GROUPS)


@law
@given(shops)
def test_windows_hold_what_a_plain_count_finds_and_are_nested(shop: Sequence[Line]) -> None:
    features = made_of(shop).features
    bought = defaultdict(list)
    for line in shop:
        bought[line.customer].append(line)
    assert set(features) == set(bought)
    for customer, own in bought.items():
        row = features[customer]
        for window, days in WINDOWS.items():
            inside = [line for line in own if (AS_OF - line.day).days <= days]
            assert row[f"transactions_count_{window}"] == row[f"units_sum_{window}"] == len(inside)
            assert row[f"spend_sum_{window}"] == sum(line.price for line in inside)
            assert row[f"spend_max_{window}"] == max((line.price for line in inside), default=None)
            assert row[f"active_days_count_{window}"] == len({line.day for line in inside})
            assert row[f"articles_distinct_{window}"] == len({line.article for line in inside})
            assert row[f"groups_distinct_{window}"] == len({GROUPS[i.article] for i in inside if i.article in GROUPS})
            on_web = sum(line.channel == 2 for line in inside)
            assert row[f"channel_2_share_{window}"] == (on_web / len(inside) if inside else None)
            assert row[f"spend_avg_{window}"] == (float(row[f"spend_sum_{window}"]) / len(inside) if inside else None)
        for short, long in pairwise(WINDOWS):
            assert row[f"transactions_count_{short}"] <= row[f"transactions_count_{long}"]
            assert row[f"spend_sum_{short}"] <= row[f"spend_sum_{long}"]
            assert row[f"articles_distinct_{short}"] <= row[f"articles_distinct_{long}"]


@law
@given(shops)
def test_the_favourite_is_the_best_by_units_then_last_day_then_name(shop: Sequence[Line]) -> None:
    features = made_of(shop).features
    for customer, row in features.items():
        by_group = defaultdict(list)
        for line in shop:
            if line.customer == customer and line.article in GROUPS:
                by_group[GROUPS[line.article]].append(line.day)
        best = min(by_group, key=lambda g: (-len(by_group[g]), AS_OF - max(by_group[g]), g), default=None)
        assert row["favourite_group_lifetime"] == best


@law
@given(shops)
def test_scores_follow_from_the_thresholds_and_equal_values_get_equal_scores(shop: Sequence[Line]) -> None:
    computed = made_of(shop)
    thresholds = {row["measure"]: [row[f"threshold_{q}"] for q in (20, 40, 60, 80)] for row in computed.thresholds}
    rows = list(computed.features.values())
    for letter, measure in MEASURES.items():
        values = sorted(row[measure] for row in rows)
        # Integers: place ceil(n * k / 5), counted from 1.
        assert thresholds[measure] == [values[-(-len(values) * k // 5) - 1] for k in (1, 2, 3, 4)]
        better = [(-row[measure] if letter == "r" else row[measure]) for row in rows]
        for row, worth in zip(rows, better, strict=True):
            exceeded = sum(row[measure] > threshold for threshold in thresholds[measure])
            assert row[f"{letter}_score"] == (5 - exceeded if letter == "r" else 1 + exceeded)
            worse = sum(other < worth for other in better)
            assert row[f"{letter}_percentile"] == (worse / (len(rows) - 1) if len(rows) > 1 else 0)
        ranked = sorted((worth, row[f"{letter}_score"]) for row, worth in zip(rows, better, strict=True))
        for (low, low_score), (high, high_score) in pairwise(ranked):
            assert low_score == high_score if low == high else low_score <= high_score


def cdnow() -> pd.DataFrame:
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt"
    names = ["master_id", "customer", "day", "cds", "value"]
    return pd.read_csv(path, sep=r"\s+", names=names, dtype={"customer": str, "day": str, "value": str})


@pytest.mark.parametrize("as_of", [date(1998, 7, 1), date(1997, 9, 30)])
def test_btyd_columns_agree_with_lifetimes_on_cdnow(as_of: date, tmp_path: Path) -> None:
    from lifetimes.utils import summary_data_from_transaction_data

    bought = cdnow()
    bought = bought[pd.to_datetime(bought["day"]) < pd.Timestamp(as_of)]
    assert len(bought) > 4000
    theirs = summary_data_from_transaction_data(
        bought.astype({"value": float}),
        customer_id_col="customer",
        datetime_col="day",
        monetary_value_col="value",
        datetime_format="%Y%m%d",
        observation_period_end=f"{as_of:%Y%m%d}",
    )
    shop = [
        Line(line.customer, date.fromisoformat(line.day), "0001", Decimal(line.value))
        for line in bought.itertuples(index=False)
    ]
    ours = compute(tmp_path, shop, as_of).features
    assert set(ours) == set(theirs.index)
    for customer, expected in theirs.iterrows():
        row = ours[str(customer)]
        assert row["clv_frequency"] == expected["frequency"]
        assert row["clv_recency_days"] == expected["recency"]
        assert row["clv_T_days"] == expected["T"]
        assert row["clv_monetary_value"] == pytest.approx(expected["monetary_value"], rel=0, abs=1e-9)
