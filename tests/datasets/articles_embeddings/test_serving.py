"""Which index answers: built and judged with the checks, put in place once its version is published."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from embeddings_runs import BOLT, DRESS, GOWN, NAME, NAMELESS, build, catalogue, computed, started
from golden import LENIENT

import shopmill
from shopmill import datasets
from shopmill.embeddings import neighbours
from shopmill.errors import CheckFailedError, InvalidInputError
from shopmill.exports.great_expectations import Exporter
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.text import index_search
from shopmill.text.index import current_index
from shopmill.versions.load import Version
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions


def create_pgvector(postgres: EmbeddedPostgres, dsn: str) -> None:
    with psycopg.connect(postgres.admin_dsn(str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))) as admin:
        admin.execute("create extension vector")


@pytest.fixture
def indexed(settings: Settings, postgres: EmbeddedPostgres, database: Callable[[], str]) -> Settings:
    """Settings whose registry has pgvector."""
    dsn = database()
    create_pgvector(postgres, dsn)
    return Settings(**{**settings.model_dump(), "registry_dsn": dsn})


def query(settings: Settings, question: str) -> list[Any]:
    with psycopg.connect(settings.registry_dsn.get_secret_value()) as connection:
        return [row[0] for row in connection.execute(question.encode())]


def change(settings: Settings, *statements: str) -> None:
    with psycopg.connect(settings.registry_dsn.get_secret_value()) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def index_tables(settings: Settings) -> list[str]:
    """The tables of the index: the one that serves, and what was prepared."""
    return query(
        settings, "select relname from pg_class where relname ~ '^articles_[^_]+$' and relkind = 'r' order by 1"
    )


def serving_version(settings: Settings) -> str:
    with psycopg.connect(settings.registry_dsn.get_secret_value()) as connection:
        report = current_index(connection, neighbours.INDEX)
    assert report is not None
    assert [f"articles_{report.version}"] == query(
        settings, "select table_name from information_schema.view_table_usage where view_name = 'articles'"
    )
    return report.version


def recall_in(checks: list[dict[str, Any]]) -> list[tuple[str, bool, str]]:
    return [(c["severity"], c["passed"], c["detail"]) for c in checks if c["name"] == "recall@10"]


def recall_told(settings: Settings) -> list[list[tuple[str, bool, str]]]:
    """What the newest run says of the recall, and what the current version does."""
    newest, *_ = Registry(settings.registry_dsn.get_secret_value()).runs(NAME)
    return [recall_in(newest["checks"]), recall_in(Version(NAME, None, settings).manifest.beside["checks"])]


@contextmanager
def poor_graph(settings: Settings) -> Iterator[None]:
    """Searches go through the graph even of a small table, and give one neighbour where ten are asked for."""
    database = psycopg.conninfo.conninfo_to_dict(settings.registry_dsn.get_secret_value())["dbname"]
    change(settings, f"alter database {database} set enable_seqscan = off")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(index_search, "MOST_CANDIDATES", 1)
        yield
    change(settings, f"alter database {database} reset enable_seqscan")


def test_similar_and_search_answer_from_the_current_version(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-22", DRESS, GOWN, BOLT, NAMELESS)
    build(indexed, NAME, "2020-09-22")
    assert [n.id for n in shopmill.similar("0003", settings=indexed)] == ["0001", "0002"]
    assert [n.id for n in shopmill.search("screws and nuts", 1, settings=indexed)] == ["0002"]
    assert recall_told(indexed) == [[("error", True, "1.0")]] * 2, "once in the registry, once in the manifest"
    exporter = Exporter(datasets.load(NAME), Version(NAME, None, indexed).manifest, None, indexed)
    assert "recall@10" in {found.check for found in exporter.left_out()}
    with pytest.raises(InvalidInputError, match="0004 is not in the index"):
        shopmill.similar("0004", settings=indexed)
    with pytest.raises(InvalidInputError, match="nothing to search for"):
        shopmill.search("  ", settings=indexed)
    with pytest.raises(InvalidInputError, match="The index was made with sentence-transformers/all-MiniLM-L6-v2"):
        neighbours._same_model("another/model", "1", indexed)


def test_a_version_of_the_past_does_not_serve(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-20", DRESS, BOLT)
    catalogue(indexed, "2020-09-22", DRESS, GOWN)
    newest = build(indexed, NAME, "2020-09-22")["version"]
    past = Run.create(datasets.load(NAME), "2020-09-20", indexed, LENIENT)
    computed(past)
    steps.check(past)
    assert index_tables(indexed) == [f"articles_{newest}"], "nothing is built for it"
    steps.publish(past)
    assert steps.register(past).status == "published"
    assert recall_in(Version(NAME, "2020-09-20", indexed).manifest.beside["checks"]) == []
    assert serving_version(indexed) == newest
    assert [n.id for n in shopmill.similar("0003", settings=indexed)] == ["0001"]


def test_the_recall_is_no_part_of_what_a_version_is(indexed: Settings, settings: Settings, tmp_path: Path) -> None:
    catalogue(settings, "2020-09-22", DRESS, BOLT)
    shutil.copytree(settings.store, tmp_path / "other")
    elsewhere = settings.model_copy(update={"store": str(tmp_path / "other")})
    version = build(indexed, NAME, "2020-09-22")["version"]
    assert build(elsewhere, NAME, "2020-09-22")["version"] == version
    assert recall_told(indexed)[1] != recall_told(elsewhere)[1]
    assert serving_version(indexed) == version


def test_a_low_recall_publishes_nothing_and_leaves_the_index_that_serves(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-21", DRESS, BOLT)
    before = build(indexed, NAME, "2020-09-21")["version"]
    catalogue(indexed, "2020-09-22", DRESS, GOWN, BOLT)
    with poor_graph(indexed), pytest.raises(CheckFailedError, match=r"bert recall@10: 0\.3333 of the ten") as error:
        build(indexed, NAME, "2020-09-22")
    assert [failure.name for failure in error.value.failures] == ["recall@10"]
    [blocked, *_] = Registry(indexed.registry_dsn.get_secret_value()).runs(NAME)
    assert (blocked["status"], blocked["version"]) == ("blocked", None)
    [(severity, passed, detail)] = recall_in(blocked["checks"])
    assert (severity, passed, detail[:6]) == ("error", False, "0.3333")
    assert [manifest.version for manifest in Versions(Store(indexed.store), NAME, indexed.zone).all()] == [before]
    assert Version(NAME, None, indexed).version == serving_version(indexed) == before
    assert index_tables(indexed) == [f"articles_{before}"]
    assert [n.id for n in shopmill.similar("0003", settings=indexed)] == ["0002"]

    after = build(indexed, NAME, "2020-09-22")["version"]
    assert index_tables(indexed) == [f"articles_{after}"]
    assert [n.id for n in shopmill.similar("0003", settings=indexed)] == ["0001", "0002"]


def test_how_much_is_enough_is_a_parameter(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-22", DRESS, GOWN, BOLT)
    with poor_graph(indexed):
        assert build(indexed, NAME, "2020-09-22", least_recall="0.3")["status"] == "published"
    assert recall_told(indexed) == [[("error", True, "0.3333")]] * 2


def test_another_failed_check_builds_no_index(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-22", DRESS, {**DRESS, "article_id": "0009", "prod_name": "SUMMER DRESS"})
    with pytest.raises(CheckFailedError, match="1 different vectors for 2 different texts") as error:
        build(indexed, NAME, "2020-09-22")
    assert len(error.value.failures) == 1
    assert index_tables(indexed) == []


@pytest.mark.parametrize("last", [steps.check, steps.publish])
def test_broken_off_before_it_serves(indexed: Settings, last: Callable[[Run], Any]) -> None:
    """Steps share nothing but the store and the database: a run that goes no further is a run that was killed."""
    catalogue(indexed, "2020-09-21", DRESS, BOLT)
    old = build(indexed, NAME, "2020-09-21")["version"]
    catalogue(indexed, "2020-09-22", DRESS, GOWN, BOLT)
    killed = Run.create(datasets.load(NAME), "2020-09-22", indexed, LENIENT)
    computed(killed)
    for step in (steps.check, steps.publish)[: 1 + (last == steps.publish)]:
        step(killed)
    assert len(index_tables(indexed)) == 2
    assert serving_version(indexed) == old
    assert [n.id for n in shopmill.similar("0003", settings=indexed)] == ["0002"]

    [prepared] = set(index_tables(indexed)) - {f"articles_{old}"}
    built = query(indexed, f"select 'shopmill.{prepared}'::regclass::oid")
    again = build(indexed, NAME, "2020-09-22")
    assert index_tables(indexed) == [prepared] == [f"articles_{again['version']}"]
    assert query(indexed, f"select 'shopmill.{prepared}'::regclass::oid") == built, "not built a second time"
    assert serving_version(indexed) == again["version"]
    assert recall_told(indexed)[0] == [("error", True, "1.0")]


def test_what_a_run_prepared_and_left_goes_with_the_next(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-21", DRESS, BOLT)
    build(indexed, NAME, "2020-09-21")
    catalogue(indexed, "2020-09-22", DRESS, GOWN, BOLT)
    killed = Run.create(datasets.load(NAME), "2020-09-22", indexed, LENIENT)
    computed(killed)
    steps.check(killed)
    catalogue(indexed, "2020-09-23", GOWN, BOLT)
    version = build(indexed, NAME, "2020-09-23")["version"]
    assert index_tables(indexed) == [f"articles_{version}"]
    assert serving_version(indexed) == version
    steps.publish(killed)
    steps.register(killed)
    assert serving_version(indexed) == version, "it came too late to be the current one"


def test_an_index_that_was_lost_is_built_when_its_version_is_to_serve(indexed: Settings) -> None:
    catalogue(indexed, "2020-09-22", DRESS, BOLT)
    run = Run.create(datasets.load(NAME), "2020-09-22", indexed, LENIENT)
    computed(run)
    steps.check(run)
    steps.publish(run)
    change(indexed, f"drop table shopmill.{index_tables(indexed)[0]}")
    version = steps.register(run).version
    assert serving_version(indexed) == version

    change(indexed, "drop view shopmill.articles", f"drop table shopmill.articles_{version}")
    with poor_graph(indexed), pytest.raises(CheckFailedError, match="the old index stays"):
        steps.already_made(started(indexed, "2020-09-22"))
    newest, *_ = Registry(indexed.registry_dsn.get_secret_value()).runs(NAME)
    assert newest["status"] == "blocked"
    assert index_tables(indexed) == []
    assert steps.already_made(started(indexed, "2020-09-22"))
    assert serving_version(indexed) == version
    assert recall_told(indexed) == [[("error", True, "1.0")]] * 2


def test_without_pgvector_the_version_is_published_and_the_warning_clear(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue(settings, "2020-09-22", DRESS, BOLT)
    summary = build(settings, NAME, "2020-09-22")
    assert summary["status"] == "published"
    [warning] = summary["warned"]
    assert "This database has no pgvector" in warning
    assert "CREATE EXTENSION vector" in caplog.text
    [(severity, passed, detail)] = recall_told(settings)[1]
    assert (severity, passed) == ("warn", False)
    assert "CREATE EXTENSION vector" in detail
    with pytest.raises(InvalidInputError, match="There is no index articles yet: run the DAG articles_embeddings"):
        shopmill.similar("0003", settings=settings)


def test_once_there_is_pgvector_the_next_run_builds_the_index(
    settings: Settings, postgres: EmbeddedPostgres, database: Callable[[], str]
) -> None:
    dsn = database()
    used = Settings(**{**settings.model_dump(), "registry_dsn": dsn})
    catalogue(used, "2020-09-22", DRESS, BOLT)
    version = build(used, NAME, "2020-09-22")["version"]
    create_pgvector(postgres, dsn)
    assert steps.already_made(started(used, "2020-09-22"))
    assert serving_version(used) == version
    assert recall_told(used)[0] == [("error", True, "1.0")], "the warning is over"


# --- shards --------------------------------------------------------------------------------------------------------
