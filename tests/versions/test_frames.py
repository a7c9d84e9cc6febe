"""What pandas gets: types that libraries take, whatever the values of one version are."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shopmill.errors import InvalidInputError
from shopmill.versions.frames import ColumnFacts, to_array, to_frame, to_matrix

OPTIONAL = ColumnFacts(is_required=False)
REQUIRED = ColumnFacts(is_required=True)


def frame_of(values: object, kind: pa.DataType, facts: ColumnFacts = REQUIRED, exact: bool = False) -> pd.Series:
    return to_frame(pa.table({"x": pa.array(values, kind)}), {"x": facts}, exact)["x"]


def test_dates_are_nanoseconds_and_a_day_beyond_them_is_not_another_day() -> None:
    assert str(frame_of([date(2020, 9, 1), None], pa.date32()).dtype) == "datetime64[ns]"
    far = frame_of([date(2020, 9, 1), date(9999, 12, 31)], pa.date32())
    assert str(far.dtype) == "datetime64[us]"
    assert far[1] == datetime(9999, 12, 31)  # noqa: DTZ001
    assert str(frame_of([], pa.date32()).dtype) == "datetime64[ns]"


def test_moments_keep_their_zone() -> None:
    found = frame_of([datetime(2020, 9, 1, 12, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    assert str(found.dtype) == "datetime64[ns, UTC]"
    assert found[0] == pd.Timestamp("2020-09-01T12:00Z")


def test_decimals_are_floats_and_with_exact_stay() -> None:
    values = [Decimal("0.100000"), Decimal("2.500000")]
    assert frame_of(values, pa.decimal128(38, 6)).tolist() == [0.1, 2.5]
    assert frame_of(values, pa.decimal128(38, 6)).dtype == np.float64
    assert frame_of(values, pa.decimal128(38, 6), exact=True).tolist() == values


def test_the_nearest_float_is_found_of_any_decimal() -> None:
    values = [Decimal("0.1"), None, Decimal("-123456789.000001"), Decimal(10) ** 25 + Decimal("0.000001"), Decimal(0)]
    chunked = pa.chunked_array([pa.array(values[:3], pa.decimal128(38, 6)), pa.array(values[3:], pa.decimal128(38, 6))])
    found = to_frame(pa.table({"x": chunked.slice(1)}), {})["x"]
    assert np.isnan(found[0])
    assert found[1:].tolist() == [float(value) for value in values[2:]]


def test_the_nearest_float_is_found_of_sums_with_many_places() -> None:
    """Of more than 53 bits: neither the integer nor the quotient is a float, and rounding both is off now and then."""
    rng = np.random.default_rng(0)
    values = [Decimal(int(number)).scaleb(-12) for number in rng.integers(-(2**63), 2**63, 2000)]
    values += [Decimal(2**53 + 1).scaleb(-12), Decimal(-(2**63)).scaleb(-12)]
    assert frame_of(values, pa.decimal128(38, 12)).tolist() == [float(value) for value in values]
    fine = [Decimal(number).scaleb(-30) for number in range(1, 200)]
    assert frame_of(fine, pa.decimal128(38, 30)).tolist() == [float(value) for value in fine]


def test_decimals_without_a_value_are_floats() -> None:
    assert frame_of([], pa.decimal128(38, 6)).dtype == np.float64
    nothing = frame_of([None, None], pa.decimal128(38, 6))
    assert (nothing.dtype, nothing.isna().tolist()) == (np.float64, [True, True])


@pytest.mark.parametrize(
    ("kind", "values", "required", "optional"),
    [
        (pa.int64(), [1, 2**60], "int64", "Int64"),
        (pa.int32(), [1, 2], "int32", "Int32"),
        (pa.bool_(), [True, False], "bool", "boolean"),
    ],
)
def test_numbers_that_may_be_null_are_nullable_even_where_none_is(
    kind: pa.DataType, values: list[int], required: str, optional: str
) -> None:
    assert str(frame_of(values, kind, REQUIRED).dtype) == required
    assert str(frame_of(values, kind, OPTIONAL).dtype) == optional
    with_null = frame_of([*values, None], kind, OPTIONAL)
    assert (str(with_null.dtype), with_null[:-1].tolist()) == (optional, values)
    assert str(frame_of([*values, None], kind, ColumnFacts()).dtype) == optional  # a manifest that does not say


def test_texts_of_few_values_are_categories() -> None:
    allowed = ColumnFacts(True, ("observed", "zero", "not_on_sale"))
    declared = frame_of(["zero", None], pa.string(), allowed)
    assert list(declared.cat.categories) == list(allowed.allowed)
    found = frame_of(["b", "a"] * 20, pa.string())
    assert list(found.cat.categories) == ["a", "b"]
    assert frame_of(["b", "a"] * 20, pa.string(), ColumnFacts(True, is_key=True)).dtype != "category"
    assert frame_of([str(n) for n in range(40)], pa.string()).dtype != "category"
    assert frame_of([], pa.string()).dtype != "category"


def test_a_value_that_is_not_declared_is_kept() -> None:
    assert frame_of(["other"], pa.string(), ColumnFacts(True, ("zero",))).tolist() == ["other"]


def test_numbers_and_moments_are_no_objects_in_numpy() -> None:
    for kind, values in ((pa.int64(), [1, None]), (pa.bool_(), [True, None]), (pa.decimal128(10, 2), [1, None])):
        found = to_array(frame_of(values, kind, OPTIONAL))
        assert (found.dtype, found[0], bool(np.isnan(found[1]))) == (np.float64, 1, True)
    assert (
        to_array(frame_of([1, 2], pa.int64(), OPTIONAL)).dtype == np.float64
    )  # whatever the values of one version are
    assert to_array(frame_of([1, 2], pa.int64())).dtype == np.int64
    moment = frame_of([datetime(2020, 9, 1, 12, tzinfo=UTC), None], pa.timestamp("us", "America/New_York"), OPTIONAL)
    assert str(moment.dtype) == "datetime64[ns, America/New_York]"
    assert to_array(moment).tolist()[0] == np.datetime64("2020-09-01T12:00", "ns").astype(int)
    assert np.isnat(to_array(moment)[1])
    assert to_array(frame_of(["b", "a"] * 20, pa.string())).tolist() == ["b", "a"] * 20


def test_vectors_are_one_matrix() -> None:
    chunks = pa.chunked_array([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], pa.list_(pa.float32()))
    matrix = to_matrix(chunks, "embedding")
    assert (matrix.dtype, matrix.shape, matrix.flags["C_CONTIGUOUS"]) == (np.float32, (3, 2), True)
    assert matrix.tolist() == [[1, 2], [3, 4], [5, 6]]
    series = to_frame(pa.table({"embedding": chunks}), {})["embedding"]
    assert np.stack(series.tolist()).tolist() == matrix.tolist()
    sliced = chunks.slice(1, 1)
    assert to_matrix(sliced, "embedding").tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("vectors", "message"),
    [([[1.0], None], "1 values of v are null"), ([[1.0], [1.0, 2.0]], r"differ in length \(1 to 2\)")],
)
def test_vectors_that_are_no_matrix_are_refused(vectors: list[list[float] | None], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        to_matrix(pa.chunked_array([vectors], pa.list_(pa.float32())), "v")


def test_a_frame_of_no_rows_has_all_columns() -> None:
    empty = pa.schema([("a", pa.string()), ("b", pa.int64()), ("v", pa.list_(pa.float32()))]).empty_table()
    frame = to_frame(empty, {"b": OPTIONAL})
    assert list(frame.columns) == ["a", "b", "v"]
    assert len(frame) == 0
    assert to_matrix(empty.column("v"), "v").shape == (0, 0)
