"""DuckDB behind the engine's protocol: bytes, periods, bound values, and what an operator is told."""

import time
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from shopmill.engine import limits
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.engine.splitting import Parts, by_hash, by_period
from shopmill.errors import InvalidInputError, StoreError
from shopmill.settings import Settings
from shopmill.versions.store import sha256_of

ROWS = "select i::bigint as i, (i % 7)::decimal(18, 6) / 3 as x, date '2020-01-30' + (i % 90)::integer as day from range(300000) t(i)"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    with DuckDBEngine(Settings(_env_file=None), tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("period", "ways"),
    [
        ("", (Parts.MANY,)),
        ("day", (Parts.SMALL,)),
        ("week", (Parts.MANY, Parts.FEW)),
        ("month", (Parts.MANY, Parts.FEW)),
    ],
)
def test_one_thread_and_four_and_few_periods_or_many_give_the_same_bytes(
    tmp_path: Path, period: str, ways: tuple[Parts, ...]
) -> None:
    hashes = []
    for threads, parts in product((1, 4), ways):
        folder = tmp_path / f"{len(hashes)}"
        folder.mkdir()
        with DuckDBEngine(Settings(_env_file=None, threads=threads), folder) as engine:
            if period:
                written = engine.write_split(ROWS, {}, folder / "out", by_period("day", period), ["day", "i"], parts)
            else:
                path = folder / "out" / "part.parquet"
                written = [("part", path, engine.write(f"{ROWS} order by x, i", {}, path))]
        assert sum(rows for _, _, rows in written) == 300_000
        hashes.append([(name, sha256_of(path)) for name, path, _ in written])
    assert all(found == hashes[0] for found in hashes)


@pytest.mark.parametrize("parts", Parts)
@pytest.mark.parametrize(
    ("period", "starts"),
    [
        ("day", ["2020-02-29", "2020-03-01", "2020-03-02"]),
        ("week", ["2020-02-24", "2020-03-02"]),
        ("month", ["2020-02-01", "2020-03-01"]),
    ],
)
def test_a_file_for_each_period(
    engine: DuckDBEngine, tmp_path: Path, period: str, starts: list[str], parts: Parts
) -> None:
    query = "select unnest([date '2020-03-02', date '2020-02-29', date '2020-03-01', date '2020-02-29']) as day"
    written = engine.write_split(query, {}, tmp_path, by_period("day", period), ["day"], parts)
    assert [name for name, _, _ in written] == starts
    days = [day for _, path, _ in written for day in pq.read_table(path, partitioning=None)["day"].to_pylist()]
    assert days == [date(2020, 2, 29), date(2020, 2, 29), date(2020, 3, 1), date(2020, 3, 2)]


def test_the_first_period_that_cannot_be_written_ends_the_others(
    engine: DuckDBEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    write = DuckDBEngine._execute

    def broken(self: DuckDBEngine, query: str, *rest: Any) -> Any:
        if "order by" in query:
            begun.append(query)
            time.sleep(0.05)
            raise StoreError("the disk is gone")
        return write(self, query, *rest)

    monkeypatch.setattr(DuckDBEngine, "_execute", broken)
    with pytest.raises(StoreError, match="the disk is gone"):
        engine.write_split(ROWS, {}, tmp_path / "out", by_period("day", "day"), ["day", "i"])
    assert len(begun) < 90


def test_no_rows_are_no_periods(engine: DuckDBEngine, tmp_path: Path) -> None:
    assert (
        engine.write_split(
            "select date '2020-01-01' as day where false", {}, tmp_path, by_period("day", "day"), ["day"]
        )
        == []
    )


def test_columns_that_the_files_lack_are_null(engine: DuckDBEngine, tmp_path: Path) -> None:
    """A version of before a column was declared is continued, not forgotten."""
    engine.write("select 1 as a, 'x' as b", {}, tmp_path / "old.parquet")
    engine.view("old", [tmp_path / "old.parquet"], {"b": "varchar", "new": "decimal(18,2)"})
    assert engine.rows("select *, typeof(new) as kind from old", {}) == [
        {"b": "x", "new": None, "kind": "DECIMAL(18,2)"}
    ]


def test_a_view_of_no_files_is_an_empty_table(engine: DuckDBEngine) -> None:
    engine.view("it", [], {"a": "integer", 'b"': "timestamptz"})
    assert engine.rows("select * from it", {}) == []
    assert engine.columns("select * from it", {}) == ["a", 'b"']


def test_files_are_read_wherever_they_lie(engine: DuckDBEngine, tmp_path: Path) -> None:
    folder = tmp_path / "it's = odd [*]"
    engine.write("select 1 as a", {}, folder / "a.parquet")
    with pytest.raises(StoreError):
        engine.write("select 1 as a", {}, Path("/proc/nowhere.parquet"))
    engine.view("it", [folder / "a.parquet"], {"a": "integer"})
    assert engine.rows("select a from it", {}) == [{"a": 1}]


def test_values_are_bound_and_never_pasted(engine: DuckDBEngine) -> None:
    hostile = "'; drop table x; --"
    assert engine.rows("select $name as name", {"name": hostile, "unused": 1}) == [{"name": hostile}]


def test_integers_have_64_bits_however_few_they_need(engine: DuckDBEngine) -> None:
    assert engine.rows("select $minutes * 60000000 as n", {"minutes": 240}) == [{"n": 14_400_000_000}]


def test_duplicates_are_found_in_sorted_rows(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    query = (
        "select (i // 3)::bigint as a, 'x' as b from range(9) t(i) union all select 100, 'x' union all select null, 'x'"
    )
    engine.write(f"select * from ({query}) order by a, b", {}, path)
    engine.view("it", [path], {"a": "bigint", "b": "varchar"})
    assert engine.duplicates("it", ["a", "b"]) == 6
    assert engine.duplicates("it", ["b"]) == 10


def test_too_little_memory_is_said(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, memory_limit="250MB")
    with (
        DuckDBEngine(settings, tmp_path) as engine,
        pytest.raises(InvalidInputError, match="SHOPMILL_MEMORY_LIMIT=250MB"),
    ):
        engine.rows("select list(i::varchar || repeat('x', 100)) from range(6000000) t(i)", {})


def test_memory_that_can_never_do_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"125 MB for each of SHOPMILL_THREADS=2, 250 MB\. Raise the one"):
        DuckDBEngine(Settings(_env_file=None, memory_limit="240MB"), tmp_path)
    DuckDBEngine(Settings(_env_file=None, memory_limit="240MB", threads=1), tmp_path)


SPILLING = "select i, hash(i)::varchar as h from range(6000000) t(i) order by h"


def test_spill_is_capped_by_the_setting(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, memory_limit="250MB", spill_limit="10MB")
    with (
        DuckDBEngine(settings, tmp_path) as engine,
        pytest.raises(StoreError, match=r"SHOPMILL_SPILL_LIMIT=10MB and needs more\. Raise that, or SHOPMILL_MEMORY"),
    ):
        engine.write(SPILLING, {}, tmp_path / "x.parquet")


def test_a_disk_that_is_too_small_for_the_spill_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "free_bytes", lambda _folder: 12_000_000)
    with (
        DuckDBEngine(Settings(_env_file=None, memory_limit="250MB"), tmp_path) as engine,
        pytest.raises(StoreError, match=f"Scratch space in {tmp_path} is too small: .* 12 MB are free"),
    ):
        engine.write(SPILLING, {}, tmp_path / "x.parquet")


def test_columns_have_the_field_ids_that_iceberg_gives_them(engine: DuckDBEngine, tmp_path: Path) -> None:
    engine.write("select 1 as a, [1.0::float] as v, 'x' as s, ['q'] as l", {}, tmp_path / "part.parquet")
    schema = pq.read_schema(tmp_path / "part.parquet")
    elements = [schema.field(name).type.value_field for name in ("v", "l")]
    assert [int(field.metadata[b"PARQUET:field_id"]) for field in (*schema, *elements)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("files", [16, 256])
def test_rows_that_are_split_by_a_hash_are_the_same_bytes_for_any_number_of_threads(tmp_path: Path, files: int) -> None:
    hashes, label = [], by_hash("i", files)
    for threads in (1, 4):
        (folder := tmp_path / f"{threads}").mkdir()
        with DuckDBEngine(Settings(_env_file=None, threads=threads), folder) as engine:
            written = engine.write_split(ROWS, {}, folder / "out", label, ["i"])
        assert sum(rows for _, _, rows in written) == 300_000
        assert len(written) == files
        hashes.append([(name, sha256_of(path)) for name, path, _ in written])
    assert hashes[0] == hashes[1]


def test_a_row_stays_in_its_file_whatever_other_rows_there_are(engine: DuckDBEngine, tmp_path: Path) -> None:
    def files(rows: str, name: str) -> dict[str, list[str]]:
        written = engine.write_split(
            f"select * from (values {rows}) as t(k)", {}, tmp_path / name, by_hash("k", 256), ["k"]
        )
        return {label: pq.read_table(path, partitioning=None)["k"].to_pylist() for label, path, _ in written}

    few, more = files("('a'), ('b')", "few"), files("('a'), ('b'), ('å'), (null), ('c')", "more")
    assert few.items() <= more.items()
    assert sorted(str(key) for keys in more.values() for key in keys) == ["None", "a", "b", "c", "å"]
