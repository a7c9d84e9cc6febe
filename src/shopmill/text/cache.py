"""Vectors that are already known: (text hash, model revision, preprocessing) -> vector, in numbered Parquet files.

All vectors of one revision and preprocessing are one folder. Its files are only ever added, each under the next free
number, and never hold a text that a lower number holds. So a text's vector, once found, stays the same for ever, and
any number of writers may work at once.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopmill.errors import StoreError
from shopmill.text.encoder import Encoder, Progress, embedding_schema
from shopmill.text.strings import Texts, as_list

TEXTS_PER_FILE = 16_384  # what a killed run can lose, and about 25 MB


class Files(Protocol):
    """What is needed of a store; `shopmill.versions.store.Store` is one."""

    def keys(self, prefix: str) -> list[str]:
        """All keys below a folder, sorted."""
        ...

    def read(self, key: str) -> bytes:
        """The bytes under a key."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Put a key, whole, unless it is there already; say whether it did."""
        ...


@dataclass(frozen=True)
class Embedded:
    """One row per text, in order: `text_hash`, `embedding`, `n_tokens`, `was_truncated`; and what it took."""

    table: pa.Table
    encoded: int
    cached: int


def text_hash(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes in hex, as DuckDB's and PostgreSQL's `sha256` give it."""
    return hashlib.sha256(text.encode()).hexdigest()


def text_hashes(texts: Texts) -> pa.StringArray:
    """Hash a column; null stays null."""
    return pa.array([None if text is None else text_hash(text) for text in as_list(texts)], pa.string())


def folder_of(revision: str, preprocessing: str) -> str:
    """Name the folder of all vectors made by one revision with one preprocessing: 16 hex digits."""
    return hashlib.sha256(f"{revision}\n{preprocessing}".encode()).hexdigest()[:16]


def in_shard(hashes: pa.StringArray, index: int, count: int) -> pa.BooleanArray:
    """Mark the texts of shard `index` (0-based) of `count`; every text is in exactly one. Null is in none."""
    return pa.array([value is not None and int(value[:8], 16) % count == index for value in hashes.to_pylist()])


class EmbeddingCache:
    """The vectors of one model under `prefix` in a store."""

    def __init__(self, files: Files, encoder: Encoder, prefix: str = "embeddings") -> None:
        self._files = files
        self.schema = pa.schema([pa.field("text_hash", pa.string(), nullable=False), *embedding_schema(encoder.dim)])
        self.folder = f"{prefix}/{folder_of(encoder.model.revision, encoder.model.preprocessing)}"
        self._hashes_by_key: dict[str, pa.ChunkedArray[Any]] = {}  # files never change, so each is looked into once

    def find(self, hashes: "pa.StringArray | pa.ChunkedArray[Any]") -> pa.Table:
        """Return the rows that are known of these texts, each once, in no special order."""
        wanted = pc.unique(hashes)
        keys = [key for key in self._keys() if pc.any(pc.is_in(self._hashes_in(key), value_set=wanted)).as_py()]
        return pa.concat_tables(
            [self.schema.empty_table(), *(_only(self._read(key, self.schema), wanted) for key in keys)]
        )

    def missing(self, hashes: pa.StringArray) -> pa.StringArray:
        """Return the hashes that have no vector yet, each once, sorted."""
        distinct = pa.table({"text_hash": pc.unique(hashes.drop_null())})
        return _without(distinct, self._known(hashes)).sort_by("text_hash")["text_hash"].combine_chunks()

    def add(self, rows: pa.Table) -> None:
        """Append rows; those that another writer has added in between are left to that writer."""
        number = self._next_number()  # before looking: a file added while we look is met in the loop
        rows = _without(rows, self._known(rows["text_hash"]))
        while rows.num_rows and not self._create(self._key(number), rows.sort_by("text_hash")):
            rows = _without(rows, self._hashes_in(self._key(number)))
            number += 1

    def _create(self, key: str, rows: pa.Table) -> bool:
        is_ours = self._files.create(key, _parquet(rows))
        if is_ours:
            self._hashes_by_key[key] = rows["text_hash"]
        return is_ours

    def _keys(self) -> list[str]:
        return [key for key in self._files.keys(self.folder) if key.endswith(".parquet")]

    def _key(self, number: int) -> str:
        return f"{self.folder}/{number:08d}.parquet"

    def _next_number(self) -> int:
        numbers = [int(key.rsplit("/", 1)[-1].removesuffix(".parquet")) for key in self._keys()]
        return max(numbers, default=-1) + 1

    def _known(self, hashes: "pa.StringArray | pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
        wanted = pc.unique(hashes)
        found = [self._hashes_in(key) for key in self._keys()]
        known = [chunk.filter(pc.is_in(chunk, value_set=wanted)) for chunked in found for chunk in chunked.chunks]
        return pa.chunked_array(known, pa.string())

    def _hashes_in(self, key: str) -> "pa.ChunkedArray[Any]":
        if key not in self._hashes_by_key:
            self._hashes_by_key[key] = self._read(key, pa.schema([self.schema.field("text_hash")]))["text_hash"]
        return self._hashes_by_key[key]

    def _read(self, key: str, schema: pa.Schema) -> pa.Table:
        try:
            return pq.read_table(pa.BufferReader(self._files.read(key)), columns=schema.names).cast(schema)
        except (pa.ArrowException, ValueError) as error:
            raise StoreError(f"{key} is no file of embeddings ({error}): delete it, it will be made again.") from error


def embed(texts: Texts, encoder: Encoder, cache: EmbeddingCache, progress: Progress | None = None) -> Embedded:
    """Return the vectors of the texts, encoding only those that the cache does not hold, each text once.

    New vectors are added to the cache file by file, so that a killed run goes on where it was. A null text has no
    vector and 0 tokens. `progress(done, total)` counts the texts to encode.
    """
    values = as_list(texts)
    hashes = text_hashes(values)
    missing = cache.missing(hashes)
    text_of = dict(zip(hashes.to_pylist(), values, strict=True))
    for start in range(0, len(missing), TEXTS_PER_FILE):
        part = missing[start : start + TEXTS_PER_FILE]
        batch = encoder.encode([text_of[value] for value in part.to_pylist()], _shifted(progress, start, len(missing)))
        cache.add(pa.table([part, *batch.columns], schema=cache.schema))
    known = len(pc.unique(hashes.drop_null()))
    return Embedded(_aligned(hashes, cache.find(hashes)), encoded=len(missing), cached=known - len(missing))


def _aligned(hashes: pa.StringArray, found: pa.Table) -> pa.Table:
    place = pc.index_in(hashes, value_set=found["text_hash"].combine_chunks())
    rows = found.drop_columns("text_hash").combine_chunks().take(place)
    columns = [hashes, rows["embedding"], pc.fill_null(rows["n_tokens"], 0), pc.fill_null(rows["was_truncated"], False)]
    return pa.table(columns, names=["text_hash", *rows.column_names])


def _shifted(progress: Progress | None, start: int, total: int) -> Progress | None:
    return None if progress is None else lambda done, _: progress(start + done, total)


def _only(rows: pa.Table, wanted: "pa.Array[Any] | pa.ChunkedArray[Any]") -> pa.Table:
    return rows.filter(pc.is_in(rows["text_hash"], value_set=wanted))


def _without(rows: pa.Table, known: "pa.ChunkedArray[Any]") -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["text_hash"], value_set=known.combine_chunks())))


def _parquet(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd", use_dictionary=False)
    return bytes(sink.getvalue())
