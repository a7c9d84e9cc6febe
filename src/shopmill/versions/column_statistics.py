"""What one column looks like: nulls, distinct values, and a range with a histogram, or the most frequent values.

Arrow's functions compute it from values in memory: a table has many columns, and a query for each would take longer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shopmill.personal import describes_people, is_personal

if TYPE_CHECKING:
    import pyarrow as pa

BINS = 24
TOP = 8
LONGEST_TEXT = 80
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram, or a frequent value: what it stands for, and in how many rows."""

    label: str
    rows: int


@dataclass(frozen=True)
class ColumnStatistics:
    """What one column looks like. A personal column has no values here, only how many."""

    name: str
    nulls: int
    distinct: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    mean: str | None = None
    deviation: str | None = None
    histogram: tuple[Bar, ...] = ()
    top: tuple[Bar, ...] = ()
    personal: bool = False

    @property
    def without_people(self) -> "ColumnStatistics":
        """Itself, or without its values where these are of people: of a JSON object its names say so."""
        if is_personal(self.name) or any(describes_people(bar.label) for bar in self.top):
            return ColumnStatistics(self.name, self.nulls, self.distinct, personal=True)
        return self


def describe_column(name: str, column: "pa.ChunkedArray") -> ColumnStatistics:
    """The statistics of a column that is called `name`. Of lists and the like only nulls are counted."""
    import pyarrow.compute as pc
    from pyarrow import types

    nulls, kind = column.null_count, column.type
    if types.is_nested(kind):
        return ColumnStatistics(name, nulls)
    values = column.drop_null()
    distinct = pc.count_distinct(values).as_py() if len(values) else 0
    if is_personal(name) or not distinct:
        return ColumnStatistics(name, nulls, distinct, personal=is_personal(name))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return _of_numbers(ColumnStatistics(name, nulls, distinct), values)
    if types.is_date(kind) or types.is_timestamp(kind):
        return _of_times(ColumnStatistics(name, nulls, distinct), values)
    top = _most_frequent(values)
    shown = top if distinct <= nulls or top[0].rows > 1 else ()
    return ColumnStatistics(name, nulls, distinct, top=shown).without_people


def _of_numbers(known: ColumnStatistics, values: "pa.ChunkedArray") -> ColumnStatistics:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    is_whole = types.is_integer(values.type)
    if types.is_floating(values.type):
        values = values.filter(pc.is_finite(values))
    if not len(values):
        return known
    numbers = values.cast(pa.float64(), safe=False)
    ends = pc.min_max(values)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    [far] = pc.quantile(numbers, 0.99).to_pylist()
    # A few huge values would leave a single bar: the last bar then holds all that is above the 99th percentile.
    top = far if float(high) > 4 * abs(far) and far > float(low) else float(high)
    bars = _histogram(numbers, float(low), top, is_whole, lambda edge: f"{edge:.0f}" if is_whole else f"{edge:.4g}")
    # Rounding would give a column of one value a deviation, and each change of it would be one of many deviations.
    mean, deviation = pc.mean(numbers).as_py(), pc.stddev(numbers).as_py() if high > low else 0.0
    return ColumnStatistics(
        known.name, known.nulls, known.distinct, _plain(low), _plain(high), f"{mean:.6g}", f"{deviation:.6g}", bars
    )


def _of_times(known: ColumnStatistics, values: "pa.ChunkedArray") -> ColumnStatistics:
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = pc.min_max(values)
    low, high = str(ends["min"].as_py()), str(ends["max"].as_py())
    moments = values if pa.types.is_timestamp(values.type) else values.cast(pa.timestamp("s"))
    seconds = pc.divide(moments.cast(pa.int64()).cast(pa.float64(), safe=False), 10**9 / NANOSECONDS[moments.type.unit])
    reach = pc.min_max(seconds)
    bars = _histogram(seconds, reach["min"].as_py(), reach["max"].as_py(), False, _day)
    return ColumnStatistics(known.name, known.nulls, known.distinct, low, high, histogram=bars)


def _histogram(
    numbers: "pa.ChunkedArray", low: float, high: float, is_whole: bool, label: Callable[[float], str]
) -> tuple[Bar, ...]:
    """Bars of one width from `low` to `high`; what is above is in the last one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bins, width = BINS, (high - low) / BINS
    if is_whole:
        width = max(1.0, float(-(-(high - low + 1) // BINS)))
        bins = int(-(-(high - low + 1) // width))
    if width <= 0:
        bins, width = 1, 1.0
    places = pc.floor(pc.divide(pc.subtract(numbers, low), width))
    counted = _counted(pc.min_element_wise(places, float(bins - 1)).cast(pa.int64()))
    return tuple(Bar(label(low + place * width), counted.get(place, 0)) for place in range(bins))


def _counted(places: "pa.ChunkedArray") -> dict[int, int]:
    import pyarrow.compute as pc

    return {one["values"]: one["counts"] for one in pc.value_counts(places).to_pylist()}


def _most_frequent(values: "pa.ChunkedArray") -> tuple[Bar, ...]:
    """The most frequent values, as texts; of those in as many rows the first in the order of texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counts = pc.value_counts(values)
    texts = pc.utf8_slice_codeunits(counts.field("values").cast(pa.string()), 0, LONGEST_TEXT)
    found = pa.table({"text": texts, "rows": counts.field("counts")})
    top = found.take(pc.select_k_unstable(found, TOP, [("rows", "descending"), ("text", "ascending")]))
    return tuple(Bar(one["text"], one["rows"]) for one in top.to_pylist())


def _plain(value: Any) -> str:
    text = f"{value:f}" if not isinstance(value, int) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
