"""What is left for others to encode: the texts without a vector, each once, in the store."""

from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.embeddings.embeddings import embed_shard
from shopmill.embeddings.missing_texts import leave_missing_texts
from shopmill.errors import InvalidInputError
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.store import Store

TASK = "bert_embeddings"


def articles(*names: str) -> list[dict[str, Any]]:
    return [{"article_id": f"{number:04d}", "prod_name": name} for number, name in enumerate(names)]


def started(settings: Settings, *names: str, as_of: str = "2020-09-22") -> Run:
    """A run of articles_embeddings whose next task is that of the vectors."""
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": articles(*names)})
    steps.run_all(Run.create(datasets.load("articles_content"), as_of, settings, LENIENT))
    run = Run.create(datasets.load("articles_embeddings"), as_of, settings, {**LENIENT, "max_collapsed_share": 1})
    steps.extract(run, "load_artifact")
    steps.transform(run, "tfidf")
    return run


def test_what_is_left_is_what_the_task_needs_and_the_cache_lacks(settings: Settings, s3_store: str) -> None:
    on_s3 = settings.model_copy(update={"store": s3_store})
    run = started(on_s3, "summer dress", "hex bolt", "hex bolt", "evening gown")
    source, texts = leave_missing_texts(run, TASK)
    assert texts == 3
    assert source.startswith(f"{s3_store}/staging/articles_embeddings/")
    assert sum(embed_shard(source, s3_store, f"{shard}/2", on_s3)[0] for shard in range(2)) == 3

    assert leave_missing_texts(run, TASK)[1] == 0
    told = steps.transform(run, TASK)
    assert (told["texts_encoded"], told["texts_cached"]) == (0, 3)
    steps.check(run)
    steps.publish(run)
    steps.register(run)
    assert Store(s3_store).keys(run.staging.folder) == [], "the texts are gone with the run's other work"


def test_only_new_texts_are_left(settings: Settings) -> None:
    run = started(settings, "summer dress", "hex bolt")
    embed_shard(leave_missing_texts(run, TASK)[0], settings.store, "0/1", settings)
    later = started(settings, "summer dress", "hex bolt", "evening gown", as_of="2020-09-23")
    source, texts = leave_missing_texts(later, TASK)
    assert texts == 1
    assert pq.read_table(source)["text"].to_pylist() == ["evening gown"]


def test_a_failure_is_in_the_registry(settings: Settings) -> None:
    run = started(settings, "summer dress")
    lost = replace(run, settings=settings.model_copy(update={"encoder": "/no/such/model"}))
    with pytest.raises(Exception, match="no/such/model"):
        leave_missing_texts(lost, TASK)
    newest, *_ = Registry(settings.registry_dsn.get_secret_value()).runs("articles_embeddings")
    assert newest["status"] == "failed"
    assert "no/such/model" in newest["error"]


def test_a_file_in_a_store_that_is_not_there_is_named(settings: Settings, s3_store: str) -> None:
    with pytest.raises(InvalidInputError, match="There is no file s3://"):
        embed_shard(f"{s3_store}/texts.parquet", s3_store, "0/1", settings)
