"""Published versions as Arrow, pandas, Polars and DuckDB."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from socket import create_connection
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop

import shopmill
from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest
from shopmill.versions.scanning import Scan
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions

DATASET = "user_item_interactions"


@pytest.fixture
def store(settings: Settings, shop_dsn: str) -> str:
    lines = [
        {"t_dat": f"2020-09-{day}", "customer_id": f"c{day}", "article_id": "0001", "price": 1} for day in (20, 21)
    ]
    fill_shop(shop_dsn, {"transactions": lines})
    for as_of in ("2020-09-21", "2020-09-22"):
        steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, LENIENT))
    return settings.store


def test_every_way_of_reading_gives_the_same_rows(store: str) -> None:
    opened = shopmill.load(DATASET, store=store)
    assert (opened.as_of, set(opened.tables)) == (
        "2020-09-22",
        {"interactions", "log", "customer_index", "article_index", "rejects"},
    )
    expected = [{"customer_id": "c20", "customer_index": 0}, {"customer_id": "c21", "customer_index": 1}]
    assert opened.to_arrow("customer_index").to_pylist() == expected
    assert opened.to_pandas("customer_index").to_dict("records") == expected
    assert opened.to_polars("customer_index").to_dicts() == expected
    with duckdb.connect() as connection:
        assert opened.to_duckdb("customer_index", connection).columns == ["customer_id", "customer_index"]
        assert opened.to_duckdb("customer_index", connection).fetchall() == [("c20", 0), ("c21", 1)]
    assert opened.to_arrow().num_rows == 2
    assert opened.version in repr(opened)


def test_a_store_may_be_in_a_folder_of_any_name_that_stands_for_no_other(store: str, tmp_path: Path) -> None:
    for name in ("our (1) störe", "{x,y} 'q'", "50%25 #1"):
        opened = shopmill.load(DATASET, store=shutil.copytree(store, tmp_path / name))
        expected = opened.to_arrow("customer_index")
        assert expected.num_rows == 2
        assert opened.to_arrow("customer_index", where="true").equals(expected)
        assert opened.scan("customer_index").collect().to_arrow().cast(expected.schema).equals(expected)
        assert opened.to_dataset("customer_index").to_table().equals(expected)
        assert opened.to_duckdb("customer_index").fetchall() == [("c20", 0), ("c21", 1)]


def test_pandas_reads_the_folder_of_a_table(store: str) -> None:
    import pandas as pd

    frame = pd.read_parquet(Path(shopmill.load(DATASET, store=store).path) / "interactions")
    assert frame["customer_id"].tolist() == ["c20", "c21"]


def test_columns_and_rows_are_chosen_in_every_way_of_reading(store: str) -> None:
    opened = shopmill.load(DATASET, store=store)
    chosen = {"columns": ["article_id", "customer_id"], "where": "last_interaction_date >= date '2020-09-21'"}
    expected = [{"article_id": "0001", "customer_id": "c21"}]
    assert opened.to_arrow(**chosen).to_pylist() == expected
    assert opened.to_pandas(**chosen).to_dict("records") == expected
    assert opened.to_polars(**chosen).to_dicts() == expected
    assert opened.to_duckdb(**chosen).fetchall() == [("0001", "c21")]
    assert [row for batch in opened.batches(**chosen) for row in batch.to_pylist()] == expected
    lazy = (
        opened.scan().filter(pl.col("last_interaction_date") >= date(2020, 9, 21)).select("article_id", "customer_id")
    )
    assert lazy.collect().to_dicts() == expected
    assert opened.to_dataset().to_table(columns=["customer_id"]).num_rows == 2
    assert opened.to_numpy("recency_days").tolist() == [2, 1]


def test_a_part_of_a_table_has_the_types_and_order_of_the_whole(store: str) -> None:
    opened = shopmill.load(DATASET, store=store)
    assert opened.to_arrow(where="true").equals(opened.to_arrow())
    assert opened.to_arrow(columns=["spend_sum"]).schema == pa.schema([opened.to_arrow().schema.field("spend_sum")])
    none = opened.to_pandas(where="false")
    assert (len(none), list(none.columns)) == (0, opened.to_arrow().column_names)


def test_frames_have_the_types_that_libraries_take(store: str) -> None:
    frame = shopmill.load(DATASET, store=store).to_pandas()
    types = frame.dtypes.astype(str).to_dict()
    assert types["first_interaction_date"] == "datetime64[ns]"
    assert (types["spend_sum"], types["time_weighted_score"]) == ("float64", "float64")
    assert (types["purchase_count"], types["recency_days"]) == ("int64", "int32")
    exact = shopmill.load(DATASET, store=store).to_pandas(exact=True)
    assert exact["spend_sum"].tolist() == [Decimal(1), Decimal(1)]
    rejects = shopmill.load(DATASET, store=store).to_pandas("rejects")
    assert str(rejects["source_day"].dtype) == "datetime64[ns]"


def test_what_cannot_be_read_is_refused_in_a_sentence(store: str) -> None:
    opened = shopmill.load(DATASET, store=store)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"columns": ["customer"]}, "time_weighted_score. Did you mean 'customer_id'?"),
        ({"columns": ["zzz"]}, "has no column 'zzz'; it has customer_id, article_id,"),
        ({"columns": []}, "columns is empty"),
        ({"columns": [""]}, "has no column ''"),
        ({"columns": [1]}, "has no column 1"),
        ({"columns": ["customer_id", "customer_id"]}, "columns names 'customer_id' twice"),
        ({"columns": "customer_id"}, "columns='customer_id' is a text: give a list"),
        ({"where": "recency > 3"}, "where='recency > 3' is no condition on user_item_interactions interactions"),
        ({"where": "recency_days >"}, "is no condition on"),
        ({"where": "customer_id > 3"}, "is no condition on"),
        ({"where": ""}, "is no condition on"),
    ]
    for asked, message in refused:
        with pytest.raises(InvalidInputError, match=re.escape(message)):
            opened.to_arrow(**asked)
    with pytest.raises(InvalidInputError, match="rows=0 is no size of a batch"):
        next(opened.batches(rows=0))


def test_a_message_names_twenty_columns_at_most(tmp_path: Path) -> None:
    file = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{number}": [0] for number in range(96)}), file)
    with pytest.raises(InvalidInputError, match=r"wide has no column 'x'; it has c0, .*, c19 and 76 more\.$"):
        Scan("wide", (str(file),), ("x",))


@pytest.mark.parametrize(
    "as_of",
    [date(2020, 9, 21), datetime(2020, 9, 21),  # noqa: DTZ001
     datetime(2020, 9, 21, tzinfo=UTC), pd.Timestamp("2020-09-21"),
     np.datetime64("2020-09-21"), "2020-09-21"],
)  # fmt: skip
def test_a_day_may_be_given_as_any_library_has_it(store: str, as_of: Any) -> None:
    assert shopmill.load(DATASET, as_of=as_of, store=store).as_of == "2020-09-21"
    with pytest.raises(InvalidInputError, match="has no time zone: write it in UTC"):
        shopmill.load(DATASET, as_of=datetime(2020, 9, 21, 5), store=store)  # noqa: DTZ001


def test_a_midnight_is_a_moment_where_there_is_a_version_of_it(settings: Settings, store: str) -> None:
    """A dataset that runs every quarter of an hour has one of each midnight, beside that of a day if somebody ran it."""
    midnight = datetime(2020, 9, 22, tzinfo=UTC)
    assert shopmill.load(DATASET, as_of=midnight, store=store).as_of == "2020-09-22"
    steps.run_all(Run.create(datasets.load(DATASET), "2020-09-22T00:00:00Z", settings, LENIENT))
    assert shopmill.load(DATASET, as_of=midnight, store=store).as_of == "2020-09-22T00:00:00Z"
    assert shopmill.load(DATASET, as_of=midnight.astimezone(timezone(timedelta(hours=2))), store=store).as_of == (
        "2020-09-22T00:00:00Z"
    )
    assert shopmill.load(DATASET, as_of="2020-09-22", store=store).as_of == "2020-09-22"


def test_an_as_of_is_chosen_and_a_missing_one_refused(store: str) -> None:
    for as_of in ("2020-09-21", date(2020, 9, 21)):
        assert shopmill.load(DATASET, as_of, Path(store)).to_arrow()["customer_id"].to_pylist() == ["c20"]
    for nonsense in ("", 20200921):
        with pytest.raises(InvalidInputError, match=f"as_of '{nonsense}' is neither a date"):
            shopmill.load(DATASET, nonsense, store)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=r"as of 2020-09-20.*newest"):
        shopmill.load(DATASET, "2020-09-20", store)
    with pytest.raises(InvalidInputError, match="no table 'x'"):
        shopmill.load(DATASET, store=store).to_arrow("x")
    with pytest.raises(InvalidInputError, match="no dataset"):
        shopmill.load("x", store=store)


class _Counting(ThreadingTCPServer):
    """Passes bytes on to a server and counts those that come back."""

    daemon_threads = True

    def __init__(self, target: tuple[str, int]):
        super().__init__(("127.0.0.1", 0), _Pass)
        self.target, self.received = target, 0


class _Pass(BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Counting)
        with create_connection(self.server.target) as there:
            Thread(target=self._copy_back, args=(there,), daemon=True).start()
            while data := self.request.recv(65_536):
                there.sendall(data)

    def _copy_back(self, there: Any) -> None:
        assert isinstance(self.server, _Counting)
        with suppress(OSError):  # the client has gone
            while data := there.recv(65_536):
                self.server.received += len(data)
                self.request.sendall(data)


@pytest.fixture
def counted(s3_store: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, _Counting]]:
    """The address of a store on S3, and what counts the bytes that are read from it."""
    host, port = s3_endpoint.removeprefix("http://").split(":")
    with _Counting((host, int(port))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        yield s3_store, server
        server.shutdown()


def test_on_s3_only_what_is_asked_for_is_read(counted: tuple[str, _Counting], tmp_path: Path) -> None:
    address, server = counted
    store, file = Store(address), tmp_path / "part-00000.parquet"
    duckdb.connect().sql(
        "select i as n, hash(i) as noise, hash(-i) as other, i // 1000 as thousand from range(2000000) as r(i) order by i"
    ).write_parquet(str(file), compression="zstd", row_group_size=122_880)
    size = file.stat().st_size
    described = {
        "grain": "a row",
        "key": ["n"],
        "columns": [{"name": name, "type": "bigint"} for name in ("n", "noise", "other", "thousand")],
        "files": [
            {"path": "interactions/part-00000.parquet", "rows": 2_000_000, "bytes": size, "sha256": sha256_of(file)}
        ],
    }
    content = {"main_table": "interactions", "tables": {"interactions": described}, "inputs": {}, "rejected": {}}
    manifest = Manifest(DATASET, "2020-09-22", content, {"previous": None, "checks": [], "snapshots": {}})
    store.adopt(file, "staged")
    Versions(store, DATASET, ZoneInfo("UTC")).publish(manifest, {"interactions/part-00000.parquet": "staged"})
    opened = shopmill.load(DATASET, store=address)

    def cost(read: Callable[[], Any]) -> tuple[Any, float]:
        before = server.received
        return read(), (server.received - before) / size

    some = {"columns": ["noise"], "where": "thousand = 1500"}
    expected = (
        duckdb.connect().sql("select hash(i) as noise from range(1500000, 1501000) as r(i) order by i").to_arrow_table()
    )
    found, share = cost(lambda: opened.to_arrow(**some))
    assert found.equals(expected.cast(found.schema))
    assert share < 0.1
    lazy = opened.scan().filter(pl.col("thousand") == 1500).select("noise")
    found, share = cost(lazy.collect)
    assert found["noise"].to_list() == expected["noise"].to_pylist()
    assert share < 0.1
    relation = opened.to_duckdb(**some)
    found, share = cost(relation.fetchall)
    assert len(found) == 1000
    assert share < 0.1
    column, share = cost(lambda: opened.to_arrow(columns=["thousand"]))
    assert (column.num_rows, share < 0.1) == (2_000_000, True)
    whole, share = cost(opened.to_arrow)
    assert (whole.num_rows, share > 0.9) == (2_000_000, True)
