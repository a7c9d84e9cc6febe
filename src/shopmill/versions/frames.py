"""A table as pandas wants it: dates as datetime64, numbers as float64, nullable integers, categories, vectors.

What a column becomes follows from its declaration, so that two versions give frames of the same types.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from shopmill.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from pandas.api.extensions import ExtensionDtype

FEW_VALUES = 1000
"""A text column of at most so many values, each of ten rows or more on average, becomes a category."""
ROWS_PER_VALUE = 10
SAMPLE = 20_000
LAST_NANOSECOND = 2**63 - 1
"""From 1970, 292 years each way."""
EXACT, EXACT_SCALE = 2**53, 22
"""A float64 has every integer up to 2^53, and every power of ten up to 10^22."""


@dataclass(frozen=True)
class ColumnFacts:
    """What a manifest says of a column. A version from before these were written down says nothing: None."""

    is_required: bool | None = None
    allowed: Sequence[str] = ()
    is_key: bool = False

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> "dict[str, ColumnFacts]":
        """The facts on the columns of a table, from its part of a manifest."""
        return {
            column["name"]: cls(column.get("required"), column.get("allowed", ()), column["name"] in table["key"])
            for column in table["columns"]
        }


def to_frame(table: pa.Table, facts: Mapping[str, ColumnFacts], exact: bool = False) -> "pd.DataFrame":
    """The table as pandas; with `exact`, decimals stay decimals."""
    import pandas as pd

    columns = {name: _series(table.column(name), facts.get(name, ColumnFacts()), exact) for name in table.column_names}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def to_matrix(column: pa.ChunkedArray, name: str) -> "np.ndarray":
    """A column of vectors as one C-contiguous float32 matrix; InvalidInputError where a vector is null or another's length."""
    import numpy as np

    rows = len(column)
    if rows == 0:
        return np.empty((0, 0), np.float32)
    if column.null_count:
        raise InvalidInputError(
            f"{column.null_count} values of {name} are null: leave them out with where='{name} is not null'."
        )
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if len(lengths) > 1:
        raise InvalidInputError(
            f"The vectors in {name} differ in length ({min(lengths)} to {max(lengths)}): they are no matrix."
        )
    flat = np.empty(rows * lengths[0], np.float32)
    start = 0
    for chunk in column.chunks:  # never the whole column twice
        values = chunk.flatten().to_numpy(zero_copy_only=False)
        flat[start : start + len(values)] = values
        start += len(values)
    return flat.reshape(rows, lengths[0])


def to_array(series: "pd.Series") -> "np.ndarray":
    """A column of a frame as NumPy, without objects where there are numbers or moments."""
    import numpy as np
    import pandas as pd

    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_numeric_dtype(series.dtype) and pd.api.types.is_extension_array_dtype(series.dtype):
        found: np.ndarray = series.to_numpy(np.float64, na_value=np.nan)
        return found
    return series.to_numpy()


def is_vector(kind: pa.DataType) -> bool:
    """Whether a type is a list of numbers."""
    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)) and bool(
        pa.types.is_floating(kind.value_type)
    )


def _series(column: pa.ChunkedArray, facts: ColumnFacts, exact: bool) -> "pd.Series":
    kind = column.type
    can_be_null = bool(column.null_count) or facts.is_required is False
    if pa.types.is_decimal128(kind) and not exact:
        return _floats(column)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        column = _dated(column)
    elif can_be_null and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        return _as_series(column, _nullable)
    elif pa.types.is_string(kind) and _is_category(column, facts):
        return _category(column, facts)
    elif is_vector(kind) and not column.null_count:
        return _vectors(column)
    return _as_series(column)


def _as_series(
    column: pa.ChunkedArray, types: "Callable[[pa.DataType], ExtensionDtype | None] | None" = None
) -> "pd.Series":
    series: pd.Series = column.to_pandas(types_mapper=types)
    return series


def _floats(column: pa.ChunkedArray) -> "pd.Series":
    """The float nearest to each decimal: Arrow's own cast gives its neighbour now and then, 0.09999999999999999 for 0.1."""
    import numpy as np
    import pandas as pd

    found = np.empty(len(column), np.float64)
    start = 0
    for chunk in column.chunks:
        found[start : start + len(chunk)] = _chunk_floats(chunk)
        start += len(chunk)
    return pd.Series(found, copy=False)


def _chunk_floats(chunk: pa.Array) -> "np.ndarray":
    """Arithmetic rounds once, and so to the nearest, where both of its numbers are exact; Python converts the others."""
    import numpy as np

    words = np.frombuffer(chunk.buffers()[1] or b"", np.int64).reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
    low, high = words[:, 0], words[:, 1]
    floats: np.ndarray = low / 10.0**chunk.type.scale
    floats[chunk.is_null().to_numpy(zero_copy_only=False)] = np.nan
    is_exact = (high == low >> 63) & (low >= -EXACT) & (low <= EXACT) & (chunk.type.scale <= EXACT_SCALE)
    others = pc.and_(pa.array(~is_exact), chunk.is_valid())
    if others.true_count:
        floats[others.to_numpy(zero_copy_only=False)] = [float(value) for value in chunk.filter(others).to_pylist()]
    return floats


def _dated(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nanoseconds, or where a day lies beyond what these can count (1678 to 2261) microseconds."""
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    unit = "ns" if _fits_nanoseconds(column) else "us"
    return column.cast(pa.timestamp("us", zone)).cast(pa.timestamp(unit, zone))


def _fits_nanoseconds(column: pa.ChunkedArray) -> bool:
    found = pc.min_max(column.cast(pa.timestamp("us")).cast(pa.int64())).as_py()
    return found["min"] is None or max(abs(found["min"]), abs(found["max"])) < LAST_NANOSECOND // 1000


def _nullable(kind: pa.DataType) -> "ExtensionDtype | None":
    """The type of pandas that has the values of an Arrow type, and a missing one."""
    import pandas as pd

    name = "boolean" if pa.types.is_boolean(kind) else str(kind).capitalize().replace("Uint", "UInt")
    found = pd.api.types.pandas_dtype(name)
    return found if isinstance(found, pd.api.extensions.ExtensionDtype) else None


def _is_category(column: pa.ChunkedArray, facts: ColumnFacts) -> bool:
    if facts.allowed:
        return True
    if facts.is_key or len(column) < ROWS_PER_VALUE:
        return False
    if len(pc.unique(column.slice(0, SAMPLE))) > FEW_VALUES:
        return False
    values = len(pc.unique(column))
    return values <= FEW_VALUES and values * ROWS_PER_VALUE <= len(column)


def _category(column: pa.ChunkedArray, facts: ColumnFacts) -> "pd.Series":
    """In the order of their declaration, or sorted."""
    import pandas as pd

    series = _as_series(column.dictionary_encode())
    order = list(facts.allowed) or sorted(series.cat.categories)
    unknown = sorted(set(series.cat.categories) - set(order))
    return pd.Series(series.cat.set_categories(order + unknown), copy=False)


def _vectors(column: pa.ChunkedArray) -> "pd.Series":
    """Each row is a view of one matrix where all vectors are of one length."""
    import pandas as pd

    if len(pc.unique(pc.list_value_length(column))) != 1:
        return _as_series(column)
    return pd.Series(list(to_matrix(column, "")), dtype=object, copy=False)
