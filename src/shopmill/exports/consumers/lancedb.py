"""LanceDB: a table with a vector column, for `lancedb.connect(FOLDER).open_table("<dataset>")`.

The vector is `vector`, fixed_size_list<float>[dim], which LanceDB searches by itself; the other columns are those of the
version, and with a version of articles_content at this as_of or before also the text of the article.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shopmill.exports.consumer import Consumer
from shopmill.exports.source import Source
from shopmill.exports.vectors import TABLES, Vectors

if TYPE_CHECKING:
    import pyarrow as pa


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Streams the rows in."""
    import lancedb

    vectors = Vectors.of(source)
    query = f"select * exclude embedding, embedding as vector from ({vectors.query}) as vectors order by {vectors.key}"
    if source.manifest.dataset == "articles_embeddings" and source.beside(
        "articles_content", "articles", "article_id", "content_text"
    ):
        query = f"""
            select vectors.*, content_text as text
            from ({query}) as vectors
            left join articles_content__articles using (article_id)
            order by article_id
        """
    reader = source.connection.sql(query).to_arrow_reader(10_000)
    lancedb.connect(str(folder)).create_table(source.manifest.dataset, data=_batches(reader), schema=reader.schema)
    return {f"{source.manifest.dataset}.lance": vectors.count}


def _batches(reader: "pa.RecordBatchReader") -> "Iterator[pa.RecordBatch]":
    yield from reader


CONSUMER = Consumer(
    name="lancedb",
    loads="a table of vectors with their texts",
    writes=dict.fromkeys(TABLES, write),
    packages=("lancedb",),
)
