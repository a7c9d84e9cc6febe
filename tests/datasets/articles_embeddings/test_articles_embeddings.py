"""What is made of a catalogue's texts, and what is not made again."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from embeddings_runs import BOLT, DRESS, GOWN, NAME, NAMELESS, build, catalogue, give, rows, started
from golden import LENIENT
from scipy import sparse

from rewritten import rewrite
from shopmill import datasets
from shopmill.embeddings.embeddings import embed_shard
from shopmill.errors import CheckFailedError, InvalidInputError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.text.cache import text_hash
from shopmill.versions.load import Version


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
    [made_of] = Version(NAME, None, settings).manifest.content["inputs"].items()
    assert made_of == ("articles_content", {"as_of": "2020-09-22", "version": content["version"], "rows": 4})


def test_the_matrix_has_a_row_for_every_vector_in_the_same_order(settings: Settings) -> None:
    catalogue(settings, "2020-09-22", DRESS, GOWN, BOLT)
    build(settings, NAME, "2020-09-22", min_df=1)
    version = Version(NAME, None, settings)
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


def test_a_matrix_whose_code_has_changed_is_made_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It was once called unchanged, until the package had a new number."""
    catalogue(settings, "2020-09-21", DRESS, GOWN, BOLT)
    first = build(settings, NAME, "2020-09-21")
    rewrite(monkeypatch, tmp_path, "text/tfidf.py")
    again = build(settings, NAME, "2020-09-21")
    assert (again["status"], again["texts_encoded"]) == ("published", 0)
    assert again["version"] != first["version"]


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
    stale = {c["name"]: c["passed"] for c in Version(NAME, "2020-09-22", settings).manifest.beside["checks"]}
    assert stale["articles_content fresh"]
    build(settings, NAME, "2020-10-24")
    late = {c["name"]: c["detail"] for c in Version(NAME, "2020-10-24", settings).manifest.beside["checks"]}
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
        Version(NAME, None, settings)


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
        files = Version(NAME, None, used).artifact("tfidf")
        made.append((rows(used), {name: path.read_bytes() for name, path in files.items()}, told["texts_encoded"]))
    assert made[0] == made[1]


# --- once, not twice -----------------------------------------------------------------------------------------------


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
    catalogue_again = Run.create(datasets.load("articles_content"), "2020-09-22", settings, LENIENT, refresh=True)
    steps.run_all(catalogue_again)
    assert not steps.already_made(started(settings, "2020-09-22")), "another version of the texts"


def test_an_event_gives_its_as_of() -> None:
    run_as_of = pytest.importorskip("shopmill.airflow.run_as_of")
    events = [SimpleNamespace(extra={"as_of": as_of}) for as_of in ("2020-09-21", "2020-09-23", "2020-09-22")]
    assert run_as_of.announced_as_of({"articles_texts": events}) == "2020-09-23"
    assert run_as_of.announced_as_of({}) is None


# --- the index -----------------------------------------------------------------------------------------------------


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
