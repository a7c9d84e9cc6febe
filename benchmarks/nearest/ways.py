"""Ways to the ten nearest vectors, each as its own documentation recommends it. They import what they need inside."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import psycopg

Vectors = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float32]
K = 10
NAME = "articles"


@dataclass(frozen=True)
class Job:
    """What a way is given: the vectors to search, an empty folder, and a database with pgvector."""

    items: Vectors
    folder: Path
    dsn: str = ""
    server: int = 0
    """The database's first process, of which all others are children."""


@dataclass(frozen=True)
class Ready:
    """A search that was prepared: gives the rows of the nearest vectors. `held` are the bytes of vectors and index together."""

    search: Callable[[Vector], Sequence[int]]
    held: Callable[[], int]


def numpy_exact(job: Job) -> Ready:
    items = job.items

    def search(query: Vector) -> Sequence[int]:
        similarity = items @ query
        found = np.argpartition(similarity, -min(K, len(items)))[-K:]
        return [int(row) for row in found[np.argsort(-similarity[found])]]

    return Ready(search, lambda: items.nbytes)


def shopmill_index(job: Job) -> Ready:
    return _shopmill(job, exact=False)


def shopmill_exact(job: Job) -> Ready:
    return _shopmill(job, exact=True)


def _shopmill(job: Job, *, exact: bool) -> Ready:
    """What `shopmill similar` asks. The index is built by whoever comes first, with its recall measured."""
    import pyarrow as pa

    from shopmill.text.index import publish_index
    from shopmill.text.index_search import search_groups

    connection = _connected(job)
    ids = [str(row) for row in range(len(job.items))]
    column = pa.FixedSizeListArray.from_arrays(pa.array(job.items.reshape(-1)), job.items.shape[1])
    publish_index(connection, NAME, f"of{len(ids)}", ids, column, least_recall=0)

    def search(query: Vector) -> Sequence[int]:
        groups = search_groups(connection, NAME, query.tolist(), K, exact=exact)
        return [int(group.ids[0]) for group in groups]

    return _in_database(connection, search)


def pgvector_index(job: Job) -> Ready:
    return _bare(job, "set hnsw.ef_search = 100")


def pgvector_scan(job: Job) -> Ready:
    return _bare(job, "set enable_indexscan = off")


def _bare(job: Job, setting: str) -> Ready:
    """SQL of one's own on the same table, in one session with one prepared statement."""
    connection = _connected(job)
    connection.execute(setting.encode())
    question = f"select ids[1] from shopmill.{NAME} order by embedding <=> %s::vector limit {K}".encode()

    def search(query: Vector) -> Sequence[int]:
        literal = f"[{','.join(map(str, query.tolist()))}]"
        return [int(row[0]) for row in connection.execute(question, [literal], prepare=True)]

    return _in_database(connection, search)


def _connected(job: Job) -> "psycopg.Connection[Any]":
    import psycopg

    return psycopg.connect(job.dsn, autocommit=True)


def _in_database(connection: "psycopg.Connection[Any]", search: Callable[[Vector], Sequence[int]]) -> Ready:
    question = "select pg_total_relation_size(oid) from pg_class where relname like 'articles_of%' and relkind = 'r'"

    def held() -> int:
        row = connection.execute(question.encode()).fetchone()
        return int(row[0]) if row else 0

    return Ready(search, held)


def usearch_default(job: Job) -> Ready:
    return _usearch(job)


def usearch_wider(job: Job) -> Ready:
    return _usearch(job, expansion_search=256)


def _usearch(job: Job, **settings: int) -> Ready:
    from usearch.index import Index

    index = Index(ndim=job.items.shape[1], metric="cos", dtype="f32", **settings)
    index.add(np.arange(len(job.items)), job.items)

    def search(query: Vector) -> Sequence[int]:
        return [int(key) for key in index.search(query, K).keys]

    return Ready(search, lambda: int(index.memory_usage))


def lancedb_scan(job: Job) -> Ready:
    return _lancedb(job, "", {})


def lancedb_ivf_pq(job: Job) -> Ready:
    return _lancedb(job, "IVF_PQ", {"refine_factor": 10})


def lancedb_hnsw(job: Job) -> Ready:
    return _lancedb(job, "IVF_HNSW_SQ", {"ef": 100, "refine_factor": 10})


def _lancedb(job: Job, index_type: str, asked: dict[str, int]) -> Ready:
    """A table on disk, with the number of partitions that LanceDB takes by itself."""
    import lancedb
    import pyarrow as pa

    vectors = pa.FixedSizeListArray.from_arrays(pa.array(job.items.reshape(-1)), job.items.shape[1])
    rows = pa.table({"number": pa.array(range(len(job.items)), pa.int64()), "vector": vectors})
    table = lancedb.connect(str(job.folder)).create_table("vectors", rows)
    if index_type:
        table.create_index(metric="cosine", index_type=index_type, vector_column_name="vector")

    def search(query: Vector) -> Sequence[int]:
        found = table.search(query).distance_type("cosine").select(["number"]).limit(K)
        for name, value in asked.items():
            found = getattr(found, name)(value)
        return [int(number) for number in found.to_arrow()["number"].to_pylist()]

    return Ready(search, lambda: sum(file.stat().st_size for file in job.folder.rglob("*") if file.is_file()))


@dataclass(frozen=True)
class Way:
    """A contender. One of an `extra` package runs in `.venv-bench`; one that is `shown_by_size` has a line at every size.

    One that compares every vector answers `every` fifth query alone: all would take minutes.
    """

    name: str
    make: Callable[[Job], Ready]
    extra: str = ""
    shown_by_size: bool = False
    is_built: bool = True
    every: int = 1


WAYS = (
    Way("**shopmill, its index** (pgvector HNSW)", shopmill_index, shown_by_size=True),
    Way("**shopmill, exactly**", shopmill_exact, shown_by_size=True, is_built=False, every=5),
    Way("pgvector HNSW, bare SQL on the same table", pgvector_index, is_built=False),
    Way("pgvector sequential scan, bare SQL", pgvector_scan, is_built=False, every=5),
    Way("NumPy, one product for each query", numpy_exact, shown_by_size=True, is_built=False, every=5),
    Way("usearch, its defaults", usearch_default, "usearch", shown_by_size=True),
    Way("usearch, expansion_search 256", usearch_wider, "usearch"),
    Way("LanceDB, no index", lancedb_scan, "lancedb", every=5),
    Way("LanceDB IVF_PQ, refine_factor 10", lancedb_ivf_pq, "lancedb"),
    Way("LanceDB IVF_HNSW_SQ, ef 100, refine_factor 10", lancedb_hnsw, "lancedb"),
)
"""Shopmill first: those that build nothing search what it built."""


@contextmanager
def database(folder: Path) -> Iterator[tuple[str, int]]:
    """The project's own PostgreSQL with pgvector; gives the connection string, and its first process."""
    import psycopg

    from shopmill.shops.postgres import EmbeddedPostgres

    with EmbeddedPostgres(folder / "postgres") as server:
        with psycopg.connect(server.admin_dsn(), autocommit=True) as connection:
            connection.execute("create extension if not exists vector")
        yield server.admin_dsn(), int((server.data / "postmaster.pid").read_text().splitlines()[0])
