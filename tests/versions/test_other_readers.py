"""Programs that know nothing of shopmill read exactly the declared columns from the folder that `shopmill path` prints."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from shopmill.settings import Settings
from shopmill.versions.load import Version
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions

ROWS = pa.table({"article_id": ["0001", "0002"], "score": [0.5, 1.5]})


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The folder of a table of a version, in two files."""
    versions = Versions(Store(settings.store), "sample", settings.zone)
    files, staged = [], {}
    for number in range(2):
        path = Path(settings.store) / f"staging/{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(ROWS.slice(number, 1), path)
        name = f"t/part-{number:05}.parquet"
        files.append({"path": name, "rows": 1, "bytes": path.stat().st_size, "sha256": sha256_of(path)})
        staged[name] = f"staging/{path.name}"
    columns = [{"name": name, "type": "?", "unit": "", "meaning": ""} for name in ROWS.column_names]
    described = {"t": {"grain": "", "key": [], "columns": columns, "files": files}}
    content = {"main_table": "t", "tables": described, "inputs": {}, "rejected": {}}
    versions.publish(Manifest("sample", "2020-09-23", content, {"checks": [], "previous": None}), staged)
    return Path(Version("sample", None, settings).path) / "t"


READERS: dict[str, Callable[[Path], pa.Table]] = {
    "pandas": lambda folder: pa.Table.from_pandas(pd.read_parquet(folder)),
    "pyarrow": pq.read_table,
    "pyarrow dataset": lambda folder: ds.dataset(folder).to_table(),
    "polars": lambda folder: pl.read_parquet(folder / "*.parquet").to_arrow(),
    "duckdb": lambda folder: (
        duckdb.connect().sql(f"from read_parquet('{folder}/*.parquet', hive_partitioning = false)").arrow()
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_the_columns_are_those_that_are_declared(folder: Path, reader: str) -> None:
    found = READERS[reader](folder)
    found = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
    assert found.to_pydict() == ROWS.to_pydict()


def test_duckdb_takes_the_names_of_folders_for_columns_unless_it_is_told_not_to(folder: Path) -> None:
    """What README says of DuckDB is so; should another DuckDB not do it, the sentence can go."""
    assert duckdb.connect().sql(f"from read_parquet('{folder}/*.parquet')").columns == [
        *ROWS.column_names,
        "as_of",
        "version",
    ]
