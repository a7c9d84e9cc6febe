"""Repeated keys are those that grouping finds, wherever files and row groups end, on one thread and on two."""

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopmill.engine.duplicates import count_duplicates

Row = tuple[int, str | None]
SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string())])


def write(folder: Path, rows: list[Row], length: int) -> list[Path]:
    """Files of two row groups each, in the order of the rows."""
    files = []
    for start in range(0, max(len(rows), 1), 2 * length):
        part = rows[start : start + 2 * length]
        files.append(folder / f"{start}.parquet")
        table = pa.table([[a for a, _ in part], [b for _, b in part]], schema=SCHEMA)
        pq.write_table(table, files[-1], row_group_size=length)
    return files


@pytest.mark.parametrize("threads", [1, 2])
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["x", "y", None])), max_size=12),
    st.integers(1, 4),
)
def test_they_are_those_of_grouping(threads: int, rows: list[Row], length: int) -> None:
    keys = Counter(row for row in rows if row[1] is not None)
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), sorted(rows, key=lambda row: (row[0], row[1] is None, row[1])), length)
        assert count_duplicates(files, ["a", "b"], threads) == keys.total() - len(keys)


def test_more_files_than_may_be_open_at_once(tmp_path: Path) -> None:
    rows: list[Row] = [(number // 2, "x") for number in range(3000)]
    assert count_duplicates(write(tmp_path, rows, 1), ["a"], 2) == 1500


def test_a_row_group_without_rows_is_passed_over(tmp_path: Path) -> None:
    for name, rows in (("a", 1), ("b", 0), ("c", 1)):
        pq.write_table(pa.table([[7] * rows, ["x"] * rows], schema=SCHEMA), tmp_path / name)
    assert count_duplicates([tmp_path / "a", tmp_path / "b", tmp_path / "c"], ["a"], 1) == 1
