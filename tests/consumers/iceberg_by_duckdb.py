"""Reads an Iceberg table with DuckDB's own reader: python iceberg_by_duckdb.py LAKE TABLE OUT TAG...

Leaves OUT/TAG.parquet for each tag. Runs in .venv-iceberg.
"""

import importlib.util
import json
import sqlite3
import sys
from pathlib import Path

import duckdb


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """An extension out of its package, where DuckDB would fetch it; its signature is checked all the same."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    connection.execute(f"load '{file}'")


def metadata_of(lake: Path, table: str) -> Path:
    """The newest metadata of a table, as the catalogue says."""
    query = "select metadata_location from iceberg_tables where table_namespace || '.' || table_name = ?"
    with sqlite3.connect(lake / "catalogue.db") as catalogue:
        (found,) = catalogue.execute(query, [table]).fetchone()
    return Path(found.removeprefix("file://"))


def main(lake: Path, table: str, out: Path, tags: list[str]) -> None:
    connection = duckdb.connect()
    for name in ("avro", "iceberg"):
        load_extension(connection, name)
    metadata = metadata_of(lake, table)
    snapshots = {name: ref["snapshot-id"] for name, ref in json.loads(metadata.read_bytes())["refs"].items()}
    for tag in tags:
        rows = f"from iceberg_scan('{metadata}', snapshot_from_id = {snapshots[tag]}::ubigint)"
        connection.execute(f"copy ({rows}) to '{out / tag}.parquet' (format parquet)")
    print(f"duckdb {duckdb.__version__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
