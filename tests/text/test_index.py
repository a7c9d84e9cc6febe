import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from pgbouncer import is_installed, pgbouncer
from shopmill.embeddings.neighbours import connect
from shopmill.errors import CheckFailedError, ConflictError, InvalidInputError
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.text import index_search
from shopmill.text.index import IndexReport, current_index, prepare_index, publish_index, serve_index
from shopmill.text.index_search import Group, Neighbour, search, search_groups, similar, similar_groups

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


def test_items_of_one_vector_are_a_group(connection: Connection) -> None:
    vectors = unit(60)
    publish_index(connection, "articles", "v1", names(64), column(np.concatenate([vectors, vectors[[7, 7, 8, 9]]])))
    own, *others = similar_groups(connection, "articles", names(64)[7], k=3)
    assert own == Group((names(64)[60], names(64)[61]), pytest.approx(1, abs=1e-6))
    assert len(others) == 3
    first, *_ = search_groups(connection, "articles", vectors[8].tolist(), k=3)
    assert first.ids == (names(64)[8], names(64)[62])
    assert len(similar_groups(connection, "articles", names(64)[5], k=3)) == 3, "no other item has its vector"
    flat = [item for group in (own, *others) for item in group.ids]
    assert [n.id for n in similar(connection, "articles", names(64)[7], k=5)] == flat[:5]


def test_an_exact_search_asks_no_graph(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(300)
    publish_index(connection, "articles", "v1", names(300), column(vectors))
    monkeypatch.setattr(index_search, "MOST_CANDIDATES", 1)
    connection.execute("SET enable_seqscan = off")
    nearest = np.argsort(-(vectors @ vectors[7]))[:10]
    assert len(search_groups(connection, "articles", vectors[7].tolist())) < 10
    found = search_groups(connection, "articles", vectors[7].tolist(), exact=True)
    assert [group.ids for group in found] == [(names(300)[i],) for i in nearest]
    assert [group.ids for group in similar_groups(connection, "articles", names(300)[7], k=9, exact=True)] == [
        (names(300)[i],) for i in nearest[1:]
    ]
    assert connection.execute("SHOW enable_indexscan").fetchone() == ("on",), "nothing is left in the session"


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
    assert options == (["m=16", "ef_construction=200"],)


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


def prepare(connection: Connection, version: str, seed: int = 0, **how: Any) -> IndexReport:
    return prepare_index(connection, "articles", version, names(50), column(unit(50, seed)), **how)


def first_similarity(connection: Connection, seed: int) -> float:
    """How near the serving index has the first vector of a version to itself: 1 where it is in it."""
    return search(connection, "articles", unit(50, seed)[0].tolist(), 1)[0].similarity


def oid(connection: Connection, table: str) -> Any:
    return connection.execute("SELECT to_regclass(%s)::oid", [f"shopmill.{table}"]).fetchone()


def test_a_prepared_index_serves_when_it_is_told_to(connection: Connection) -> None:
    assert serve_index(connection, "articles", "v1") is None, "none was prepared"
    report = prepare(connection, "v1")
    assert current_index(connection, "articles") is None
    with pytest.raises(InvalidInputError, match="no index articles yet"):
        search(connection, "articles", unit(1)[0].tolist())
    built = oid(connection, "articles_v1")
    assert serve_index(connection, "articles", "v1") == report == current_index(connection, "articles")
    assert oid(connection, "articles_v1") == built
    prepare(connection, "v2", seed=1)
    assert current_index(connection, "articles") == report
    assert first_similarity(connection, seed=0) == pytest.approx(1, abs=1e-6)
    assert first_similarity(connection, seed=1) < 0.99
    assert serve_index(connection, "articles", "v3") is None, "another one was prepared"
    assert tables(connection) == ["articles_v1", "articles_v2"]
    serve_index(connection, "articles", "v2")
    assert first_similarity(connection, seed=1) == pytest.approx(1, abs=1e-6)
    assert tables(connection) == ["articles_v2"]


def test_what_is_prepared_or_serves_is_not_built_again(connection: Connection) -> None:
    report = prepare(connection, "v1")
    built = oid(connection, "articles_v1")
    assert prepare(connection, "v1") == report
    assert publish_index(connection, "articles", "v1", names(50), column(unit(50))) == report
    assert prepare(connection, "v1") == report
    assert serve_index(connection, "articles", "v1") == report
    assert oid(connection, "articles_v1") == built
    assert tables(connection) == ["articles_v1"]


def test_what_was_prepared_and_never_served_goes_with_the_next_build(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(50), column(unit(50)))
    prepare_index(connection, "articles_two", "v1", names(5), column(unit(5)))
    connection.execute("CREATE TABLE shopmill.articles_v0 ()")
    connection.execute("CREATE TABLE shopmill.articles_notes ()")
    connection.execute("COMMENT ON TABLE shopmill.articles_notes IS 'Notes on articles.'")
    others = ["articles_notes", "articles_two_v1", "articles_v0"]
    prepare(connection, "v2")
    prepare(connection, "v3")
    assert tables(connection) == sorted([*others, "articles_v1", "articles_v3"])
    prepare(connection, "v4", least_recall=1.01)
    assert tables(connection) == sorted([*others, "articles_v1"]), "not even an index that is not kept spares it"
    prepare(connection, "v5")
    publish_index(connection, "articles", "v6", names(50), column(unit(50)))
    assert tables(connection) == sorted([*others, "articles_v6"])


def test_an_index_from_before_tables_had_comments_is_replaced(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(50), column(unit(50)))
    connection.execute("COMMENT ON TABLE shopmill.articles_v1 IS NULL")
    prepare(connection, "v2")
    assert tables(connection) == ["articles_v1", "articles_v2"]
    serve_index(connection, "articles", "v2")
    assert tables(connection) == ["articles_v2"]


@pytest.mark.parametrize("build_index", [prepare_index, publish_index])
def test_killed_in_mid_build_leaves_the_old_serving(
    connection: Connection, dsn: str, build_index: Callable[..., IndexReport]
) -> None:
    publish_index(connection, "articles", "v1", names(100), column(unit(100)))
    failures: list[Exception] = []

    def build() -> None:
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="builder") as own:
                build_index(own, "articles", "v2", names(20000), column(unit(20000, dim=256)))
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


def test_killed_in_mid_swap_leaves_the_old_serving(connection: Connection, dsn: str) -> None:
    publish_index(connection, "articles", "v1", names(50), column(unit(50)))
    prepare(connection, "v2", seed=1)
    swapped: list[Exception] = []

    def swap() -> None:
        try:
            with psycopg.connect(dsn, autocommit=True, application_name="swapper") as own:
                serve_index(own, "articles", "v2")
        except psycopg.OperationalError as error:
            swapped.append(error)

    with psycopg.connect(dsn) as reader:  # its transaction keeps the old table, so the swap waits
        reader.execute("SELECT count(*) FROM shopmill.articles")
        swapper = threading.Thread(target=swap)
        swapper.start()
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'swapper' AND query LIKE 'DROP%' AND wait_event_type = 'Lock'"
        )
        deadline = time.monotonic() + 60
        while swapper.is_alive() and not connection.execute(kill).fetchall() and time.monotonic() < deadline:
            time.sleep(0.01)
        swapper.join()
    assert len(swapped) == 1
    assert first_similarity(connection, seed=0) == pytest.approx(1, abs=1e-6)
    assert serve_index(connection, "articles", "v2") is not None, "what was prepared is still there"
    assert first_similarity(connection, seed=1) == pytest.approx(1, abs=1e-6)
    assert tables(connection) == ["articles_v2"]


def test_an_index_below_the_least_recall_is_not_put_in_place(connection: Connection) -> None:
    publish_index(connection, "articles", "v1", names(100), column(unit(100)))
    with pytest.raises(CheckFailedError, match="the old index stays"):
        publish_index(connection, "articles", "v2", names(100), column(unit(100)), least_recall=1.01)
    assert tables(connection) == ["articles_v1"]


def test_an_index_that_finds_too_little_is_measured_and_not_kept(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_index(connection, "articles", "v1", names(50), column(unit(50)))
    with monkeypatch.context() as patched:
        patched.setattr(index_search, "MOST_CANDIDATES", 1)  # then the graph gives one neighbour of ten
        report = prepare_index(connection, "articles", "v2", names(5000), column(unit(5000)))
    assert report.recall_at_10 == pytest.approx(0.1, abs=0.02)
    assert serve_index(connection, "articles", "v2") is None
    assert tables(connection) == ["articles_v1"]
    assert prepare_index(connection, "articles", "v2", names(5000), column(unit(5000))).recall_at_10 >= 0.95


def test_two_builders_at_once_are_told(connection: Connection, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('shopmill.articles'))")
        for at_work in (publish_index, prepare_index):
            with pytest.raises(ConflictError, match="being built"):
                at_work(connection, "articles", "v1", names(5), column(unit(5)))
        with pytest.raises(ConflictError, match="being built"):
            serve_index(connection, "articles", "v1")


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


@pytest.fixture
def pooled(dsn: str) -> Iterator[str]:
    """The same database through a PgBouncer in transaction mode."""
    if not is_installed():
        pytest.skip("pgbouncer is not installed: run `make services`")
    with tempfile.TemporaryDirectory(prefix="shopmill-pool-") as folder, pgbouncer(dsn, Path(folder), 1) as pooled:
        yield pooled


def connected(dsn: str) -> AbstractContextManager[Connection]:
    """As a run and `shopmill similar` connect."""
    return connect(Settings(_env_file=None, registry_dsn=dsn))


def test_through_a_pool_in_transaction_mode_it_is_built_served_and_searched(pooled: str, dsn: str) -> None:
    """Nothing rests on a session: no statement that was prepared in one, no setting, no temporary table, no lock."""
    vectors = unit(300)
    with connected(pooled) as connection:
        for version in ("v1", "v2"):
            report = prepare_index(connection, "articles", version, names(300), column(vectors))
            assert serve_index(connection, "articles", version) == report
            for n in range(8):  # more often than a statement is sent before it is prepared
                found = search(connection, "articles", vectors[n].tolist())
                assert found[0].id == names(300)[n]
                assert similar(connection, "articles", names(300)[n], k=9) == found[1:]
    with connected(pooled) as one, connected(pooled) as other:  # they share the sessions of the server
        for n in range(8):
            for reader in (one, other):
                assert search(reader, "articles", vectors[n].tolist())[0].id == names(300)[n]
    with psycopg.connect(dsn, autocommit=True) as direct:
        assert tables(direct) == ["articles_v2"]
    with connected(pooled) as others:
        left = others.execute("select current_setting('maintenance_work_mem') = '512MB'").fetchone()
        assert left == (False,)


def test_through_a_pool_two_builders_at_once_are_told(pooled: str, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('shopmill.articles'))")
        with connected(pooled) as connection, pytest.raises(ConflictError, match="being built"):
            publish_index(connection, "articles", "v1", names(5), column(unit(5)))


@pytest.fixture
def elsewhere(postgres: EmbeddedPostgres, plain_dsn: str) -> str:
    """A database whose administrator has put pgvector into a schema of its own, as hosted PostgreSQL often has it."""
    name = str(psycopg.conninfo.conninfo_to_dict(plain_dsn)["dbname"])
    with psycopg.connect(postgres.admin_dsn(name)) as admin:
        admin.execute('CREATE SCHEMA "Exten sions"')
        admin.execute('CREATE EXTENSION vector SCHEMA "Exten sions"')
        admin.execute('GRANT USAGE ON SCHEMA "Exten sions" TO tester')
    return plain_dsn


def test_pgvector_may_be_in_a_schema_that_is_not_searched(elsewhere: str) -> None:
    vectors = unit(300)
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        before = connection.execute("SHOW search_path").fetchone()
        report = publish_index(connection, "articles", "v1", names(300), column(vectors))
        assert report.recall_at_10 >= 0.95
        assert current_index(connection, "articles") == report
        found = search(connection, "articles", vectors[7].tolist())
        assert found[0].id == names(300)[7]
        assert similar(connection, "articles", names(300)[7], k=9) == found[1:]
        assert connection.execute("SHOW search_path").fetchone() == before, "nothing is left in the session"


def test_a_schema_of_pgvector_that_the_role_may_not_use_is_named(postgres: EmbeddedPostgres, elsewhere: str) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(elsewhere)["dbname"])
    with psycopg.connect(postgres.admin_dsn(name)) as admin:
        admin.execute('REVOKE USAGE ON SCHEMA "Exten sions" FROM tester')
    with (
        psycopg.connect(elsewhere, autocommit=True) as connection,
        pytest.raises(InvalidInputError, match=r'GRANT USAGE ON SCHEMA "Exten sions" TO tester'),
    ):
        publish_index(connection, "articles", "v1", names(30), column(unit(30)))
