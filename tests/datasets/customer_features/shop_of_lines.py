"""The features of a few transaction lines, computed in memory: for tests that need many small shops."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from arrow_types import ARROW
from shopmill.datasets.customer_features.dataset import DATASET
from shopmill.engine.compose import statement
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.engine.protocol import Engine
from shopmill.run.shop_values import shop_values
from shopmill.settings import Settings
from shopmill.source.contract import TABLES


@dataclass(frozen=True)
class Line:
    """One transaction."""

    customer: str
    day: date
    article: str
    price: Decimal
    channel: int | None = 1


def compute(folder: Path, lines: Iterable[Line], as_of: date, groups: Mapping[str, str] | None = None) -> "Computed":
    """The tables of a shop that has nothing but transactions, and articles with a product group."""
    given = {
        "transactions": [
            {"t_dat": line.day, "customer_id": line.customer, "article_id": line.article, "price": line.price,
             "sales_channel_id": line.channel}
            for line in lines
        ],
        "articles": [{"article_id": a, "product_group_name": g} for a, g in (groups or {}).items()],
    }  # fmt: skip
    with ExitStack() as stack:
        engine = stack.enter_context(DuckDBEngine(Settings(_env_file=None), folder))
        for needed in DATASET.inputs:
            columns = TABLES[needed.table].columns
            schema = pa.schema([(column.name, ARROW[column.type]) for column in columns])
            rows = [{column.name: row.get(column.name) for column in columns} for row in given.get(needed.table, [])]
            for name in (needed.table, f"source_{needed.table}"):
                engine.table(name, pa.Table.from_pylist(rows, schema))
        for name, lookup in DATASET.lookups(DATASET.parse_parameters({})).items():
            engine.table(name, lookup)
        rows = {name: _staged(engine, name, folder, as_of) for name in DATASET.tasks[0].tables}
        return Computed(rows["rfm_thresholds"], {row["customer_id"]: row for row in rows["features"]})


@dataclass(frozen=True)
class Computed:
    """Rows of the tables; features by customer."""

    thresholds: list[dict[str, Any]]
    features: dict[str, dict[str, Any]]


def _staged(engine: Engine, name: str, folder: Path, as_of: date) -> list[dict[str, Any]]:
    table, path = DATASET.table(name), folder / f"{name}.parquet"
    at = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    bound = {
        "as_of": as_of,
        "as_of_at": at,
        "time_zone": "UTC",
        **shop_values(Settings(_env_file=None, first_day=date(1970, 1, 1))),
    }
    engine.write(statement(DATASET, table), bound, path)
    engine.view(name, [path], {column.name: column.type for column in table.columns})
    return engine.rows(f"select * from {name}", {})
