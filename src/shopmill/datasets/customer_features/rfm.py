"""The names of RFM segments, and thresholds that a run is given instead of computing its own."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shopmill.declaration import Value
from shopmill.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

MEASURES = ("days_since_last_purchase", "active_days_count_lifetime", "spend_sum_lifetime")
THRESHOLDS = ("threshold_20", "threshold_40", "threshold_60", "threshold_80")

# By r_score (rows, 1 to 5) and f_score (columns, 1 to 5).
SEGMENTS = (
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyalist", "potential_loyalist", "loyal", "loyal"),
    ("new", "potential_loyalist", "potential_loyalist", "champion", "champion"),
)


def rfm_lookups(parameters: Mapping[str, Value]) -> Mapping[str, "pa.Table"]:
    """`rfm_segments` (of_r_score, of_f_score, segment) and `frozen_thresholds`, empty when the run computes its own."""
    import pyarrow as pa

    frozen = parse_thresholds(str(parameters["frozen_thresholds"]))
    cells = [(r, f, name) for r, row in enumerate(SEGMENTS, 1) for f, name in enumerate(row, 1)]
    segments = {
        "of_r_score": pa.array([r for r, _, _ in cells], pa.int32()),
        "of_f_score": pa.array([f for _, f, _ in cells], pa.int32()),
        "segment": pa.array([name for _, _, name in cells], pa.string()),
    }
    columns = {
        name: pa.array([values[i] for values in frozen.values()], pa.decimal128(38, 6))
        for i, name in enumerate(THRESHOLDS)
    }
    thresholds = {"measure": pa.array(list(frozen), pa.string()), **columns}
    return {"rfm_segments": pa.table(segments), "frozen_thresholds": pa.table(thresholds)}


def parse_thresholds(text: str) -> dict[str, list[Decimal]]:
    """The four ascending thresholds of each measure; nothing from empty text; InvalidInputError for anything else."""
    if not text.strip():
        return {}
    try:
        given = json.loads(text, parse_float=Decimal)
        frozen = {measure: _four_ascending(given.pop(measure)) for measure in MEASURES}
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
        given = None
    if given != {}:
        example = ", ".join(f'"{measure}": [1, 2, 3, 4]' for measure in MEASURES)
        raise InvalidInputError(
            f"Parameter frozen_thresholds={text!r} is not JSON with four ascending numbers "
            f"for each of three measures, such as {{{example}}}."
        )
    return frozen


def _four_ascending(given: Any) -> list[Decimal]:
    values = [Decimal(value).quantize(Decimal("1e-6")) for value in given]
    if len(values) != len(THRESHOLDS) or any(low > high for low, high in pairwise(values)):
        raise ValueError
    return values
