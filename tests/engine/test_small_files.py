"""Many small files from one sorted stream: the rows of each label, in whatever batches they come."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.engine.small_files import IN_FLIGHT, write_each
from shopmill.engine.splitting import Parts, by_period
from shopmill.errors import StoreError
from shopmill.settings import Settings
from shopmill.versions.store import sha256_of

EVERY_TYPE = """
  select
    i, i::integer as n, i % 3 = 0 as is_third, 'é' || i as word, i::decimal(18, 6) as price, i::decimal(38, 6) as total,
    i / 7 as share, date '2020-01-01' + (i // 10)::integer as day, timestamptz '2020-01-01 00:00Z' + interval 1 second * i as at,
    nullif(i % 2, 0) as odd, [i::float] as vector, [i::varchar] as words
  from range(30) t(i)
"""


def rows(labels: list[str], cuts: list[int]) -> pa.RecordBatchReader:
    whole = pa.table({"n": pa.array(range(len(labels)), pa.int64()), "label": pa.array(labels, pa.string())})
    ends = sorted({0, len(labels), *(min(cut, len(labels)) for cut in cuts)})
    batches = [b for first, last in pairwise(ends) for b in whole.slice(first, last - first).to_batches()]
    return pa.RecordBatchReader.from_batches(whole.schema, batches)


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.integers(0, 30), max_size=8))
def test_each_label_has_its_rows_and_the_same_bytes_however_they_come(
    tmp_path_factory: pytest.TempPathFactory, unsorted: list[str], cuts: list[int]
) -> None:
    labels = sorted(unsorted)
    written = [
        write_each(rows(labels, here), "label", tmp_path_factory.mktemp("files"), threads)
        for here, threads in ((cuts, 2), ([], 1))
    ]
    found = {name: pq.read_table(path)["n"].to_pylist() for name, path, _ in written[0]}
    assert found == {name: [n for n, label in enumerate(labels) if label == name] for name in dict.fromkeys(labels)}
    one, other = ([(name, n, sha256_of(path)) for name, path, n in files] for files in written)
    assert one == other


def test_files_have_the_types_and_the_numbers_that_a_copy_gives_them(tmp_path: Path) -> None:
    with DuckDBEngine(Settings(_env_file=None), tmp_path) as engine:
        engine.write(EVERY_TYPE, {}, tmp_path / "copied.parquet")
        (_, path, _), *_ = engine.write_split(
            EVERY_TYPE, {}, tmp_path / "out", by_period("day", "month"), ["i"], Parts.SMALL
        )
    copied, streamed = pq.read_table(tmp_path / "copied.parquet"), pq.read_table(path, partitioning=None)
    assert copied.equals(streamed)
    assert copied.schema.equals(streamed.schema, check_metadata=True)
    assert streamed.slice(3, 1).to_pylist() == [
        {
            "i": 3, "n": 3, "is_third": True, "word": "é3", "price": Decimal(3), "total": Decimal(3), "share": 3 / 7,
            "day": date(2020, 1, 1), "at": datetime(2020, 1, 1, 0, 0, 3, tzinfo=UTC), "odd": 1, "vector": [3.0], "words": ["3"],
        }
    ]  # fmt: skip


def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with (
        DuckDBEngine(Settings(_env_file=None), tmp_path) as engine,
        pytest.raises(StoreError, match=r"No space left.*free"),
    ):
        engine.write_split(EVERY_TYPE, {}, tmp_path / "out", by_period("day", "day"), ["i"], Parts.SMALL)


def test_no_more_than_a_few_files_are_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, ahead, write = [0], [], pq.write_table

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(100):
            read[0] += 1
            yield pa.record_batch({"n": [number], "label": [f"{number:03d}"]})

    def slowly(*arguments: Any, **options: Any) -> None:
        ahead.append(read[0] - len(ahead))
        time.sleep(0.001)
        write(*arguments, **options)

    monkeypatch.setattr(pq, "write_table", slowly)
    schema = pa.schema({"n": pa.int64(), "label": pa.string()})
    write_each(pa.RecordBatchReader.from_batches(schema, batches()), "label", tmp_path, 2)
    assert len(ahead) == 100
    assert max(ahead) <= 2 * IN_FLIGHT + 2
