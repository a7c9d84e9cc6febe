"""The table of a vector index: filled, given its HNSW index, and measured. Which table serves is the matter of index.py.

Items with equal vectors share a row. A catalogue repeats its texts (92,331 products of a real shop have 4,832), and an
HNSW graph loses its way among many equal points: the same catalogue, a row per product, had a recall of 0.89.
"""

import random
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
from psycopg import sql

from shopmill.errors import InvalidInputError
from shopmill.text.index_search import nearest

HNSW = sql.SQL("m = 16, ef_construction = 200")
"""With 64, pgvector's default, a search of 105,542 texts of a shop found 98 % of the ten nearest, however wide; with 200 all."""
BUILD_MEMORY = "512MB"  # PostgreSQL's own default of 64 MB makes the build of 100,000 vectors several times slower
RECALL_NEIGHBOURS = 10
RECALL_QUERIES = 200
TIE = 1e-6  # two vectors as near as this are equally good answers
TEXT_OID = 25

Vectors = npt.NDArray[np.float32]
Groups = list[list[str]]
"""The items that share a vector, for each vector."""


def distinct(ids: Sequence[str], embeddings: "pa.FixedSizeListArray[Any, Any]") -> tuple[Groups, Vectors]:
    """Return the different vectors in order of appearance, and the items of each."""
    if len(ids) != len(embeddings):
        raise InvalidInputError(f"An index needs one vector per id, not {len(embeddings)} vectors for {len(ids)} ids.")
    kept = [item for item, vector in zip(ids, embeddings.is_valid().to_pylist(), strict=True) if vector]
    vectors = np.asarray(embeddings.drop_null().flatten(), dtype=np.float32).reshape(-1, embeddings.type.list_size)
    groups: dict[bytes, list[str]] = {}
    for item, vector in zip(kept, vectors, strict=True):
        groups.setdefault(vector.tobytes(), []).append(item)
    different = np.frombuffer(b"".join(groups), dtype=np.float32).reshape(-1, vectors.shape[1])
    return list(groups.values()), different


def build_table(connection: psycopg.Connection[Any], table: sql.Identifier, groups: Groups, vectors: Vectors) -> None:
    """Make the table and its indexes."""
    columns = sql.SQL("CREATE TABLE {} (ids text[] NOT NULL, embedding vector({}) NOT NULL)")
    connection.execute(columns.format(table, sql.Literal(vectors.shape[1])))
    copy_in = sql.SQL("COPY {} (ids, embedding) FROM STDIN (FORMAT binary)").format(table)
    with connection.cursor().copy(copy_in) as copy:
        for chunk in _binary_rows(groups, vectors):
            copy.write(chunk)
    connection.execute("SELECT set_config('maintenance_work_mem', %s, true)", [BUILD_MEMORY])
    hnsw = sql.SQL("CREATE INDEX ON {} USING hnsw (embedding vector_cosine_ops) WITH ({})")
    connection.execute(hnsw.format(table, HNSW))
    connection.execute(sql.SQL("CREATE INDEX ON {} USING gin (ids)").format(table))
    connection.execute(sql.SQL("ANALYZE {}").format(table))


def _binary_rows(groups: Groups, vectors: Vectors) -> Iterator[bytes]:
    """PostgreSQL's binary COPY: per row the number of fields, then each field's length and bytes."""
    dim = vectors.shape[1]
    head = struct.pack("!ihh", 4 + 4 * dim, dim, 0)  # a vector is its dimension, a spare, and big-endian floats
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for ids, vector in zip(groups, vectors.astype(">f4"), strict=True):
        array = _binary_array(ids)
        yield struct.pack("!hi", 2, len(array)) + array + head + vector.tobytes()
    yield struct.pack("!h", -1)


def _binary_array(ids: list[str]) -> bytes:
    """A text[]: one dimension, no nulls, the elements' type, how many from 1 on, then each with its length."""
    keys = [item.encode() for item in ids]
    elements = b"".join(struct.pack("!i", len(key)) + key for key in keys)
    return struct.pack("!iiiii", 1, 0, TEXT_OID, len(keys), 1) + elements


def measure_recall(
    connection: psycopg.Connection[Any], table: sql.Identifier, groups: Groups, vectors: Vectors
) -> float:
    """Measure the share of the true nearest that the index finds, on a seeded sample of the vectors themselves."""
    k = min(RECALL_NEIGHBOURS, len(groups))
    row_of = {ids[0]: row for row, ids in enumerate(groups)}
    sample = random.Random(0).sample(range(len(groups)), min(RECALL_QUERIES, len(groups)))
    hits = 0
    for row in sample:
        exact = vectors @ vectors[row]
        worst = np.partition(exact, -k)[-k] - TIE
        found = nearest(connection, table, vectors[row].tolist(), k)
        hits += sum(bool(exact[row_of[ids[0]]] >= worst) for ids, _ in found)
    return round(hits / (k * len(sample)), 4) if sample else 1.0
