"""How far the values of a column have moved between two versions: nulls, distinct values, mean, population stability.

The population stability index compares the shares of bins: sum((after - before) * ln(after / before)). Numbers and times
have ten bins of equal size before; other values a bin for each of the 20 most frequent ones on either side, and one for
the rest. Nulls have a bin of their own, and a share is at least 0.0001. It is computed of at most 100,000 rows a side, as
the statistics of a version are. Usual reading: below 0.1 stable, above 0.25 another population.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

from shopmill.versions.column_statistics import ColumnStatistics
from shopmill.versions.sampling import Part, values_of

if TYPE_CHECKING:
    import duckdb

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
TIMES = ("DATE", "TIMESTAMP")
BINS, FREQUENT, LEAST = 10, 20, 0.0001
NULL = "null"


@dataclass(frozen=True)
class ColumnDiff:
    """A column in both versions. Shares are of all rows that were looked at."""

    table: str
    column: str
    psi: float
    nulls: tuple[float, float]
    distinct: tuple[int | None, int | None]
    mean: tuple[str | None, str | None]


@dataclass(frozen=True)
class Sampled:
    """A table of one version: the row groups that stand for it, and what its columns look like."""

    parts: Sequence[Part]
    rows: int
    columns: Mapping[str, ColumnStatistics]

    def null_share(self, column: str) -> float:
        """The share of rows without a value."""
        return self.columns[column].nulls / self.rows if self.rows and column in self.columns else 0.0


def compare_column(
    connection: "duckdb.DuckDBPyConnection", table: str, column: str, old: Sampled, new: Sampled
) -> ColumnDiff:
    """Compares a column that both versions have with one type."""
    before, after = old.columns.get(column), new.columns.get(column)
    return ColumnDiff(
        table,
        column,
        round(_index(connection, column, old.parts, new.parts), 4),
        (round(old.null_share(column), 6), round(new.null_share(column), 6)),
        (before.distinct if before else None, after.distinct if after else None),
        (before.mean if before else None, after.mean if after else None),
    )


def stability(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """The population stability index of two counts by bin."""
    whole = max(sum(before.values()), 1), max(sum(after.values()), 1)
    shares = [
        (max(before.get(bin_, 0) / whole[0], LEAST), max(after.get(bin_, 0) / whole[1], LEAST))
        for bin_ in sorted({*before, *after})
    ]
    return sum((new - old) * log(new / old) for old, new in shares)


def _index(connection: "duckdb.DuckDBPyConnection", column: str, old: Sequence[Part], new: Sequence[Part]) -> float:
    if not old or not new:
        return 0.0
    connection.register("old_sample", values_of(old, column))
    connection.register("new_sample", values_of(new, column))
    kind = str(connection.execute("select typeof(v) from old_sample limit 1").fetchall()[0][0])
    if kind.startswith((*NUMBERS, *TIMES)) and not kind.endswith("]"):
        value = "epoch(v)" if kind.startswith(TIMES) else "cast(v as double)"
        binned = _by_edges(_edges(connection, value), value)
    else:
        binned = _by_value(connection)
    return stability(*(_counts(connection, binned, side) for side in ("old_sample", "new_sample")))


def _edges(connection: "duckdb.DuckDBPyConnection", value: str) -> list[float]:
    quantiles = [i / BINS for i in range(1, BINS)]
    query = f"select quantile_cont({value}, {quantiles}) from old_sample where v is not null and isfinite({value})"
    return sorted(set(connection.execute(query).fetchall()[0][0] or ()))


def _by_edges(edges: Sequence[float], value: str) -> str:
    cases = " ".join(f"when {value} <= {edge!r} then '{i}'" for i, edge in enumerate(edges))
    return f"case when v is null or not isfinite({value}) then '{NULL}' {cases} else 'above' end"


def _by_value(connection: "duckdb.DuckDBPyConnection") -> str:
    """Values are told apart by a hash, so that no text is written into a query."""
    top = (
        "(select hash(v) as h from {} where v is not null group by v order by count(*) desc, h limit " + f"{FREQUENT})"
    )
    found = connection.execute(f"{top.format('old_sample')} union {top.format('new_sample')}").fetchall()
    listed = ", ".join(str(h) for (h,) in found) or "0"
    return f"case when v is null then '{NULL}' when hash(v) in ({listed}) then cast(hash(v) as varchar) else 'rest' end"


def _counts(connection: "duckdb.DuckDBPyConnection", binned: str, side: str) -> Counter[str]:
    rows: list[tuple[Any, ...]] = connection.execute(f"select {binned}, count(*) from {side} group by 1").fetchall()
    return Counter({str(name): int(count) for name, count in rows})
