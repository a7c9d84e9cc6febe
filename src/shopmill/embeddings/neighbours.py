"""Articles like another one or like a text, from the vector index of the current version of articles_embeddings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopmill.connection_string import conninfo
from shopmill.embeddings.embeddings import open_encoder
from shopmill.errors import InvalidInputError, RegistryError
from shopmill.settings import Settings, load_settings
from shopmill.text import index_search
from shopmill.text.index import current_index
from shopmill.text.index_search import Group, Neighbour
from shopmill.versions.load import Version

INDEX = "articles"
MOST_COMPARED = 200_000
"""Articles up to which a person's question is answered exactly, without the index: in a fraction of a second."""


def similar(article_id: str, k: int = 10, settings: Settings | None = None) -> list[Neighbour]:
    """The `k` articles nearest to an article, the nearest first; InvalidInputError when the index has no such article."""
    with connect(settings or load_settings()) as connection:
        return index_search.similar(connection, INDEX, article_id, k)


def search(text: str, k: int = 10, settings: Settings | None = None) -> list[Neighbour]:
    """The `k` articles nearest to a text, the nearest first; InvalidInputError for an empty one."""
    used = settings or load_settings()
    vector = _vector(text, used)
    with connect(used) as connection:
        return index_search.search(connection, INDEX, vector, k)


def similar_groups(article_id: str, k: int, settings: Settings) -> list[Group]:
    """The articles of the `k` other texts nearest to an article's, exactly; before them the others of its own text."""
    with connect(settings) as connection:
        return index_search.similar_groups(connection, INDEX, article_id, k, exact=_is_small(connection))


def search_groups(text: str, k: int, settings: Settings) -> list[Group]:
    """The articles of the `k` texts nearest to a text, exactly; InvalidInputError for an empty one."""
    vector = _vector(text, settings)
    with connect(settings) as connection:
        return index_search.search_groups(connection, INDEX, vector, k, exact=_is_small(connection))


def _is_small(connection: psycopg.Connection[Any]) -> bool:
    """Whether comparing every vector takes no longer than a person would notice."""
    report = current_index(connection, INDEX)
    return report is not None and report.rows <= MOST_COMPARED


def _vector(text: str, settings: Settings) -> list[float]:
    encoder = open_encoder(settings)
    vector: list[float] | None = encoder.encode([text])["embedding"][0].as_py()
    if vector is None:
        raise InvalidInputError("There is nothing to search for: the text is empty.")
    _same_model(encoder.model.model_id, encoder.model.revision, settings)
    return vector


def texts_of(article_ids: Sequence[str], settings: Settings) -> dict[str, str]:
    """What the current version of articles_content says of these articles; nothing where there is no version."""
    try:
        files = Version("articles_content", None, settings).files("articles")
    except InvalidInputError:
        return {}
    wanted = pc.field("article_id").isin(list(article_ids))
    found = pq.read_table(files, columns=["article_id", "content_text"], filters=wanted, partitioning=None)
    return dict(zip(found["article_id"].to_pylist(), found["content_text"].to_pylist(), strict=True))


def _same_model(model_id: str, revision: str, settings: Settings) -> None:
    """A vector says nothing among those of another model."""
    file = Version("articles_embeddings", None, settings).files("bert")[0]
    row = next(pq.ParquetFile(file).iter_batches(1, columns=["model_id", "model_revision"])).to_pylist()[0]
    if (row["model_id"], row["model_revision"]) != (model_id, revision):
        raise InvalidInputError(
            f"The index was made with {row['model_id']} ({row['model_revision']}), and SHOPMILL_ENCODER is {model_id} "
            f"({revision}): set it to the same model, or run articles_embeddings again."
        )


@contextmanager
def connect(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database that holds the index: the registry's."""
    dsn = settings.registry_dsn.get_secret_value()
    if not dsn:
        raise InvalidInputError("The vector index is in the registry's database: give SHOPMILL_REGISTRY_DSN.")
    try:
        connection = psycopg.connect(
            conninfo(
                dsn, "SHOPMILL_REGISTRY_DSN", connect_timeout=10, application_name="shopmill", client_encoding="UTF8"
            ),
            autocommit=True,
            prepare_threshold=None,  # behind a pooler the next transaction is in another session, which lacks it
        )
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise RegistryError(f"The vector index does not answer: {reason}. Check SHOPMILL_REGISTRY_DSN.") from None
    with connection:
        yield connection
