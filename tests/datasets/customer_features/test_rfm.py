"""Thresholds given as text, and the grid of segments."""

import json
from decimal import Decimal
from itertools import product

import pytest

from shopmill.datasets.customer_features.dataset import DATASET
from shopmill.datasets.customer_features.rfm import MEASURES, SEGMENTS, parse_thresholds, rfm_lookups
from shopmill.errors import InvalidInputError

GOOD = {measure: [1, 2.5, "3", 4] for measure in MEASURES}


def test_thresholds_are_read_as_exact_decimals() -> None:
    six = [Decimal("1.000000"), Decimal("2.500000"), Decimal("3.000000"), Decimal("4.000000")]
    assert parse_thresholds(json.dumps(GOOD)) == dict.fromkeys(MEASURES, six)
    assert parse_thresholds(json.dumps(GOOD | {MEASURES[2]: [0.1, 0.1, 0.1, 0.3]}))[MEASURES[2]][0] == Decimal("0.1")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_without_text_a_run_computes_its_own(text: str) -> None:
    assert parse_thresholds(text) == {}
    assert rfm_lookups({"frozen_thresholds": text})["frozen_thresholds"].num_rows == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        "3",
        "{}",
        json.dumps({measure: GOOD[measure] for measure in MEASURES[:2]}),
        json.dumps(GOOD | {"recency": [1, 2, 3, 4]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 3]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 3, 4, 5]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 4, 3]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 3, "many"]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 3, None]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 3, float("nan")]}),
        json.dumps(GOOD | {MEASURES[0]: [1, 2, 3, float("inf")]}),
        json.dumps(GOOD | {MEASURES[0]: 1}),
        str(GOOD),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not JSON with four ascending numbers") as refused:
        parse_thresholds(text)
    example = str(refused.value).partition("such as ")[2].rstrip(".")
    assert set(parse_thresholds(example)) == set(MEASURES)


def test_every_pair_of_scores_has_one_segment_and_the_documentation_shows_it() -> None:
    table = rfm_lookups({"frozen_thresholds": ""})["rfm_segments"].to_pylist()
    pairs = [(row["of_r_score"], row["of_f_score"]) for row in table]
    assert sorted(pairs) == list(product(range(1, 6), repeat=2))
    for score, names in enumerate(SEGMENTS, 1):
        assert f"| {score} | {' | '.join(names)} |" in DATASET.documentation
