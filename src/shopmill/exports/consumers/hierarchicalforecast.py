"""hierarchicalforecast: all levels of a hierarchy in one frame, and how they sum.

    y.parquet       unique_id, ds, y: total, categories, articles; days on which nobody knows y count as 0
    summing.npz     scipy CSR, float32: a row per series, a column per article; total, categories, articles in this order
    series.parquet  row (of the matrix), unique_id, level (total, category, article)
    tags.json       {level: [unique_id, ...]}

`SMatrix(scipy.sparse.load_npz("summing.npz"), series["unique_id"], tags["article"])` is its `S_df`: a dense
frame of 100,000 articles would not fit into memory. The ids of categories are `category/NAME`, of the sum of all `total`,
so that no category is an article by accident.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError
from shopmill.exports.consumer import Consumer
from shopmill.exports.series import Series
from shopmill.exports.source import Source

LEVELS = """
    select unique_id, ds, y, 2 as level from ({articles}) as article
    union all
    select 'category/' || category, ds, sum(y), 1
    from ({articles}) as article
    join hierarchy using (unique_id)
    group by category, ds
    union all
    select 'total', ds, sum(y), 0
    from ({articles}) as article
    group by ds
"""
DENSE = """
    select series.unique_id, cast(ds as timestamp) as ds, coalesce(y, 0) as y
    from series
    cross join (select distinct ds from levels) as day
    left join levels using (unique_id, ds)
    order by unique_id, ds
"""
SERIES = """
    select cast(row_number() over (order by level, unique_id) - 1 as integer) as row, unique_id, name
    from (
      select 0 as level, 'total' as unique_id, 'total' as name
      union all
      select distinct 1, 'category/' || category, 'category' from hierarchy semi join sold using (unique_id)
      union all
      select 2, unique_id, 'article' from sold
    ) as all_levels
"""


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """The articles that are on sale, and their sums: a series that has ended has no forecast to reconcile."""
    frequency = str(source.options["frequency"])
    if frequency not in ("daily", "weekly"):
        raise InvalidInputError(f"frequency={frequency!r} is neither daily nor weekly.")
    series = Series.of(source, f"article_{frequency}")
    series.future(1)  # makes on_sale
    execute = source.connection.execute
    execute("create or replace temp view sold as select unique_id from on_sale")
    complete = "and is_complete" if series.is_weekly else ""
    articles = f"""
        select unique_id, ds, coalesce(cast(y as double), 0) as y from {series.table}
        where unique_id in (select unique_id from sold) {complete}
    """
    execute(f"create or replace temp table levels as {LEVELS.format(articles=articles)}")
    execute(f"create or replace temp table series as {SERIES}")
    rows = source.write_parquet(DENSE, folder / "y.parquet")
    count = source.write_parquet(
        "select row, unique_id, name as level from series order by row", folder / "series.parquet"
    )
    _write_tags(source, folder)
    return {"y.parquet": rows, "series.parquet": count, "summing.npz": _write_matrix(source, folder / "summing.npz")}


def _write_tags(source: Source, folder: Path) -> None:
    tags: dict[str, list[str]] = {"total": [], "category": [], "article": []}
    for batch in source.batches("select unique_id, name from series order by row"):
        for unique_id, level in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            tags[level].append(unique_id)
    (folder / "tags.json").write_text(json.dumps(tags, ensure_ascii=False))


def _write_matrix(source: Source, path: Path) -> int:
    """Row 0 has all articles, each category's row its own, and the last rows are the identity."""
    import numpy as np

    first = int(source.value("select min(row) from series where name = 'article'"))
    columns = source.connection.execute("""
        select category_series.row - 1 as category
        from series
        join hierarchy using (unique_id)
        join series as category_series on category_series.unique_id = 'category/' || category
        where series.name = 'article'
        order by series.row
    """).fetchnumpy()["category"]
    bottom = len(columns)
    by_category = np.argsort(columns, kind="stable").astype(np.int32)
    own = np.arange(bottom, dtype=np.int32)
    lengths = np.concatenate([[0, bottom], np.bincount(columns, minlength=first - 1), np.ones(bottom, np.int64)])
    indices = np.concatenate([own, by_category, own])
    np.savez(
        path,
        indices=indices,
        indptr=np.cumsum(lengths).astype(np.int32),
        format=np.array(b"csr"),
        shape=np.array([first + bottom, bottom]),
        data=np.ones(len(indices), np.float32),
    )
    return len(indices)


CONSUMER = Consumer(
    name="hierarchicalforecast",
    loads="series of all levels, the sparse summing matrix and tags",
    writes={"timeseries": write},
    options=(Parameter("frequency", "text", "daily", "daily or weekly"),),
    packages=("numpy",),
)
