"""A synthetic fashion shop of any size: H&M's columns, and at scale 1.0 H&M's numbers of rows.

Made up, seeded: the same scale and seed give the same rows in any number of threads. As in a real shop, few articles
and customers make most of the lines, seasons and weekends show, 9.36 % of the transaction lines repeat another one
exactly, values are missing, and some is wrong: about one line in 5,000 has a null key, a negative price or a date ten
years ahead, one in 2,000 an article that is not in the catalogue, and so with events and reviews.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from shopmill.errors import InvalidInputError
from shopmill.shops.loading import TABLES, Progress, Shop, load_shop, loaded_rows

TIME_ZONE = "UTC"
FIRST_DAY = date(2018, 9, 20)
LAST_DAY = date(2020, 9, 22)
AS_OF = LAST_DAY + timedelta(days=1)
SOURCE_NOTE = "A synthetic fashion shop with H&M's columns: every row is made up, seeded."
TRANSACTIONS, CUSTOMERS, ARTICLES = 31_788_324, 1_371_980, 105_542  # at scale 1.0, as H&M published them
LARGEST_SCALE = 10
REPEATED_SHARE = 0.0936
CHUNK_LINES = 16  # as in synthetic.sql
SHAPES = 1024
BASKET_SIZES = (1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 9)
LINES_PER_BASKET = 2.88  # less than the sizes' mean, for the end of a chunk cuts some
EVENTS_PER_VISITED_LINE = 4.2
MOST_EVENTS_PER_TRANSACTION = 3.0


def load(
    dsn: str,
    scale: float,
    seed: int = 42,
    progress: Progress | None = None,
    *,
    events_per_transaction: float = 1.0,
    catalogue_loaded: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Load the shop into the database, unless just this one is there already; return the rows by table.

    `catalogue_loaded` is called when customers and articles are there, and what it does comes before the rest.
    """
    shop = synthetic_shop(scale, seed, events_per_transaction)
    rows = loaded_rows(dsn, shop)
    if rows is None:
        with _database(shop, threads=None) as source:
            rows = load_shop(dsn, shop, source, progress, catalogue_loaded)
    return rows


def to_parquet(
    folder: Path, scale: float, seed: int = 42, only: Sequence[str] = TABLES, *, events_per_transaction: float = 1.0
) -> None:
    """Write the tables named in ``only`` as ``<folder>/<table>.parquet`` (zstd)."""
    folder.mkdir(parents=True, exist_ok=True)
    with tables(scale, seed, events_per_transaction=events_per_transaction) as source:
        for table in only:
            source.table(table).write_parquet(str(folder / f"{table}.parquet"), compression="zstd")


def tables(
    scale: float, seed: int = 42, *, events_per_transaction: float = 1.0, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """The shop as a DuckDB database in memory with one table or view for each canonical table."""
    shop = synthetic_shop(scale, seed, events_per_transaction)
    connection = _database(shop, threads)
    shop.create(connection)
    return connection


def synthetic_shop(scale: float, seed: int = 42, events_per_transaction: float = 1.0) -> Shop:
    """What to make. Raises InvalidInputError for sizes out of range."""
    if not 0 < scale <= LARGEST_SCALE:
        raise InvalidInputError(
            f"The scale of the synthetic shop is {scale}: give more than 0 and at most {LARGEST_SCALE}."
        )
    if not 0 <= events_per_transaction <= MOST_EVENTS_PER_TRANSACTION:
        limit = MOST_EVENTS_PER_TRANSACTION
        raise InvalidInputError(f"events_per_transaction is {events_per_transaction}: give a number from 0 to {limit}.")
    n_lines, n_customers, n_articles = (max(1, round(n * scale)) for n in (TRANSACTIONS, CUSTOMERS, ARTICLES))
    return Shop(
        name="synthetic",
        catalogue=("chance.sql", "synthetic.sql"),
        sales=("clickstream.sql", "reviews.sql"),
        variables={
            "seed": seed,
            "n_lines": n_lines,
            "n_customers": n_customers,
            "n_articles": n_articles,
            "n_shapes": SHAPES,
            "session_share": events_per_transaction / EVENTS_PER_VISITED_LINE,
            "review_share": 0.01,
            "poison": True,
            "ends_at": datetime.combine(AS_OF, datetime.min.time(), UTC),
        },
        expected_rows={
            "customers": n_customers,
            "articles": n_articles,
            "transactions": n_lines,
            "orders": round(n_lines / LINES_PER_BASKET),
            "order_items": round(n_lines * (1 - REPEATED_SHARE)),
            "events": round(n_lines * events_per_transaction),
            "reviews": round(n_lines * 0.01),
            "promotions": 10 + n_articles // 50,
        },
    )


def _database(shop: Shop, threads: int | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    seed, n_lines = shop.variables["seed"], shop.variables["n_lines"]
    connection.from_arrow(pa.Table.from_pylist(list(_days(n_lines)))).create("days")
    connection.from_arrow(pa.Table.from_pylist(list(_basket_shapes(seed)))).create("basket_shapes")
    return connection


def _days(n_lines: int) -> Iterator[dict[str, object]]:
    """Share the chunks of lines out over the days by season and weekday."""
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    until = list(itertools.accumulate(map(_busyness, days)))
    n_chunks = math.ceil(n_lines / CHUNK_LINES)
    bounds = [0] + [round(n_chunks * reached / until[-1]) for reached in until]
    for day, first, end in zip(days, bounds, bounds[1:], strict=False):
        yield {"t_dat": day, "first_chunk": first, "n_chunks": end - first}


def _busyness(day: date) -> float:
    """How much is sold on this day, an ordinary one being 1: best in June and on Saturdays, sales in November."""
    season = 1 - 0.3 * math.cos(2 * math.pi * (day.timetuple().tm_yday + 15) / 365)
    weekday = (0.9, 0.92, 0.97, 1.03, 1.08, 1.25, 0.85)[day.weekday()]
    sale = 2.5 if day.month == 11 and 22 <= day.day <= 29 else 1.0  # noqa: PLR2004 - Black Friday's week
    return season * weekday * sale


def _basket_shapes(seed: int) -> Iterator[dict[str, int]]:
    """Ways to cut a chunk's lines into baskets, and a basket into slots: the lines of a slot are the same article."""
    dice = random.Random(seed)
    for shape in range(SHAPES):
        first = 0
        while first < CHUNK_LINES:
            size = min(BASKET_SIZES[int(dice.random() * len(BASKET_SIZES))], CHUNK_LINES - first)
            slots = _slots(size, dice)
            for line, slot in enumerate(slots):
                place = {"shape": shape, "position": first + line, "first_position": first}
                units = slots.count(slot) if slots.index(slot) == line else 0
                yield place | {"line_no": line + 1, "n_lines": size, "slot": slot, "units": units}
            first += size


def _slots(size: int, dice: random.Random) -> list[int]:
    """The slot of each line: that of the line before when it repeats that, else its own position."""
    repeat = REPEATED_SHARE * LINES_PER_BASKET / (LINES_PER_BASKET - 1)  # a basket's first line repeats none
    slots = [0]
    for line in range(1, size):
        slots.append(slots[-1] if dice.random() < repeat else line)
    return slots
