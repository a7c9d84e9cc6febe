"""Runs of articles_embeddings on a small catalogue."""

from typing import Any

from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.load import Version

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
    run = Run.create(datasets.load(dataset), as_of, settings, {**LENIENT, **parameters})
    told = computed(run)
    steps.check(run)
    steps.publish(run)
    return told | steps.register(run).document()


def catalogue(settings: Settings, as_of: str, *articles: dict[str, Any]) -> dict[str, Any]:
    give(settings, *articles)
    return build(settings, "articles_content", as_of)


def rows(settings: Settings, as_of: str | None = None) -> dict[str, dict[str, Any]]:
    return {row["article_id"]: row for row in Version(NAME, as_of, settings).to_arrow().to_pylist()}


def started(settings: Settings, as_of: str, **parameters: Any) -> Run:
    run = Run.create(datasets.load(NAME), as_of, settings, {**LENIENT, **parameters})
    steps.extract(run, "load_artifact")
    return run
