"""The vectors that are searched: of different texts of the synthetic shop's articles, by the product's own encoder."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.shop import make_tables
from shopmill.datasets.articles_content.dataset import CONTENT_COLUMNS
from shopmill.shops.synthetic import ARTICLES
from shopmill.text.model import Precision

Vectors = npt.NDArray[np.float32]
SPARE = 1.05
"""So many times as many articles are made as texts are needed, for some say the same."""
LEAST_SPARE = 100
PRECISION: Precision = "int8"
"""As the demo encodes: half of the time. What counts here is how the vectors lie, which is that of fp32 (cosine 0.992)."""


@dataclass(frozen=True)
class Searched:
    """The vectors of an index, and those that it is asked for. No vector of a query is in the index."""

    items: Vectors
    queries: Vectors

    def first(self, count: int) -> "Searched":
        """The same queries of a smaller index."""
        return Searched(self.items[:count], self.queries)


def encoded(vectors: int, queries: int, folder: Path) -> Searched:
    """Vectors of so many different texts; a seeded sample of them are the queries. What is encoded once is kept in `folder`."""
    texts = different_texts(vectors + queries, folder)
    found = _vectors(texts, folder)
    asked = set(random.Random(0).sample(range(len(texts)), queries))
    return Searched(found[[i for i in range(len(texts)) if i not in asked]], found[sorted(asked)])


def different_texts(count: int, folder: Path) -> list[str]:
    """The first different texts of a shop, as articles_content puts them together."""
    import duckdb

    scale = (count * SPARE + LEAST_SPARE) / ARTICLES
    shop = folder / f"shop-of-{count}-texts"
    make_tables(shop, scale, ("articles",))
    text = f"concat_ws('. ', {', '.join(CONTENT_COLUMNS)})"
    found = duckdb.execute(
        f"select {text} as content_text from '{shop}/whole/articles.parquet' group by content_text order by min(article_id) "
        f"limit {count}"
    ).fetchall()
    assert len(found) == count, f"{len(found)} different texts, {count} are wanted"
    return [row[0] for row in found]


def _vectors(texts: Iterable[str], folder: Path) -> Vectors:
    import pyarrow as pa

    from shopmill.text.cache import EmbeddingCache, embed
    from shopmill.text.encoder import Encoder
    from shopmill.text.model import find_model
    from shopmill.versions.store import Store

    encoder = Encoder(find_model(cache=folder / "model", precision=PRECISION))
    found = embed(pa.array(texts, pa.string()), encoder, EmbeddingCache(Store(str(folder / "vectors")), encoder))
    flat = found.table["embedding"].combine_chunks().flatten()
    return np.asarray(flat, dtype=np.float32).reshape(-1, encoder.dim)
