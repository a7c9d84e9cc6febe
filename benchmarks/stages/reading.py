"""Reading a published version beside pyarrow and Polars on the same files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.shop import AS_OF, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

DATASET, TABLE = "user_item_interactions", "interactions"
SINCE = "2020-09-16"


def _published(place: Place) -> Path:
    """The store with the version that is read: made once a scale, and not measured."""
    made = place.shop / "published"
    if not made.exists():
        from dataclasses import replace

        making = replace(place, folder=place.shop / "publishing")
        making.folder.mkdir()
        run_dataset(DATASET, making, Clock())
        making.folder.rename(made)
    return made / "store"


def files(place: Place) -> list[str]:
    """The files of the table that is read."""
    return sorted(map(str, (_published(place) / DATASET).glob(f"as_of={AS_OF}/version=*/{TABLE}/*.parquet")))


def _read(place: Place, clock: Clock, read: Callable[[], Any]) -> Results:
    """What is compared is a sum by customer of what was read."""
    import duckdb  # noqa: F401 - what is imported is no part of reading
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import shopmill.reading  # noqa: F401

    with clock:
        frame = read()
    target = place.result("read")
    frame.groupby("customer_id", as_index=False).agg(n=("spend_sum", "size"), spend=("spend_sum", "sum")).astype(
        {"spend": "float64"}
    ).to_parquet(target)
    return {"read": str(target)}


def ours(place: Place, clock: Clock) -> Results:
    import shopmill

    store = str(_published(place))
    where = f"last_interaction_date >= date '{SINCE}'"
    return _read(
        place,
        clock,
        lambda: shopmill.load(DATASET, store=store).to_pandas(columns=["customer_id", "spend_sum"], where=where),
    )


def pyarrow(place: Place, clock: Clock) -> Results:
    from datetime import date

    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    paths, late = files(place), pc.field("last_interaction_date") >= date.fromisoformat(SINCE)
    return _read(
        place, clock, lambda: pq.read_table(paths, columns=["customer_id", "spend_sum"], filters=late).to_pandas()
    )


def polars(place: Place, clock: Clock) -> Results:
    from datetime import date

    import polars as pl

    paths, late = files(place), pl.col("last_interaction_date") >= date.fromisoformat(SINCE)
    columns = ["customer_id", "spend_sum"]
    return _read(place, clock, lambda: pl.scan_parquet(paths).filter(late).select(columns).collect().to_pandas())


STAGE = Stage(
    name="reading",
    what="two columns of `interactions`, rows of the last week, as pandas",
    tables=("transactions", "events", "orders", "order_items", "articles"),
    contenders=(
        Contender("shopmill.load", ours),
        Contender("pyarrow.parquet.read_table", pyarrow),
        Contender("polars.scan_parquet", polars),
    ),
    compared=(Compared("read", ("customer_id",), 1e-9),),
)
