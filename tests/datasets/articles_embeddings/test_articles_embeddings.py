"""What is made of a catalogue's texts, what is not made again, and which index answers."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop
from scipy import sparse

import shopmill
from shopmill import datasets, neighbours, steps
from shopmill.embeddings import embed_shard
from shopmill.errors import CheckFailedError, InvalidInputError
from shopmill.expectations import Exporter
from shopmill.reading import Dataset
from shopmill.registry import Registry
from shopmill.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.store import Store
from shopmill.text import index_search
from shopmill.text.cache import text_hash
from shopmill.text.index import current_index
from shopmill.versions import Versions

NAME = "articles_embeddings"
DRESS = {"article_id": "0003", "prod_name": "summer dress", "detail_desc": "light cotton, short sleeves"}
GOWN = {"article_id": "0001", "prod_name": "evening gown", "detail_desc": "long silk dress for a party"}
BOLT = {"article_id": "0002", "prod_name": "hex bolt", "detail_desc": "zinc plated steel, M8"}
NAMELESS = {"article_id": "0004"}


def give(settings: Settings, *articles: dict[str, Any], **tables: list[dict[str, Any]]) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": articles, **tables})


def computed(run: Run) -> dict[str, Any]:
    """The steps before the checks; gives the summaries of all of them together."""
    told: dict[str, Any] = {}
    for task in run.dataset.extracts:
        told |= steps.extract(run, task)
    for declared in run.dataset.tasks:
        told |= steps.transform(run, declared.name)
    return told


def build(settings: Settings, dataset: str, as_of: str, **parameters: Any) -> dict[str, Any]:
    """All steps; gives the summaries of all of them together."""
    run = Run.create(dataset, as_of, settings, {**LENIENT, **parameters})
    told = computed(run)
    steps.check(run)
    steps.publish(run)
    return told | steps.register(run)


def catalogue(settings: Settings, as_of: str, *articles: dict[str, Any]) -> dict[str, Any]:
    give(settings, *articles)
    return build(settings, "articles_content", as_of)


def rows(settings: Settings, as_of: str | None = None) -> dict[str, dict[str, Any]]:
    return {row["article_id"]: row for row in Dataset(NAME, as_of, settings).to_arrow().to_pylist()}


def test_every_active_article_has_the_vector_of_its_text(settings: Settings) -> None:
    catalogue(settings, "2020-09-21", DRESS, GOWN, BOLT)
    content = catalogue(settings, "2020-09-22", DRESS, BOLT, NAMELESS)
    summary = build(settings, NAME, "2020-09-22")
    assert (summary["status"], summary["texts_encoded"], summary["texts_cached"]) == ("published", 3, 0)
    found = rows(settings)
    assert list(found) == ["0002", "0003", "0004"], "0001 is no longer listed"
    assert found["0002"]["text_hash"] == text_hash("hex bolt. zinc plated steel, M8")
    assert [len(found[article]["embedding"]) for article in ("0002", "0003")] == [384, 384]
    assert np.linalg.norm(found["0003"]["embedding"]) == pytest.approx(1, abs=1e-6)
    nameless = found["0004"]
    assert (nameless["embedding"], nameless["n_tokens"], nameless["was_truncated"]) == (None, 0, False)
    [made_of] = Dataset(NAME, None, settings).manifest.content["inputs"].items()
    assert made_of == ("articles_content", {"as_of": "2020-09-22", "version": content["version"], "rows": 4})


def test_the_matrix_has_a_row_for_every_vector_in_the_same_order(settings: Settings) -> None:
    catalogue(settings, "2020-09-22", DRESS, GOWN, BOLT)
    build(settings, NAME, "2020-09-22", min_df=1)
    version = Dataset(NAME, None, settings)
    files = version.artifact("tfidf")
    matrix = sparse.load_npz(files["matrix.npz"])
    terms = pq.read_table(files["vocabulary.parquet"])["term"].to_pylist()
    assert pq.read_table(files["rows.parquet"])["article_id"].to_pylist() == list(rows(settings))
    assert matrix.shape == (3, len(terms))
    assert matrix.dtype == np.float32
    in_gown = matrix[0].toarray()[0]
    assert {term for term, weight in zip(terms, in_gown, strict=True) if weight} == {
        "evening", "gown", "long", "silk", "dress", "for", "party",
    }  # fmt: skip
    assert np.linalg.norm(in_gown) == pytest.approx(1, abs=1e-6)
    described = version.manifest.artifacts["tfidf"]["files"]
    assert [file["path"] for file in described] == [f"tfidf/{name}" for name in sorted(files)]
    with pytest.raises(InvalidInputError, match="no artifact 'idf'; it has tfidf"):
        version.artifact("idf")


def test_what_is_known_is_not_encoded_again(settings: Settings) -> None:
    catalogue(settings, "2020-09-21", DRESS, GOWN, BOLT)
    assert build(settings, NAME, "2020-09-21")["texts_encoded"] == 3
    again = build(settings, NAME, "2020-09-21")
    assert (again["status"], again["texts_encoded"], again["texts_cached"]) == ("unchanged", 0, 3)
    copy = {**GOWN, "article_id": "0009"}
    catalogue(settings, "2020-09-22", {**DRESS, "price": 9}, {**BOLT, "detail_desc": "brass, M8"}, GOWN, copy)
    later = build(settings, NAME, "2020-09-22")
    assert (later["texts_encoded"], later["texts_cached"]) == (1, 2)
    assert rows(settings)["0009"]["embedding"] == rows(settings)["0001"]["embedding"]


def test_reviews_and_articles_share_their_vectors(settings: Settings) -> None:
    catalogue(settings, "2020-09-22", BOLT, DRESS)
    build(settings, NAME, "2020-09-22")
    texts = ["hex bolt. zinc plated steel, M8", "A good bolt that holds."]
    reviews = [
        {"review_id": f"r{n}", "article_id": "0002", "rating": 4, "review_date": "2020-09-21", "review_text": text}
        for n, text in enumerate(texts)
    ]
    give(settings, BOLT, reviews=reviews)
    told = build(settings, "reviews_nlp", "2020-09-22", keep_unknown_articles=True)
    assert (told["texts_encoded"], told["texts_cached"]) == (1, 1)


def test_a_run_is_made_of_the_newest_version_that_is_not_after_it(settings: Settings) -> None:
    give(settings, DRESS)
    with pytest.raises(InvalidInputError, match="shopmill run articles_content --as-of 2020-09-22"):
        build(settings, NAME, "2020-09-22")
    catalogue(settings, "2020-09-20", DRESS)
    catalogue(settings, "2020-09-24", DRESS, GOWN)
    build(settings, NAME, "2020-09-22")
    build(settings, NAME, "2020-09-24")
    assert list(rows(settings, "2020-09-22")) == ["0003"]
    assert list(rows(settings, "2020-09-24")) == ["0001", "0003"]
    stale = {c["name"]: c["passed"] for c in Dataset(NAME, "2020-09-22", settings).manifest.beside["checks"]}
    assert stale["articles_content fresh"]
    build(settings, NAME, "2020-10-24")
    late = {c["name"]: c["detail"] for c in Dataset(NAME, "2020-10-24", settings).manifest.beside["checks"]}
    assert "30 days old" in late["articles_content fresh"]


def test_the_same_bytes_on_one_and_two_threads_and_with_or_without_the_cache(
    settings: Settings, tmp_path: Path
) -> None:
    give(settings, DRESS, GOWN, BOLT, {**GOWN, "article_id": "0005"})
    versions = set()
    for threads in (1, 2):
        used = settings.model_copy(update={"threads": threads, "store": str(tmp_path / f"store{threads}")})
        build(used, "articles_content", "2020-09-22")
        versions |= {build(used, NAME, "2020-09-22")["version"] for _ in range(2)}
    assert len(versions) == 1


def test_a_collapsed_model_publishes_nothing(settings: Settings) -> None:
    # The default model reads no case: to it these are the same.
    catalogue(settings, "2020-09-22", DRESS, {**DRESS, "article_id": "0009", "prod_name": "SUMMER DRESS"})
    with pytest.raises(CheckFailedError, match="1 different vectors for 2 different texts"):
        build(settings, NAME, "2020-09-22")
    with pytest.raises(InvalidInputError, match="no version"):
        Dataset(NAME, None, settings)


@pytest.mark.spark
def test_spark_gives_the_same_rows_and_files(
    settings: Settings, spark_settings: Mapping[str, Any], tmp_path: Path
) -> None:
    on_spark = settings.model_copy(update={**spark_settings, "store": str(tmp_path / "spark")})
    give(settings, DRESS, GOWN, BOLT, NAMELESS)
    made = []
    for used in (settings, on_spark):
        build(used, "articles_content", "2020-09-22")
        told = build(used, NAME, "2020-09-22", min_df=1)
        files = Dataset(NAME, None, used).artifact("tfidf")
        made.append((rows(used), {name: path.read_bytes() for name, path in files.items()}, told["texts_encoded"]))
    assert made[0] == made[1]


# --- once, not twice -----------------------------------------------------------------------------------------------


def started(settings: Settings, as_of: str, **parameters: Any) -> Run:
    run = Run.create(NAME, as_of, settings, {**LENIENT, **parameters})
    steps.extract(run, "load_artifact")
    return run


def test_a_second_run_of_the_same_texts_ends_at_its_first_task(settings: Settings) -> None:
    catalogue(settings, "2020-09-22", DRESS, GOWN)
    assert not steps.already_made(started(settings, "2020-09-22"))
    version = build(settings, NAME, "2020-09-22")["version"]
    again = started(settings, "2020-09-22")
    assert steps.already_made(again)
    newest, *_ = Registry(settings.registry_dsn.get_secret_value()).runs(NAME)
    assert (newest["run_id"], newest["status"], newest["version"]) == (again.run_id, "unchanged", version)
    assert not steps.already_made(started(settings, "2020-09-22", min_df=1)), "another parameter"
    assert not steps.already_made(started(settings, "2020-09-23")), "another as_of"
    other = settings.model_copy(update={"encoder_precision": "int8"})
    assert not steps.already_made(started(other, "2020-09-22")), "another encoder"
    catalogue(settings, "2020-09-22", {**DRESS, "prod_name": "winter dress"}, GOWN)
    catalogue_again = Run.create("articles_content", "2020-09-22", settings, LENIENT, refresh=True)
    steps.run_all(catalogue_again)
    assert not steps.already_made(started(settings, "2020-09-22")), "another version of the texts"


def test_an_event_gives_its_as_of() -> None:
    tasks = pytest.importorskip("shopmill.airflow.tasks")
    events = [SimpleNamespace(extra={"as_of": as_of}) for as_of in ("2020-09-21", "2020-09-23", "2020-09-22")]
    assert tasks.announced_as_of({"articles_texts": events}) == "2020-09-23"
    assert tasks.announced_as_of({}) is None


# --- the index -----------------------------------------------------------------------------------------------------


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
    return [recall_in(newest["checks"]), recall_in(Dataset(NAME, None, settings).manifest.beside["checks"])]


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
    exporter = Exporter(datasets.load(NAME), Dataset(NAME, None, indexed).manifest, None, indexed)
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
    past = Run.create(NAME, "2020-09-20", indexed, LENIENT)
    computed(past)
    steps.check(past)
    assert index_tables(indexed) == [f"articles_{newest}"], "nothing is built for it"
    steps.publish(past)
    assert steps.register(past)["status"] == "published"
    assert recall_in(Dataset(NAME, "2020-09-20", indexed).manifest.beside["checks"]) == []
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
    assert Dataset(NAME, None, indexed).version == serving_version(indexed) == before
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
    killed = Run.create(NAME, "2020-09-22", indexed, LENIENT)
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
    killed = Run.create(NAME, "2020-09-22", indexed, LENIENT)
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
    run = Run.create(NAME, "2020-09-22", indexed, LENIENT)
    computed(run)
    steps.check(run)
    steps.publish(run)
    change(indexed, f"drop table shopmill.{index_tables(indexed)[0]}")
    version = steps.register(run)["version"]
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
    assert (summary["status"], summary["warned"]) == ("published", ["recall@10"])
    assert "CREATE EXTENSION vector" in caplog.text
    [(severity, passed, detail)] = recall_told(settings)[1]
    assert (severity, passed) == ("warn", False)
    assert "CREATE EXTENSION vector" in detail
    with pytest.raises(InvalidInputError, match="There is no index articles yet"):
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


def test_shards_encode_every_text_once(settings: Settings, tmp_path: Path) -> None:
    texts = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"text": [f"dress number {n}" for n in range(20)] * 2}), texts)
    target = settings.store
    done = [embed_shard(str(texts), target, f"{n}/3", settings) for n in range(3)]
    assert sum(encoded for encoded, _ in done) == 20
    assert all(encoded for encoded, _ in done)
    assert [embed_shard(str(texts), target, f"{n}/3", settings)[0] for n in range(3)] == [0, 0, 0]
    for wrong in ("3/3", "1", "-1/3", "a/b"):
        with pytest.raises(InvalidInputError, match="not of the form i/n"):
            embed_shard(str(texts), target, wrong, settings)
    with pytest.raises(InvalidInputError, match=r"no file .*none\.parquet"):
        embed_shard(str(tmp_path / "none.parquet"), target, "0/1", settings)
