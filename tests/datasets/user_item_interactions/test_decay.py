"""The decay in exact decimals: what each signal weighs at each age, and that a matrix is the sum of its rows' weights."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shopmill import datasets
from shopmill.datasets.user_item_interactions.dataset import PLACES, SIGNALS, signal_weights
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DATASET = datasets.load("user_item_interactions")
AS_OF = date(2020, 9, 23)


def weight(of: Decimal, half_life: Decimal, age: int) -> Decimal:
    with localcontext() as context:
        context.prec = 80
        return (of * Decimal("0.5") ** (Decimal(age) / half_life)).quantize(PLACES)


@hypothesis_settings(max_examples=15, deadline=None)
@given(
    of=st.decimals(-1000, 1000, places=3),
    half_life=st.decimals(1, 100, places=2),
)
@example(of=Decimal("0.001"), half_life=Decimal("50.00"))  # ten half-lives: exactly between two places
def test_weights_are_those_of_the_formula_until_they_round_to_nothing(of: Decimal, half_life: Decimal) -> None:
    given_ = {"view_weight": of, "view_half_life_days": half_life}
    table = signal_weights(DATASET.parse_parameters(given_))["signal_weights"].to_pylist()
    views = [row for row in table if row["of_signal"] == "view"]
    assert [row["age_days"] for row in views] == list(range(len(views)))
    assert [row["weight"] for row in views] == [weight(of, half_life, age) for age in range(len(views))]
    assert weight(of, half_life, len(views)) == 0
    assert all(abs(after["weight"]) <= abs(before["weight"]) for before, after in pairwise(views))


def test_the_longest_half_life_is_computed_in_no_time() -> None:
    longest = {f"{signal}_half_life_days": 3650 for signal in SIGNALS}
    table = signal_weights(DATASET.parse_parameters(longest))["signal_weights"]
    assert table.num_rows > 100_000


signal = st.tuples(
    st.sampled_from(["purchase", "view", "click", "cart", "return"]),
    st.sampled_from(["c1", "c2"]),
    st.sampled_from(["0001", "0002"]),
    st.one_of(st.integers(-3, 3), st.integers(4, 2000)),
)


def as_shop(signals: list[tuple[str, str, str, int]]) -> dict[str, list[dict[str, Any]]]:
    shop: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, (kind, customer, article, age) in enumerate(signals):
        day = AS_OF - timedelta(days=age)
        if kind == "purchase":
            shop["transactions"].append({"t_dat": day, "customer_id": customer, "article_id": article, "price": "0.1"})
        elif kind == "return":
            order = {"order_id": f"o{number}", "customer_id": customer, "order_datetime": f"{day} 23:59:59Z"}
            shop["orders"].append({**order, "order_status": "completed"})
            shop["order_items"].append({"order_id": f"o{number}", "article_id": article, "quantity": -1, "price": 1})
        else:
            event = {"event_id": f"e{number}", "customer_id": customer, "article_id": article}
            kind_of = "add_to_cart" if kind == "cart" else kind
            shop["events"].append({**event, "event_type": kind_of, "event_datetime": f"{day} 00:00:00Z"})
    return shop


@hypothesis_settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signals=st.lists(signal, max_size=30))
def test_a_matrix_is_the_sum_of_the_signals_before_as_of(
    signals: list[tuple[str, str, str, int]],
    settings: Settings,
    shop_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fresh = ("purchase", "c1", "0001", 1)
    fill_shop(shop_dsn, as_shop([fresh, *signals]))
    chosen = settings.model_copy(update={"store": str(tmp_path_factory.mktemp("store"))})
    run = Run.create(datasets.load("user_item_interactions"), str(AS_OF), chosen, LENIENT)
    steps.run_all(run)

    expected: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for kind, customer, article, age in [fresh, *signals]:
        if age >= 1:
            expected[customer, article].append((kind, age))
    manifest = run.versions.need(run.as_of)
    files = run.store.fetch(run.versions.keys_of(manifest, "interactions"), tmp_path_factory.getbasetemp())
    found = pq.read_table(files[0], partitioning=None).to_pylist()
    assert [(row["customer_id"], row["article_id"]) for row in found] == sorted(expected)
    for row in found:
        mine = expected[row["customer_id"], row["article_id"]]
        kinds, ages = [kind for kind, _ in mine], [age for _, age in mine]
        assert {name: row[f"{name}_count"] for name in SIGNALS} == {name: kinds.count(name) for name in SIGNALS}
        assert row["interaction_count"] == len(mine)
        assert row["spend_sum"] == Decimal("0.1") * kinds.count("purchase")
        assert (AS_OF - row["first_interaction_date"]).days == max(ages)
        assert (AS_OF - row["last_interaction_date"]).days == min(ages) == row["recency_days"]
        total = sum(weight(Decimal(SIGNALS[kind]), Decimal(30), age) for kind, age in mine)
        assert row["time_weighted_score"] == total
