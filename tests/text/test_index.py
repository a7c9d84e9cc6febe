import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from shopmill.errors import CheckFailedError, ConflictError, InvalidInputError
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.text.index import IndexReport, Neighbour, current_index, publish_index, search, similar

Connection = psycopg.Connection[Any]
DIM = 32


def unit(rows: int, seed: int = 0, dim: int = DIM) -> npt.NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)
    scaled: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def column(vectors: npt.NDArray[np.float32]) -> "pa.FixedSizeListArray[Any, Any]":
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])


def names(count: int) -> list[str]:
    return [f"{i:010d}" for i in range(count)]


def tables(connection: Connection) -> list[str]:
    question = "SELECT tablename FROM pg_tables WHERE schemaname = 'shopmill' ORDER BY 1"
    return [row[0] for row in connection.execute(question)]


@pytest.fixture
def plain_dsn(database: Callable[[], str]) -> str:
    """A database whose administrator has not created the extension."""
    return database()


@pytest.fixture
def dsn(postgres: EmbeddedPostgres, plain_dsn: str) -> str:
    name = str(psycopg.conninfo.conninfo_to_dict(plain_dsn)["dbname"])
    with psycopg.connect(postgres.admin_dsn(name)) as admin:
        admin.execute("CREATE EXTENSION vector")
    return plain_dsn


@pytest.fixture
def connection(dsn: str) -> Iterator[Connection]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def test_finds_the_nearest_and_the_similar(connection: Connection) -> None:
    vectors = unit(2000)
    report = publish_index(connection, "articles", "v1", names(2000), column(vectors))
    assert report == IndexReport("v1", 2000, DIM, report.recall_at_10)
    assert report.recall_at_10 >= 0.95
    exact = vectors @ vectors[7]
    found = search(connection, "articles", vectors[7].tolist())
    assert [n.id for n in found] == [names(2000)[i] for i in np.argsort(-exact)[:10]]
    assert found[0].similarity == pytest.approx(1, abs=1e-6)
    assert similar(connection, "articles", names(2000)[7], k=9) == found[1:]


def test_the_index_is_what_answers(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(5000), column(unit(5000)))
    plan = connection.execute(
        "EXPLAIN SELECT ids FROM shopmill.articles ORDER BY embedding <=> "
        "(SELECT embedding FROM shopmill.articles LIMIT 1) LIMIT 10"
    )
    assert any("Index Scan using articles_v1_embedding_idx" in row[0] for row in plan)
    options = connection.execute(
        "SELECT reloptions FROM pg_class WHERE relname LIKE 'articles_v1_embedding%'"
    ).fetchone()
    assert options == (["m=16", "ef_construction=64"],)


def test_a_new_version_takes_the_place_of_the_old(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(50), column(unit(50)))
    publish_index(connection, "articles", "v2", names(60), column(unit(60, seed=1, dim=8)))
    assert tables(connection) == ["articles_v2"]
    serving = current_index(connection, "articles")
    assert serving is not None
    assert (serving.version, serving.rows, serving.dim) == ("v2", 60, 8)


def test_the_serving_version_is_not_built_again(connection: Connection) -> None:
    first = publish_index(connection, "articles", "v1", names(50), column(unit(50)))
    before = connection.execute("SELECT 'shopmill.articles_v1'::regclass::oid").fetchone()
    assert publish_index(connection, "articles", "v1", names(50), column(unit(50))) == first
    assert connection.execute("SELECT 'shopmill.articles_v1'::regclass::oid").fetchone() == before


def test_two_indexes_do_not_touch_each_other(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(20), column(unit(20)))
    publish_index(connection, "articles_two", "v1", names(20), column(unit(20)))
    publish_index(connection, "articles", "v2", names(20), column(unit(20)))
    assert tables(connection) == ["articles_two_v1", "articles_v2"]


def test_killed_in_mid_build_leaves_the_old_serving(connection: Connection, dsn: str) -> None:
    publish_index(connection, "articles", "v1", names(100), column(unit(100)))
    failures: list[Exception] = []

    def build() -> None:
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="builder") as own:
                publish_index(own, "articles", "v2", names(20000), column(unit(20000, dim=256)))
        except psycopg.OperationalError as error:
            failures.append(error)

    builder = threading.Thread(target=build)
    builder.start()
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'builder' AND query LIKE 'CREATE INDEX%'"
    )
    deadline = time.monotonic() + 60
    while builder.is_alive() and not connection.execute(kill).fetchall() and time.monotonic() < deadline:
        assert len(search(connection, "articles", unit(1)[0].tolist())) == 10
    builder.join()
    assert len(failures) == 1
    assert tables(connection) == ["articles_v1"]
    assert len(search(connection, "articles", unit(1)[0].tolist())) == 10
    publish_index(connection, "articles", "v2", names(100), column(unit(100)))
    assert tables(connection) == ["articles_v2"]


def test_an_index_below_the_least_recall_is_not_put_in_place(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(100), column(unit(100)))
    with pytest.raises(CheckFailedError, match="the old index stays"):
        publish_index(connection, "articles", "v2", names(100), column(unit(100)), least_recall=1.01)
    assert tables(connection) == ["articles_v1"]


def test_two_builders_at_once_are_told(connection: Connection, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('shopmill.articles'))")
        with pytest.raises(ConflictError, match="being built"):
            publish_index(connection, "articles", "v1", names(5), column(unit(5)))


def test_readers_see_one_version_or_the_other(connection: Connection, dsn: str) -> None:
    publish_index(connection, "articles", "v0", names(30), column(unit(30)))
    stop = threading.Event()
    counts: list[int] = []

    def read() -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            while not stop.is_set():
                counts.append(len(search(own, "articles", unit(1)[0].tolist(), k=30)))

    reader = threading.Thread(target=read)
    reader.start()
    for version in range(1, 8):
        publish_index(connection, "articles", f"v{version}", names(30), column(unit(30, seed=version)))
    stop.set()
    reader.join()
    assert set(counts) == {30}


def test_items_with_equal_vectors_are_all_found_and_do_not_spoil_the_recall(connection: Connection) -> None:
    vectors = np.repeat(unit(300), 25, axis=0)
    report = publish_index(connection, "articles", "v1", names(7500), column(vectors))
    assert (report.rows, report.recall_at_10 >= 0.95) == (7500, True)
    assert [n.id for n in search(connection, "articles", vectors[50].tolist(), k=25)] == names(7500)[50:75]
    assert [n.id for n in similar(connection, "articles", names(7500)[74], k=24)] == names(7500)[50:74]
    assert len(similar(connection, "articles", names(7500)[74], k=500)) == 500


def test_items_without_a_vector_are_left_out(connection: Connection) -> None:
    vectors = pa.array([[1.0, 0.0], None, [0.0, 1.0]], pa.list_(pa.float32(), 2))
    report = publish_index(connection, "articles", "v1", ["a", "b", "c"], vectors)
    assert report == IndexReport("v1", 2, 2, 1.0)
    assert search(connection, "articles", [0.0, 1.0]) == [Neighbour("c", 1.0), Neighbour("a", 0.0)]
    with pytest.raises(InvalidInputError, match="b is not in the index"):
        similar(connection, "articles", "b")


def test_no_vectors_at_all_make_an_empty_index(connection: Connection) -> None:
    report = publish_index(connection, "articles", "v1", [], column(unit(0)))
    assert (report.rows, report.recall_at_10) == (0, 1.0)
    assert search(connection, "articles", unit(1)[0].tolist()) == []


def test_before_the_first_build(connection: Connection) -> None:
    assert current_index(connection, "articles") is None
    with pytest.raises(InvalidInputError, match="no index articles yet"):
        search(connection, "articles", [1.0])
    with pytest.raises(InvalidInputError, match="no index articles yet"):
        similar(connection, "articles", "a")


@pytest.mark.parametrize("k", [0, 501, 1000])
def test_k_out_of_range_is_named(connection: Connection, k: int) -> None:
    publish_index(connection, "articles", "v1", names(5), column(unit(5)))
    with pytest.raises(InvalidInputError, match=f"not {k}"):
        search(connection, "articles", unit(1)[0].tolist(), k)


def test_names_are_quoted(connection: Connection) -> None:
    name = 'a"b; drop table x'
    publish_index(connection, name, "v1", names(5), column(unit(5)))
    assert len(search(connection, name, unit(1)[0].tolist())) == 5
    assert sql.Identifier(name).as_string(connection).startswith('"a""b')


def test_as_many_ids_as_vectors(connection: Connection) -> None:
    with pytest.raises(InvalidInputError, match="one vector per id"):
        publish_index(connection, "articles", "v1", ["a"], column(unit(2)))


def test_without_pgvector_the_error_says_what_to_do(plain_dsn: str) -> None:
    with (
        psycopg.connect(plain_dsn, autocommit=True) as connection,
        pytest.raises(InvalidInputError, match="CREATE EXTENSION vector as an administrator"),
    ):
        publish_index(connection, "articles", "v1", names(5), column(unit(5)))
