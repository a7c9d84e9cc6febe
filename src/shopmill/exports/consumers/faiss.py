"""FAISS: an index of the vectors, and the id of each of its keys.

    index.faiss    for faiss.read_index; inner product, which is the cosine of vectors of length 1
    keys.parquet   key (int64, from 0), and the id in the shop

`index` is any description that `faiss.index_factory` takes: Flat (exact, the default), HNSW32, IVF256,PQ48, ...
"""

from collections.abc import Mapping
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError
from shopmill.exports.consumer import Consumer
from shopmill.exports.source import Source
from shopmill.exports.vectors import TABLES, Vectors


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Adds matrix after matrix; an index that must be trained is trained with all of them."""
    import faiss
    import numpy as np

    vectors = Vectors.of(source)
    description = str(source.options["index"])
    try:
        index = faiss.index_factory(vectors.dim, description, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError:
        raise InvalidInputError(
            f"index={description!r} is no index that faiss.index_factory knows, such as HNSW32."
        ) from None
    try:
        if not index.is_trained:
            index.train(np.concatenate(list(vectors.matrices())))
        for matrix in vectors.matrices():
            index.add(matrix)
    except RuntimeError as error:  # more clusters than vectors, or an index that numbers nothing itself
        raise InvalidInputError(
            f"faiss cannot make index={description!r} of {vectors.count} vectors: choose another, such as Flat or HNSW32."
        ) from error
    faiss.write_index(index, str(folder / "index.faiss"))
    key = vectors.key
    keys = f"select cast(row_number() over (order by {key}) - 1 as bigint) as key, {key} from {vectors.table} order by {key}"
    return {"index.faiss": vectors.count, "keys.parquet": source.write_parquet(keys, folder / "keys.parquet")}


CONSUMER = Consumer(
    name="faiss",
    loads="an index of vectors and the ids of its keys",
    writes=dict.fromkeys(TABLES, write),
    options=(Parameter("index", "text", "Flat", "what faiss.index_factory makes"),),
    packages=("faiss",),
)
