"""Whether two contenders have the same result: rows of the same keys, and the same values up to a tolerance."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.measure import BenchError
from benchmarks.shop import CONFIG
from benchmarks.stage import Compared, Results

if TYPE_CHECKING:
    import duckdb

ROUNDED = ("DOUBLE", "FLOAT", "DECIMAL")
WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)


def same_results(compared: tuple[Compared, ...], rival: str, ours: Results, theirs: Results) -> str:
    """What was compared, in words; BenchError where something differs. A rival has one result at least."""
    common = [one for one in compared if one.name in theirs]
    if not common:
        raise BenchError(f"{rival} has none of the results {', '.join(one.name for one in compared)}.")
    return "; ".join(_same(one, rival, ours[one.name], theirs[one.name]) for one in common)


def _same(compared: Compared, rival: str, ours: str, theirs: str) -> str:
    import duckdb

    with duckdb.connect(config=CONFIG) as connection:
        for name, files in (("ours", ours), ("theirs", theirs)):
            connection.execute(
                f"create view {name} as select * from read_parquet('{files}', hive_partitioning = false)"
            )
        types = {name: _types(connection, name) for name in ("ours", "theirs")}
        if unknown := sorted(types["theirs"].keys() - types["ours"].keys()):
            raise BenchError(f"{rival} has columns in {compared.name} that shopmill lacks: {', '.join(unknown)}.")
        if missing := sorted(set(compared.key) - types["theirs"].keys()):
            raise BenchError(f"{rival} lacks key columns of {compared.name}: {', '.join(missing)}.")
        values = [column for column in types["theirs"] if column not in compared.key]
        _once(connection, compared, rival)
        n_rows = _count(connection, "ours", compared)
        _refuse_differing(connection, compared, rival, values, types)
    said = f"{n_rows:,} rows and {len(values)} columns of {compared.name} are the same"
    return said + (f" within {compared.tolerance:g}" if compared.tolerance else "")


def _types(connection: "duckdb.DuckDBPyConnection", view: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {view}").fetchall()}


def _count(connection: "duckdb.DuckDBPyConnection", view: str, compared: Compared) -> int:
    (count,) = connection.execute(f"select count(*) from {view}").fetchone() or (0,)
    if not count:
        raise BenchError(f"{compared.name} has no rows: nothing is compared.")
    return int(count)


def _once(connection: "duckdb.DuckDBPyConnection", compared: Compared, rival: str) -> None:
    key = ", ".join(f'"{name}"' for name in compared.key)
    for view, whose in (("ours", "shopmill"), ("theirs", rival)):
        query = f"select {key} from {view} group by {key} having count(*) > 1 limit 1"
        if found := connection.execute(query).fetchone():
            raise BenchError(f"{whose} has the key {found} of {compared.name} more than once.")


def _refuse_differing(
    connection: "duckdb.DuckDBPyConnection",
    compared: Compared,
    rival: str,
    values: Sequence[str],
    types: Mapping[str, Mapping[str, str]],
) -> None:
    key = [f'"{name}"' for name in compared.key]
    on = " and ".join(f"ours.{name} is not distinct from theirs.{name}" for name in key)
    differs = [_differs(name, types["ours"][name], types["theirs"][name], compared.tolerance) for name in values]
    which = ", ".join(f"case when {test} then '{name}' end" for name, test in zip(values, differs, strict=True))
    query = f"""
        select {", ".join(f"coalesce(ours.{name}, theirs.{name})" for name in key)},
          case when not coalesce(theirs._is, false) then 'shopmill alone' when not coalesce(ours._is, false) then 'the rival alone'
            else concat_ws(', ', {which or "''"}) end as differing
        from (select *, true as _is from ours) as ours full join (select *, true as _is from theirs) as theirs on {on}
        where differing <> ''
    """
    first = connection.execute(f"select *, count(*) over () from ({query}) limit 1").fetchone()
    if first:
        raise BenchError(
            f"{rival} has another result than shopmill: {first[-1]:,} rows of {compared.name} differ, "
            f"such as {first[:-2]} in {first[-2]}."
        )


def _differs(name: str, ours: str, theirs: str, tolerance: float) -> str:
    column = f'"{name}"'
    plain = f"ours.{column} is distinct from theirs.{column}"
    numbers = (*ROUNDED, *WHOLE)
    if not (ours.startswith(numbers) and theirs.startswith(numbers)):
        return plain
    if not (ours.startswith(ROUNDED) or theirs.startswith(ROUNDED)) or not tolerance:
        return plain
    a, b = (f"cast({side}.{column} as double)" for side in ("ours", "theirs"))
    apart = f"abs({a} - {b}) > {tolerance} * greatest(1, abs({a}), abs({b}))"
    return f"(({a} is null) <> ({b} is null) or coalesce({apart}, false))"
