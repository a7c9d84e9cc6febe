"""The tables that hold vectors, for indexes: which they are, and their rows as a stream of one width."""

from collections.abc import Iterator
from dataclasses import dataclass

from shopmill.errors import InvalidInputError
from shopmill.exports.source import Source

TABLES = {"articles_embeddings": ("bert", "article_id"), "reviews_nlp": ("embeddings", "review_id")}
"""By dataset: the table, and what a row is a vector of."""


@dataclass(frozen=True)
class Vectors:
    """The vectors of one version."""

    source: Source
    table: str
    key: str
    dim: int

    @classmethod
    def of(cls, source: Source) -> "Vectors":
        """The vectors of a version; InvalidInputError where there is none."""
        table, key = TABLES[source.manifest.dataset]
        source.need(table)
        dim = source.value(f"select max(len(embedding)) from {table}")
        if dim is None:
            raise InvalidInputError(f"{source.manifest.dataset} as of {source.version.as_of} has no vector to export.")
        return cls(source, table, key, int(dim))

    @property
    def query(self) -> str:
        """Key, vector and what belongs to it, in the order of the key."""
        return f"select * replace (cast(embedding as float[{self.dim}]) as embedding) from {self.table} order by {self.key}"

    @property
    def count(self) -> int:
        """How many there are."""
        return self.source.manifest.rows(self.table)

    def matrices(self) -> "Iterator[object]":
        """float32 matrices, one after another, together in the order of the key."""
        import numpy as np

        query = f"select cast(embedding as float[{self.dim}]) as embedding from {self.table} order by {self.key}"
        for batch in self.source.batches(query):
            flat = batch.column(0).flatten().to_numpy(zero_copy_only=False)
            yield np.ascontiguousarray(flat, dtype=np.float32).reshape(batch.num_rows, self.dim)
