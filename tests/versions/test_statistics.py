"""Column statistics: right for what they looked at, bounded, kept once, no part of a version's id, and nobody's values."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from shopmill.settings import Settings
from shopmill.versions import sampling
from shopmill.versions.layout import STATISTICS
from shopmill.versions.manifest import File, Manifest
from shopmill.versions.sampling import TableFiles, sample, values_of
from shopmill.versions.statistics import Statistics, describe_day, statistics_of
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

COLUMNS: dict[str, list[object]] = {
    "n": [1, 2, 2, 3, None],
    "price": [Decimal("1.50"), Decimal("2.00"), Decimal("2.00"), None, Decimal("99.99")],
    "score": [0.5, float("nan"), float("inf"), -1.0, 0.25],
    "name": ["a", "a", "b", None, "<script>"],
    "day": [date(2020, 1, 1), date(2020, 1, 31), None, date(2020, 1, 2), date(2020, 1, 3)],
    "at": [
        datetime(2020, 1, 1, 12, tzinfo=UTC),
        None,
        datetime(2020, 2, 1, tzinfo=UTC),
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2020, 1, 1, tzinfo=UTC),
    ],
    "is_new": [True, False, True, None, True],
    "vector": [[1.0], [2.0], None, [3.0], []],
    "empty": [None] * 5,
    "customer_id": ["person-1", "person-2", "person-2", None, "person-3"],
}


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(Store(str(tmp_path / "store")), "sample", Settings(_env_file=None).zone)


def publish(versions: Versions, table: pa.Table, row_group_size: int | None = None) -> Manifest:
    assert versions.store.root
    path = versions.store.root / "staging" / "t.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=row_group_size)
    file = {"path": "t/part.parquet", "rows": table.num_rows, "bytes": path.stat().st_size, "sha256": "0"}
    columns = [{"name": name, "type": "?", "unit": "", "meaning": ""} for name in table.column_names]
    described = {"t": {"grain": "", "key": [], "columns": columns, "files": [file]}}
    manifest = Manifest("sample", "2020-01-01", {"main_table": "t", "tables": described, "inputs": {}, "rejected": {}})
    versions.publish(manifest, {"t/part.parquet": "staging/t.parquet"})
    return manifest


def describe(versions: Versions, table: pa.Table, row_group_size: int | None = None) -> Statistics:
    return statistics_of(versions, publish(versions, table, row_group_size), Path("unused"))


def test_what_the_columns_look_like(versions: Versions) -> None:
    found = describe(versions, pa.table(COLUMNS))["t"]
    assert (found.rows, found.sampled) == (5, 5)
    columns = {column.name: column for column in found.columns}
    n = columns["n"]
    assert (n.nulls, n.distinct, n.minimum, n.maximum, n.mean) == (1, 3, "1", "3", "2")
    assert [(bar.label, bar.rows) for bar in n.histogram] == [("1", 1), ("2", 2), ("3", 1)]
    assert (columns["price"].minimum, columns["price"].maximum) == ("1.5", "99.99")
    assert (columns["score"].minimum, columns["score"].maximum) == ("-1", "0.5")
    assert sum(bar.rows for bar in columns["score"].histogram) == 3
    assert [(bar.label, bar.rows) for bar in columns["name"].top] == [("a", 2), ("<script>", 1), ("b", 1)]
    assert (columns["day"].minimum, columns["day"].maximum) == ("2020-01-01", "2020-01-31")
    assert sum(bar.rows for bar in columns["at"].histogram) == 4
    assert {bar.label: bar.rows for bar in columns["is_new"].top} == {"true": 3, "false": 1}
    assert (columns["vector"].nulls, columns["vector"].distinct) == (1, None)
    assert columns["empty"].nulls == 5
    person = columns["customer_id"]
    assert (person.nulls, person.distinct, person.personal, person.top, person.minimum) == (1, 3, True, (), None)


def test_a_table_without_rows(versions: Versions) -> None:
    found = describe(versions, pa.table({"n": pa.array([], pa.int64())}))["t"]
    assert (found.rows, found.sampled, found.columns[0].nulls) == (0, 0, 0)


def test_they_are_kept_and_no_part_of_the_version(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = publish(versions, pa.table(COLUMNS))
    found = statistics_of(versions, manifest, Path("unused"))
    key = f"{versions.folder(manifest)}/{STATISTICS}"
    assert b"person-" not in versions.store.read(key)
    assert versions.exactly("2020-01-01", manifest.version).version == manifest.version
    monkeypatch.setattr("shopmill.versions.statistics.describe", None)  # not computed again
    assert statistics_of(versions, manifest, Path("unused")) == found


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"form": 0}', b'{"form": 1}', b'{"form": 2, "tables": []}'])
def test_what_cannot_be_read_is_computed_again(versions: Versions, damage: bytes) -> None:
    manifest = publish(versions, pa.table(COLUMNS))
    found = statistics_of(versions, manifest, Path("unused"))
    versions.store.write(f"{versions.folder(manifest)}/{STATISTICS}", damage)
    assert statistics_of(versions, manifest, Path("unused")) == found


def test_who_may_not_write_sees_them_all_the_same(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    from shopmill.errors import StoreError

    def refused(*_: object) -> None:
        raise StoreError("read-only")

    manifest = publish(versions, pa.table(COLUMNS))
    monkeypatch.setattr(Store, "write", refused)
    assert statistics_of(versions, manifest, Path("unused"))["t"].rows == 5


def test_a_large_table_is_looked_at_in_parts_spread_over_all(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SAMPLE_ROWS", 1000)
    found = describe(versions, pa.table({"n": list(range(10_000))}), row_group_size=100)["t"]
    assert found.rows == 10_000
    assert 900 <= found.sampled <= 1000
    assert int(found.columns[0].maximum or 0) > 8000
    assert sum(bar.rows for bar in found.columns[0].histogram) == found.sampled


def test_a_few_huge_values_leave_the_picture_readable(versions: Versions) -> None:
    found = describe(versions, pa.table({"n": [*range(1000), 10**9]}))["t"].columns[0]
    assert found.maximum == "1000000000"
    assert max(bar.rows for bar in found.histogram) < 200


def test_the_same_rows_give_the_same_statistics(versions: Versions) -> None:
    assert describe(versions, pa.table(COLUMNS)) == describe(versions, pa.table(COLUMNS))


def of_files(folder: Path, files: list[list[int]], row_group_size: int = 100) -> pa.ChunkedArray:
    """The numbers of a table of some files that its statistics look at."""
    paths = [folder / f"{number}.parquet" for number in range(len(files))]
    for path, numbers in zip(paths, files, strict=True):
        pq.write_table(pa.table({"n": numbers}), path, row_group_size=row_group_size)
    described = tuple(File(path.name, len(numbers), 1, "0") for path, numbers in zip(paths, files, strict=True))
    table = TableFiles(("n",), described, tuple(map(str, paths)))
    parts = sample(table, lambda keys, _: [Path(key) for key in keys])
    return values_of(parts, "n").column("v") if parts else pa.chunked_array([[]], pa.int64())


@pytest.fixture
def thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SAMPLE_ROWS", 1000)


@pytest.mark.usefixtures("thousand")
def test_a_few_large_files_are_looked_at_all_over(tmp_path: Path) -> None:
    # A first week of one day, and 52 that grow: of 170,000 rows no file may stand for all.
    seen = of_files(tmp_path, [[0] * 20, *([week] * (2000 + 50 * week) for week in range(1, 53))])
    assert 900 <= len(seen) <= 1000
    assert 25 < pc.mean(seen).as_py() < 35  # 30.5 of all rows
    assert pc.count_distinct(seen).as_py() >= 12


@pytest.mark.usefixtures("thousand")
def test_one_file_in_order_is_looked_at_all_over(tmp_path: Path) -> None:
    seen = of_files(tmp_path, [list(range(50_000))], row_group_size=5000)
    assert pc.mean(seen).as_py() == pytest.approx(25_000, rel=0.1)
    assert pc.stddev(seen).as_py() == pytest.approx(14_434, rel=0.1)


@pytest.mark.usefixtures("thousand")
@pytest.mark.parametrize("days", [28, 91, 364, 728, 1092])
def test_days_are_looked_at_on_every_weekday(tmp_path: Path, days: int) -> None:
    seen = of_files(tmp_path, [[day % 7] * 300 for day in range(days)])
    assert pc.count_distinct(seen).as_py() >= 6


@pytest.mark.usefixtures("thousand")
@pytest.mark.parametrize("files", [[], [[]], [[1]], [[1] * 500, [], [2] * 500]])
def test_a_small_table_is_looked_at_whole(tmp_path: Path, files: list[list[int]]) -> None:
    assert of_files(tmp_path, files).to_pylist() == [number for numbers in files for number in numbers]


def test_a_file_may_have_fewer_rows_than_its_manifest_says(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "a.parquet")
    table = TableFiles(("n",), (File("a.parquet", 5, 1, "0"),), (str(tmp_path / "a.parquet"),))
    parts = sample(table, lambda keys, _: [Path(key) for key in keys])
    assert values_of(parts, "n").column("v").to_pylist() == [1, 2]


@pytest.mark.usefixtures("thousand")
def test_of_many_small_files_some_are_opened(tmp_path: Path) -> None:
    seen = of_files(tmp_path, [[number] * 3 for number in range(600)])
    assert pc.count_distinct(seen).as_py() == 64


@pytest.mark.parametrize(
    ("of", "rows"), [(date(2020, 1, 7), 0), (date(2020, 1, 8), 3), (date(2020, 1, 20), 2), (date(2019, 1, 1), 0)]
)
def test_a_day_is_described_by_its_own_rows(tmp_path: Path, of: date, rows: int) -> None:
    weeks = {"2020-01-06": [date(2020, 1, 6), *[date(2020, 1, 8)] * 3], "2020-01-20": [date(2020, 1, 20)] * 2}
    for name, days in weeks.items():
        table = pa.table({"n": list(range(len(days))), "day": days})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=1)
    files = tuple(File(f"t/{name}.parquet", len(days), 1, "0") for name, days in weeks.items())
    keys = tuple(str(tmp_path / f"{name}.parquet") for name in weeks)
    found = describe_day(TableFiles(("n",), files, keys), "day", of, lambda found, _: [Path(key) for key in found])
    assert (found.rows, found.sampled) == (rows, rows)
    assert [column.name for column in found.columns] == (["n"] if rows else [])
