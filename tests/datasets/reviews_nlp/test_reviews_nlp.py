"""What golden cases cannot say of reviews_nlp: bytes, poison of the future, embeddings, checks that block."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.datasets.reviews_nlp.dataset import DATASET, EMBEDDINGS
from shopmill.datasets.reviews_nlp.texts import gap
from shopmill.embeddings.table import embedding_checks
from shopmill.engine.compose import compose
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.run import steps
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.text.cache import text_hash
from shopmill.versions.load import Version

AS_OF = datetime(2020, 9, 23, tzinfo=UTC)
WORDS = ("great", "awful", "soft", "warm", "dress", "coat", "gift", "colour")


def reviews(count: int) -> list[dict[str, Any]]:
    """Reviews with repeated words, ids, moments, foreign and unusable texts."""
    return [
        {
            "review_id": f"r{n * 7 % (count - 3)}",
            "customer_id": f"c{n % 5}",
            "article_id": f"{n % 4:04}",
            "rating": n % 7,
            "review_date": AS_OF - timedelta(hours=1 + n % 9),
            "review_text": None if n % 11 == 0 else " ".join(WORDS[(n // 2 * k) % 8] for k in range(1, 2 + n % 5)),
        }
        for n in range(count)
    ]


def fill(settings: Settings, rows: list[dict[str, Any]]) -> None:
    articles = [{"article_id": f"{n:04}", "index_group_name": f"g{n}"} for n in range(3)]
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": articles, "reviews": rows})


def build(settings: Settings) -> Published:
    parameters = {**LENIENT, "max_collapsed_share": 1}
    return steps.run_all(Run.create(datasets.load("reviews_nlp"), str(AS_OF.date()), settings, parameters))


def test_bytes_are_the_same_on_one_and_two_threads_and_whatever_the_future_brings(
    settings: Settings, tmp_path: Path
) -> None:
    future = [
        {**row, "review_date": AS_OF + timedelta(days=n), "review_text": "from the future", "rating": -9}
        for n, row in enumerate(reviews(30))
    ]
    versions = set()
    for threads, rows in ((1, reviews(120)), (2, reviews(120)[::-1]), (2, [*future, *reviews(120)])):
        fill(settings, rows)
        store = str(tmp_path / f"store{len(versions)}{len(rows)}{threads}")
        published = build(settings.model_copy(update={"threads": threads, "store": store}))
        versions.add(published.version)
        assert 0 < published.rejected < 120
    assert len(versions) == 1


def test_every_review_with_text_has_its_vector(settings: Settings) -> None:
    fill(settings, reviews(40))
    build(settings)
    version = Version("reviews_nlp", None, settings)
    texts = {row["review_id"]: row["text_clean"] for row in version.to_arrow().to_pylist() if row["text_clean"]}
    found = version.to_arrow("embeddings").to_pylist()
    assert [row["review_id"] for row in found] == list(texts)
    assert [row["text_hash"] for row in found] == [text_hash(text) for text in texts.values()]
    assert {len(row["embedding"]) for row in found} == {384}
    by_text = {texts[row["review_id"]]: row["embedding"] for row in found}
    assert all(row["embedding"] == by_text[texts[row["review_id"]]] for row in found)


@pytest.mark.parametrize(
    ("rating", "compound", "expected"), [(5, 1.0, 0.0), (1, 1.0, -2.0), (5, -1.0, 2.0), (4, 0.3, 0.2), (3, None, None)]
)
def test_the_gap_is_what_the_stars_say_beyond_the_words(
    rating: int, compound: float | None, expected: float | None
) -> None:
    assert gap(rating, compound) == expected


# --- the checks of every table of embeddings can fail --------------------------------------------------------------

GOOD = {"review_id": "a", "embedding": [0.6, 0.8], "text_hash": "1", "model_id": "m", "model_revision": "r", "dim": 2}
OTHER = {**GOOD, "review_id": "b", "embedding": [1.0, 0.0], "text_hash": "2"}
SPOILED = [
    ("unit vectors", {**OTHER, "embedding": [1.0, 0.0, 0.0]}),
    ("unit vectors", {**OTHER, "embedding": [1.0, 0.1]}),
    ("unit vectors", {**OTHER, "embedding": [float("nan"), 0.0]}),
    ("unit vectors", {**OTHER, "embedding": [float("inf"), 0.0]}),
    ("one model", {**OTHER, "model_revision": "s"}),
    ("no collapse", {**OTHER, "embedding": GOOD["embedding"]}),
    ("no collapse", {**OTHER, "text_hash": "1"}),
    ("something to embed", {**OTHER, "embedding": None}),
    ("", OTHER),
    ("", {**OTHER, "embedding": GOOD["embedding"], "text_hash": "1"}),
]


@pytest.mark.parametrize(("name", "row"), SPOILED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_spoiled_vector_fails_its_check(name: str, row: dict[str, Any], settings: Settings, tmp_path: Path) -> None:
    kinds = pa.schema(
        [("embedding", pa.list_(pa.float32())), ("dim", pa.int32())]
        + [(column, pa.string()) for column in ("review_id", "text_hash", "model_id", "model_revision")]
    )
    with DuckDBEngine(settings, tmp_path) as engine:
        engine.table("embeddings", pa.Table.from_pylist([GOOD, row], schema=kinds))
        bound = {"max_collapsed_share": 0.05}
        found = {
            check.name: engine.rows(compose(DATASET, DATASET.query(check)), bound)[0]["violations"]
            for check in embedding_checks(EMBEDDINGS)
        }
    assert [check for check, violations in found.items() if violations] == ([f"embeddings: {name}"] if name else [])
