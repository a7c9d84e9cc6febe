"""implicit: the matrix customers x articles of confidences, and the ids of its rows and columns.

    matrix.npz          CSR, float32, for scipy.sparse.load_npz
    customers.parquet   customer_index (the row), customer_id
    articles.parquet    article_index (the column), article_id

Rows and columns are `customer_index` and `article_index`, which stay from version to version. Only positive weights are
stored: a weight below 0, of what was returned more than wanted, is no confidence.
"""

from collections.abc import Mapping
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError
from shopmill.exports.consumer import Consumer
from shopmill.exports.source import Source

WEIGHTS = ("time_weighted_score", "interaction_count", "purchase_count", "view_count", "click_count", "cart_count")
ENTRIES = """
    select customer_index, cast(article_index as integer) as article_index, cast({weight} as float) as weight
    from interactions
    join customer_index using (customer_id)
    join article_index using (article_id)
    where cast({weight} as float) > 0
    order by customer_index, article_index
"""


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Builds the matrix entry by entry in its final arrays: never twice in memory."""
    import numpy as np

    weight = str(source.options["weight"])
    if weight not in WEIGHTS:
        raise InvalidInputError(f"weight={weight!r} is not one of {', '.join(WEIGHTS)}.")
    source.need("interactions", "customer_id", "article_id", weight)
    source.need("customer_index", "customer_id", "customer_index")
    source.need("article_index", "article_id", "article_index")
    customers = int(source.value("select count(*) from customer_index"))
    articles = int(source.value("select count(*) from article_index"))
    entries = int(source.value(f"select count(*) from interactions where cast({weight} as float) > 0"))
    lengths = np.zeros(customers + 1, np.int64)
    indices, data = np.empty(entries, np.int32), np.empty(entries, np.float32)
    start = 0
    for batch in source.batches(ENTRIES.format(weight=weight)):
        end = start + batch.num_rows
        indices[start:end] = batch.column("article_index").to_numpy(zero_copy_only=False)
        data[start:end] = batch.column("weight").to_numpy(zero_copy_only=False)
        np.add.at(lengths, batch.column("customer_index").to_numpy(zero_copy_only=False) + 1, 1)
        start = end
    kind = np.int32 if entries < 2**31 else np.int64
    np.savez(
        folder / "matrix.npz",
        indices=indices,
        indptr=np.cumsum(lengths).astype(kind),
        format=np.array(b"csr"),
        shape=np.array([customers, articles]),
        data=data,
    )
    numbered = "select {0}_index, {0}_id from {0}_index order by {0}_index"
    source.write_parquet(numbered.format("customer"), folder / "customers.parquet")
    source.write_parquet(numbered.format("article"), folder / "articles.parquet")
    return {"matrix.npz": entries, "customers.parquet": customers, "articles.parquet": articles}


CONSUMER = Consumer(
    name="implicit",
    loads="a CSR matrix of confidences, and the ids of its rows and columns",
    writes={"user_item_interactions": write},
    options=(Parameter("weight", "text", "time_weighted_score", f"what a confidence is: {', '.join(WEIGHTS)}"),),
    packages=("numpy",),
)
