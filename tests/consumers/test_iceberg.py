"""Iceberg: pyiceberg, DuckDB's own reader and Spark read one table at two as_ofs; gc decides what it keeps."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from publish import shop_and_registry

import quick_spark
import shopmill
from conftest import OWN_PYTHON, Written, run_measured
from shopmill.errors import InvalidInputError
from shopmill.exports.export import NOTE
from shopmill.run.staging import staged_runs
from shopmill.settings import Settings
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.locks import Locks
from shopmill.versions.retention import Retention
from shopmill.versions.store import Store

INTERACTIONS, FEATURES = "user_item_interactions", "customer_features"
AS_OFS = ("2017-12-25", "2018-01-01")
BY_SPARK = ("2020-09-22", "2020-09-23")
KEYS = {
    "interactions": ("customer_id", "article_id"),
    "log": ("customer_id", "article_id", "day", "signal", "happened_at", "quantity", "value", "session_id"),
}
READERS = Path(__file__).parents[2] / ".venv-iceberg"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return tmp_path / "lake"


def opened(lake: Path, table: str) -> Any:
    from pyiceberg.catalog.sql import SqlCatalog

    catalogue = SqlCatalog("shopmill", uri=f"sqlite:///{lake}/catalogue.db", warehouse=f"file://{lake}/warehouse")
    return catalogue.load_table(table)


def read_by(reader: str, lake: Path, table: str, as_ofs: tuple[str, ...]) -> tuple[dict[str, pa.Table], str, int]:
    """What another reader finds in a table at each as_of, its name with its version, and the megabytes that it held."""
    out = lake.with_name(f"{table}-by-{reader}")
    out.mkdir()
    python, script = READERS / "bin" / "python", Path(__file__).with_name(f"iceberg_by_{reader}.py")
    tags = {as_of: f"as_of={as_of}" for as_of in as_ofs}
    said, megabytes = run_measured([str(python), str(script), str(lake), table, str(out), *tags.values()], out)
    files = {as_of: out / f"{tag}.parquet" for as_of, tag in tags.items()}
    found = {as_of: pq.read_table(file, partitioning=None) for as_of, file in files.items()}
    return found, said.strip().splitlines()[-1], megabytes


def read(reader: str, lake: Path, table: str, as_ofs: tuple[str, ...]) -> dict[str, pa.Table]:
    """What any of the readers finds in a table at each as_of."""
    if reader != "pyiceberg":
        need_reader(reader)
        return read_by(reader, lake, table, as_ofs)[0]
    known = opened(lake, table)
    snapshots = {as_of: known.snapshot_by_name(f"as_of={as_of}").snapshot_id for as_of in as_ofs}
    return {as_of: known.scan(snapshot_id=snapshot).to_arrow() for as_of, snapshot in snapshots.items()}


def need_reader(reader: str) -> None:
    if not READERS.exists():
        pytest.skip("needs .venv-iceberg: make test-consumers")
    if reader == "spark" and not list(READERS.glob("jars/iceberg-spark-runtime-*.jar")):
        pytest.skip("needs Maven, to fetch Spark's connector for Iceberg, and Java 17")


@pytest.fixture(scope="module")
def store_by_spark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose two versions Spark computed."""
    if not OWN_PYTHON.exists() or not shutil.which("java"):
        pytest.skip("needs .venv and Java 17, for Spark computes the versions")
    folder = tmp_path_factory.mktemp("by_spark")
    command = [str(OWN_PYTHON), str(Path(__file__).with_name("publish_by_spark.py")), str(folder / "store"), *BY_SPARK]
    with pytest.MonkeyPatch.context() as patched:
        for name, value in quick_spark.environment(folder).items():
            patched.setenv(name, value)
        run_measured(command, folder)
    return folder / "store"


def assert_same(found: pa.Table, expected: pa.Table, *key: str) -> None:
    by_key = [(column, "ascending") for column in key]
    assert found.cast(expected.schema).sort_by(by_key).equals(expected.sort_by(by_key))


def test_pyiceberg_reads_two_as_ofs(shop: Settings, exported: Callable[..., Written], proof: Any, lake: Path) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    first, written = (exported(INTERACTIONS, "iceberg", as_of=as_of, folder=lake) for as_of in AS_OFS)
    exported(INTERACTIONS, "iceberg", as_of="2018-01-01", folder=lake)  # changes nothing
    assert first.rows != written.rows
    table = opened(lake, f"{INTERACTIONS}.interactions")
    for as_of in AS_OFS:
        snapshot = table.snapshot_by_name(f"as_of={as_of}")
        expected = shopmill.load(INTERACTIONS, as_of).to_arrow()
        assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().cast(expected.schema).equals(expected)
        assert snapshot.summary.additional_properties["shopmill.version"] == shopmill.load(INTERACTIONS, as_of).version
    some = table.scan(row_filter="customer_id == '000001'", selected_fields=("spend_sum",)).to_arrow()
    assert some.num_rows == shopmill.load(INTERACTIONS).to_arrow(where="customer_id = '000001'").num_rows
    assert not list((lake / "warehouse").rglob("*.parquet"))
    done = "reads two as_ofs by their tags, and a part with a filter"
    proof("pyiceberg", done, written, expected.num_rows, "SqlCatalog in SQLite, no copy")


@pytest.mark.parametrize("reader", ["duckdb", "spark"])
def test_others_read_two_as_ofs(
    reader: str, shop: Settings, exported: Callable[..., Written], proof: Any, lake: Path
) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    need_reader(reader)
    _, written = (exported(INTERACTIONS, "iceberg", as_of=as_of, folder=lake) for as_of in AS_OFS)
    found, name, megabytes = read_by(reader, lake, f"{INTERACTIONS}.interactions", AS_OFS)
    for as_of in AS_OFS:
        assert_same(found[as_of], shopmill.load(INTERACTIONS, as_of).to_arrow(), "customer_id", "article_id")
    how = {"duckdb": "iceberg_scan(METADATA, snapshot_from_id = ...)", "spark": "version as of 'as_of=2018-01-01'"}
    proof(name, "reads every row of two as_ofs, no copy", written, found[AS_OFS[-1]].num_rows, how[reader], megabytes)


@pytest.mark.parametrize("reader", ["pyiceberg", "duckdb", "spark"])
def test_versions_that_spark_computed_are_read(
    reader: str, store_by_spark: Path, exported: Callable[..., Written], lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    monkeypatch.setenv("SHOPMILL_STORE", str(store_by_spark))
    for as_of in BY_SPARK:
        exported(INTERACTIONS, "iceberg", as_of=as_of, folder=lake)
    for table, key in KEYS.items():
        expected = {as_of: shopmill.load(INTERACTIONS, as_of).to_arrow(table) for as_of in BY_SPARK}
        assert expected[BY_SPARK[0]] != expected[BY_SPARK[1]]
        found = read(reader, lake, f"{INTERACTIONS}.{table}", BY_SPARK)
        for as_of in BY_SPARK:
            assert_same(found[as_of], expected[as_of], *key)


@pytest.mark.parametrize("reader", ["pyiceberg", "duckdb", "spark"])
def test_files_without_field_ids_are_read_by_their_names(
    reader: str, vectors: np.ndarray, exported: Callable[..., Written], lake: Path
) -> None:
    """As those are that Spark wrote of a table with lists, and those of versions from before there were ids."""
    pytest.importorskip("pyiceberg.catalog.sql")
    exported("articles_embeddings", "iceberg", folder=lake)
    expected, table = shopmill.load("articles_embeddings").to_arrow(), "articles_embeddings.bert"
    (file,) = shopmill.load("articles_embeddings").addresses("bert")
    assert not any(b"PARQUET:field_id" in (field.metadata or {}) for field in pq.read_schema(file))
    found = read(reader, lake, table, ("2018-01-01",))["2018-01-01"]
    assert_same(found, expected, "article_id")
    assert np.array_equal(np.vstack(found.sort_by("article_id")["embedding"].to_numpy()), vectors)


@pytest.mark.parametrize(
    "address", ["nonsense", "mysql://u:secret@127.0.0.1:9/x", "postgresql+psycopg2://u:secret@127.0.0.1:9/x"]
)
def test_a_catalogue_that_cannot_be_used_is_said_without_its_password(shop: Settings, lake: Path, address: str) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    with pytest.raises(InvalidInputError, match=r"The catalogue .* cannot be used: ") as said:
        shopmill.export("customer_features", "iceberg", lake, options={"catalogue": address})
    assert "secret" not in str(said.value)
    assert not lake.exists()


def test_a_catalogue_may_be_in_postgresql(shop: Settings, lake: Path) -> None:
    catalogues = pytest.importorskip("pyiceberg.catalog.sql")
    with shop_and_registry() as (_, dsn):
        address = dsn.replace("postgresql://", "postgresql+psycopg2://", 1)
        for as_of in ("2017-10-01", "2017-09-01", "2017-10-01"):
            shopmill.export(FEATURES, "iceberg", lake, as_of, options={"catalogue": address})
        catalogue = catalogues.SqlCatalog("shopmill", uri=address, warehouse=f"file://{lake}/warehouse")
        table = catalogue.load_table(f"{FEATURES}.features")
        for as_of in ("2017-09-01", "2017-10-01"):
            found = table.scan(snapshot_id=table.snapshot_by_name(f"as_of={as_of}").snapshot_id).to_arrow()
            expected = shopmill.load(FEATURES, as_of).to_arrow()
            assert found.cast(expected.schema).equals(expected)
        assert table.current_snapshot() == table.snapshot_by_name("as_of=2017-10-01")
        catalogue.close()
    assert not (lake / "catalogue.db").exists()
    assert address.split(":")[2].split("@")[0] not in (lake / NOTE).read_text()


@pytest.fixture
def on_s3(shop: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The store of customer_features is now a copy of it on S3."""
    if not OWN_PYTHON.exists():
        pytest.skip("needs .venv, which has an S3 server")
    script, tests = Path(__file__).with_name("store_on_s3.py"), Path(__file__).parents[1]
    command = [str(OWN_PYTHON), str(script), shop.store, FEATURES]
    environment = {**os.environ, "PYTHONPATH": str(tests)}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        way = json.loads(server.stdout.readline())
        for name, value in way.items():
            monkeypatch.setenv(name, value)
        yield way


def test_a_store_on_s3_is_read_where_it_is(on_s3: dict[str, str], lake: Path) -> None:
    catalogues = pytest.importorskip("pyiceberg.catalog.sql")
    for as_of in ("2017-09-01", "2017-10-01"):
        shopmill.export(FEATURES, "iceberg", lake, as_of)
    reached = {
        "s3.endpoint": on_s3["AWS_ENDPOINT_URL"],
        "s3.access-key-id": on_s3["AWS_ACCESS_KEY_ID"],
        "s3.secret-access-key": on_s3["AWS_SECRET_ACCESS_KEY"],
        "s3.region": on_s3["AWS_REGION"],
    }
    uri, warehouse = f"sqlite:///{lake}/catalogue.db", f"file://{lake}/warehouse"
    table = catalogues.SqlCatalog("shopmill", uri=uri, warehouse=warehouse, **reached).load_table(
        f"{FEATURES}.features"
    )
    for as_of in ("2017-09-01", "2017-10-01"):
        found = table.scan(snapshot_id=table.snapshot_by_name(f"as_of={as_of}").snapshot_id).to_arrow()
        expected = shopmill.load(FEATURES, as_of).to_arrow()
        assert found.cast(expected.schema).equals(expected)
    assert not list(lake.rglob("*.parquet"))


@pytest.mark.parametrize("mark", ["#", "?", "%"])
def test_a_folder_that_no_address_can_name_is_refused(shop: Settings, tmp_path: Path, mark: str) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    with pytest.raises(InvalidInputError, match=rf"lake {re.escape(mark)}1 has a '{re.escape(mark)}', which Iceberg's"):
        shopmill.export(FEATURES, "iceberg", tmp_path / f"lake {mark}1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_have_blanks_and_letters_of_any_script(shop: Settings, tmp_path: Path) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    lake = tmp_path / "our läke [1] it's"
    shopmill.export(FEATURES, "iceberg", lake, "2017-09-01")
    expected = shopmill.load(FEATURES, "2017-09-01").manifest.rows("features")
    assert opened(lake, f"{FEATURES}.features").scan().to_arrow().num_rows == expected
    assert {path.name for path in tmp_path.iterdir()} == {lake.name}


def test_an_export_that_was_killed_between_a_snapshot_and_its_tag_can_be_repeated(
    shop: Settings, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pytest.importorskip("pyiceberg.table").Table
    for as_of in ("2017-09-01", "2017-10-01"):
        with monkeypatch.context() as patched:
            patched.setattr(table, "manage_snapshots", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                shopmill.export(FEATURES, "iceberg", lake, as_of)
        shopmill.export(FEATURES, "iceberg", lake, as_of)
    found = opened(lake, f"{FEATURES}.features")
    for as_of in ("2017-09-01", "2017-10-01"):
        rows = found.scan(snapshot_id=found.snapshot_by_name(f"as_of={as_of}").snapshot_id).to_arrow()
        expected = shopmill.load(FEATURES, as_of).to_arrow()
        assert rows.cast(expected.schema).equals(expected)


def test_current_is_the_newest_as_of_in_whatever_order_they_come(shop: Settings, lake: Path) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    for as_of in ("2017-09-01", "2018-01-01", "2017-10-01", "2017-09-01"):
        shopmill.export(FEATURES, "iceberg", lake, as_of)
    table = opened(lake, f"{FEATURES}.features")
    assert table.current_snapshot() == table.snapshot_by_name("as_of=2018-01-01")
    assert table.scan().to_arrow().num_rows == shopmill.load(FEATURES).manifest.rows("features")
    assert len(table.refs()) == 4  # with the branch main


def test_an_older_version_with_other_columns_does_not_take_the_place_of_a_newer_one(shop: Settings, lake: Path) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    from pyiceberg.types import StringType

    shopmill.export(FEATURES, "iceberg", lake, "2017-10-01")
    with opened(lake, f"{FEATURES}.features").update_schema() as change:
        change.add_column("novel", StringType())
    with pytest.raises(
        InvalidInputError, match=r"as of 2017-09-01 has other columns than the table, which has as_of 2017-10"
    ):
        shopmill.export(FEATURES, "iceberg", lake, "2017-09-01")
    shopmill.export(FEATURES, "iceberg", lake, "2018-01-01")  # begins again
    table = opened(lake, f"{FEATURES}.features")
    assert ("novel" in table.schema().column_names, set(table.refs())) == (False, {"main", "as_of=2018-01-01"})


def test_gc_decides_what_iceberg_keeps(
    shop: Settings, exported: Callable[..., Written], lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyiceberg.catalog.sql")
    store = tmp_path / "store"
    for part in (INTERACTIONS, f"index/{INTERACTIONS}"):
        shutil.copytree(Path(shop.store) / part, store / part, copy_function=os.link)
    monkeypatch.setenv("SHOPMILL_STORE", str(store))
    deleted, *kept = ("2017-12-18", *AS_OFS)  # the newest, and what a rerun of it would continue from
    for as_of in (deleted, *kept):
        exported(INTERACTIONS, "iceberg", as_of=as_of, folder=lake)
    later = datetime.now(UTC) + timedelta(days=9)
    look = GarbageCollection(Store(str(store)), shop.zone, (INTERACTIONS,), staged_runs, Retention(1, 0, 0), later)
    collect(look, Locks(look.store))
    exported(INTERACTIONS, "iceberg", as_of="2018-01-01", folder=lake)
    table = opened(lake, f"{INTERACTIONS}.interactions")
    assert [name for name in table.refs() if name.startswith("as_of=")] == [f"as_of={as_of}" for as_of in kept]
    assert table.scan().to_arrow().num_rows == shopmill.load(INTERACTIONS, "2018-01-01").manifest.rows("interactions")
    assert not list(store.rglob(f"as_of={deleted}/version=*/*/*.parquet"))
