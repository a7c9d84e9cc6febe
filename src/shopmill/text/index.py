"""The vector index in PostgreSQL (pgvector): built beside the one that serves, then put in its place.

Everything is one transaction: the new table, its HNSW index, the measured recall, the change of the view that readers
use, the end of the old table. Readers see the old index until the commit and the new one after it; a build that is
killed or found wanting leaves nothing behind.

Items with equal vectors share a row. A catalogue repeats its texts (92,331 products of a real shop have 4,832), and an
HNSW graph loses its way among many equal points: the same catalogue, a row per product, had a recall of 0.89.
"""

import json
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
from psycopg import errors, sql

from shopmill.errors import CheckFailedError, ConflictError, InvalidInputError

SCHEMA = "shopmill"
HNSW = sql.SQL("m = 16, ef_construction = 64")
BUILD_MEMORY = "512MB"  # PostgreSQL's own default of 64 MB makes the build of 100,000 vectors several times slower
LEAST_CANDIDATES, MOST_CANDIDATES = (
    100,
    1000,
)  # hnsw.ef_search: how many items a search weighs; 1,000 is pgvector's limit
MOST_NEIGHBOURS = 500
RECALL_NEIGHBOURS = 10
RECALL_QUERIES = 200
TIE = 1e-6  # two vectors as near as this are equally good answers
TEXT_OID = 25

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class IndexReport:
    """What an index holds (`rows` are items), and which share of the true ten nearest vectors it finds."""

    version: str
    rows: int
    dim: int
    recall_at_10: float


@dataclass(frozen=True)
class Neighbour:
    """An item and its cosine similarity to what was asked for, in [-1, 1]."""

    id: str
    similarity: float


def publish_index(
    connection: psycopg.Connection[Any],
    name: str,
    version: str,
    ids: Sequence[str],
    embeddings: "pa.FixedSizeListArray[Any, Any]",
    *,
    least_recall: float = 0.95,
) -> IndexReport:
    """Build the index `name` for a version and put it in the place of the serving one; nothing to do if it serves.

    `embeddings` are unit vectors, one per id; items whose vector is null are left out. Raises CheckFailedError below
    `least_recall` and ConflictError when the index is being built already; the old index then goes on serving.
    """
    if (serving := current_index(connection, name)) and serving.version == version:
        return serving
    groups, vectors = _distinct(ids, embeddings)
    with connection.transaction():
        _prepare(connection, name)
        _build(connection, _table(name, version), groups, vectors)
        recall = _recall(connection, _table(name, version), groups, vectors)
        report = IndexReport(version, sum(map(len, groups)), vectors.shape[1], recall)
        if report.recall_at_10 < least_recall:
            raise CheckFailedError(
                f"Index {name} {version} finds only {report.recall_at_10:.3f} of the ten nearest (at least "
                f"{least_recall} wanted): the old index stays. Look for collapsed vectors, or lower the parameter."
            )
        _swap(connection, name, report)
    return report


def current_index(connection: psycopg.Connection[Any], name: str) -> IndexReport | None:
    """Return the report of the serving index, or None before the first."""
    question = "SELECT obj_description(to_regclass(%s), 'pg_class')"
    row = connection.execute(question, [_view(name).as_string(connection)]).fetchone()
    return IndexReport(**json.loads(row[0])) if row and row[0] else None


def search(connection: psycopg.Connection[Any], name: str, vector: Sequence[float], k: int = 10) -> list[Neighbour]:
    """Return the `k` items nearest to a vector, the nearest first."""
    _check_number(k)
    try:
        with connection.transaction():
            return _items(_nearest(connection, _view(name), vector, k))[:k]
    except errors.UndefinedTable as error:
        raise InvalidInputError(f"There is no index {name} yet: run the DAG that builds it.") from error


def similar(connection: psycopg.Connection[Any], name: str, item: str, k: int = 10) -> list[Neighbour]:
    """Return the `k` items nearest to an item, without the item itself."""
    _check_number(k)
    question = sql.SQL("SELECT embedding::real[] FROM {} WHERE ids @> ARRAY[%s]").format(_view(name))
    try:
        with connection.transaction():
            row = connection.execute(question, [item]).fetchone()
            found = _items(_nearest(connection, _view(name), row[0], k + 1)) if row else []
    except errors.UndefinedTable as error:
        raise InvalidInputError(f"There is no index {name} yet: run the DAG that builds it.") from error
    if not row:
        raise InvalidInputError(f"{item} is not in the index {name}: it is unknown, inactive, or has no text.")
    return [neighbour for neighbour in found if neighbour.id != item][:k]


def _check_number(k: int) -> None:
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise InvalidInputError(f"k must be 1 to {MOST_NEIGHBOURS}, not {k}.")


def _view(name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, name)


def _table(name: str, version: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, f"{name}_{version}")


def _items(groups: list[tuple[list[str], float]]) -> list[Neighbour]:
    neighbours = [Neighbour(item, similarity) for ids, similarity in groups for item in ids]
    return sorted(neighbours, key=lambda neighbour: (-neighbour.similarity, neighbour.id))


def _distinct(ids: Sequence[str], embeddings: "pa.FixedSizeListArray[Any, Any]") -> tuple[list[list[str]], Vectors]:
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


def _prepare(connection: psycopg.Connection[Any], name: str) -> None:
    """Be the only builder of this index, and have pgvector and the schema."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"{SCHEMA}.{name}"]).fetchone()
    if not (row and row[0]):
        raise ConflictError(f"Index {name} is being built by another run: wait for it, then try again.")
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except (errors.FeatureNotSupported, errors.UndefinedFile, errors.InsufficientPrivilege) as error:
        raise InvalidInputError(
            "This database has no pgvector: install it and run CREATE EXTENSION vector as an administrator."
        ) from error
    if connection.execute("SELECT to_regnamespace(%s) IS NULL", [SCHEMA]).fetchone() == (True,):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))


def _build(
    connection: psycopg.Connection[Any], table: sql.Identifier, groups: list[list[str]], vectors: Vectors
) -> None:
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


def _binary_rows(groups: list[list[str]], vectors: Vectors) -> Iterator[bytes]:
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


def _recall(
    connection: psycopg.Connection[Any], table: sql.Identifier, groups: list[list[str]], vectors: Vectors
) -> float:
    """Measure the share of the true nearest that the index finds, on a seeded sample of the vectors themselves."""
    k = min(RECALL_NEIGHBOURS, len(groups))
    row_of = {ids[0]: row for row, ids in enumerate(groups)}
    sample = random.Random(0).sample(range(len(groups)), min(RECALL_QUERIES, len(groups)))
    hits = 0
    for row in sample:
        exact = vectors @ vectors[row]
        worst = np.partition(exact, -k)[-k] - TIE
        found = _nearest(connection, table, vectors[row].tolist(), k)
        hits += sum(bool(exact[row_of[ids[0]]] >= worst) for ids, _ in found)
    return round(hits / (k * len(sample)), 4) if sample else 1.0


def _nearest(
    connection: psycopg.Connection[Any], source: sql.Identifier, vector: Sequence[float], k: int
) -> list[tuple[list[str], float]]:
    """Return the items and similarity of the `k` nearest vectors; inside a transaction, which bounds the setting."""
    width = str(min(max(LEAST_CANDIDATES, 2 * k), MOST_CANDIDATES))
    connection.execute("SELECT set_config('hnsw.ef_search', %s, true)", [width])
    question = sql.SQL(
        "SELECT ids, 1 - (embedding <=> %(v)s::vector) FROM {} ORDER BY embedding <=> %(v)s::vector LIMIT %(k)s"
    )
    return connection.execute(question.format(source), {"v": str(list(vector)), "k": k}).fetchall()


def _swap(connection: psycopg.Connection[Any], name: str, report: IndexReport) -> None:
    """Let the view show the new table, and drop every older table of this index."""
    view, table = _view(name), _table(name, report.version)
    old = _tables_behind(connection, view)
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    connection.execute(sql.SQL("CREATE VIEW {} AS SELECT ids, embedding FROM {}").format(view, table))
    comment = sql.Literal(json.dumps(asdict(report)))
    connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(view, comment))
    for schema, dropped in old:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, dropped)))


def _tables_behind(connection: psycopg.Connection[Any], view: sql.Identifier) -> list[tuple[str, str]]:
    question = (
        "SELECT DISTINCT n.nspname, t.relname FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid "
        "JOIN pg_class t ON t.oid = d.refobjid AND t.relkind = 'r' JOIN pg_namespace n ON n.oid = t.relnamespace "
        "WHERE r.ev_class = to_regclass(%s)"
    )
    return connection.execute(question, [view.as_string(connection)]).fetchall()
