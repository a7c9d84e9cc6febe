"""The checks of the table interactions beside Pointblank and Pandera: nulls, ranges, dates in order, the key.

Each contender checks the published table, which the seconds are of, and a small broken copy of it: the number of violations
of each rule must be the same.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage
from benchmarks.stages import reading

KEY = ("customer_id", "article_id")
REQUIRED = (
    *KEY,
    "purchase_count",
    "unit_count",
    "interaction_count",
    "spend_sum",
    "first_interaction_date",
    "recency_days",
)
FROM_ZERO = ("purchase_count", "unit_count", "return_count", "interaction_count", "spend_sum", "recency_days")
IN_ORDER, UNIQUE = "dates in order", "key unique"
Violations = dict[str, int]


def _broken(place: Place) -> str:
    """A thousand rows with faults."""
    import duckdb

    target = place.folder / "broken.parquet"
    duckdb.execute(f"""
        copy (
          select * replace (
            case when row % 7 = 0 then null else purchase_count end as purchase_count,
            case when row % 11 = 0 then -spend_sum - 1 else spend_sum end as spend_sum,
            case when row % 13 = 0 then last_interaction_date + 1 else first_interaction_date end as first_interaction_date
          )
          from (
            select * exclude twice from (
              select *, row_number() over (order by customer_id, article_id) as row, unnest([1, 2]) as twice
              from (from read_parquet({reading.files(place)}) order by customer_id, article_id limit 1000)
            )
            where twice = 1 or row % 17 = 0
          )
          order by customer_id, article_id
        ) to '{target}' (format parquet)
    """)
    return str(target)


def _judged(place: Place, clock: Clock, violations: Callable[[list[str]], Violations]) -> Results:
    import pyarrow as pa
    import pyarrow.parquet as pq

    broken, files = _broken(place), reading.files(place)
    with clock:
        found = {"published": violations(files)}
    found["broken"] = violations([broken])
    rows = [{"file": file, "rule": rule, "n": n} for file, counts in found.items() for rule, n in counts.items()]
    pq.write_table(pa.Table.from_pylist(rows), place.result("violations"))
    return {"violations": str(place.result("violations"))}


def _rules() -> Iterable[str]:
    return (*(f"{name} not null" for name in REQUIRED), *(f"{name} at least 0" for name in FROM_ZERO), IN_ORDER, UNIQUE)


def ours(place: Place, clock: Clock) -> Results:
    from datetime import date

    from benchmarks.shop import AS_OF, settings
    from shopmill import datasets
    from shopmill.engine.duckdb_engine import DuckDBEngine
    from shopmill.run.checks import Checking

    dataset = datasets.load(reading.DATASET)
    table = dataset.table(reading.TABLE)
    bound = {**dataset.parse_parameters({}), "as_of": date.fromisoformat(AS_OF)}

    def violations(files: list[str]) -> Violations:
        with DuckDBEngine(settings(place), place.folder) as engine:
            engine.view(table.name, [Path(file) for file in files], {one.name: one.type for one in table.columns})
            checking = Checking(dataset, engine, bound, {table.name: 1}, {}, {})
            found = {result.name: result.violations for result in checking.of_table(table)}
        return {rule: found[rule] for rule in _rules()}

    return _judged(place, clock, violations)


def pointblank(place: Place, clock: Clock) -> Results:
    import os

    os.environ["POLARS_MAX_THREADS"] = str(place.threads)
    import pointblank as pb
    import polars as pl
    import polars.selectors as cs

    def violations(files: list[str]) -> Violations:
        frame = pl.read_parquet(files, columns=sorted({*REQUIRED, *FROM_ZERO, "last_interaction_date"}))
        frame = frame.with_columns(cs.decimal().cast(pl.Float64))  # it asks every number whether it is NaN
        validation = (
            pb.Validate(frame)
            .col_vals_not_null(columns=list(REQUIRED))
            .col_vals_ge(columns=list(FROM_ZERO), value=0, na_pass=True)
            .col_vals_le(columns="first_interaction_date", value=pb.col("last_interaction_date"), na_pass=True)
            .rows_distinct(columns_subset=list(KEY))
            .interrogate(collect_extracts=False)
        )
        failed = validation.n_failed()
        found = {rule: int(failed[step]) for step, rule in enumerate(_rules(), 1)}
        return {**found, UNIQUE: _beyond_the_first(frame, found[UNIQUE])}

    return _judged(place, clock, violations)


def pandera(place: Place, clock: Clock) -> Results:
    import os

    os.environ["POLARS_MAX_THREADS"] = str(place.threads)
    import pandera.polars as pa
    import polars as pl
    from pandera.errors import SchemaErrors

    def checks(name: str) -> list[object]:
        return [pa.Check.ge(0)] if name in FROM_ZERO else []

    def in_order(data: Any) -> Any:
        in_order = pl.col("first_interaction_date") <= pl.col("last_interaction_date")
        return data.lazyframe.select(in_order.fill_null(True))

    names = sorted({*REQUIRED, *FROM_ZERO, "last_interaction_date"})
    columns = {name: pa.Column(checks=checks(name), nullable=name not in REQUIRED) for name in names}
    schema = pa.DataFrameSchema(columns, checks=[pa.Check(in_order, name=IN_ORDER)], unique=list(KEY))

    def violations(files: list[str]) -> Violations:
        frame = pl.read_parquet(files, columns=names)
        found = dict.fromkeys(_rules(), 0)
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            for column, check in errors.failure_cases.select("column", "check").rows():
                found[_rule_of(column, check)] += 1
        return {**found, UNIQUE: _beyond_the_first(frame, found[UNIQUE])}

    return _judged(place, clock, violations)


def _rule_of(column: str, check: str) -> str:
    if check == "not_nullable":
        return f"{column} not null"
    if check.startswith("greater_than_or_equal_to"):
        return f"{column} at least 0"
    return IN_ORDER if check == IN_ORDER else UNIQUE


def _beyond_the_first(frame: Any, n_repeated: int) -> int:
    """Rows beyond the first of their key: both count every row of a key that repeats."""
    return int(frame.height) - int(frame.select(KEY).unique().height) if n_repeated else 0


STAGE = Stage(
    name="checks",
    what=f"{len(tuple(_rules()))} rules on `interactions`",
    tables=reading.STAGE.tables,
    contenders=(
        Contender("shopmill, these and all other rules of the table", ours),
        Contender("Pointblank on Polars", pointblank, extra="pointblank"),
        Contender("Pandera on Polars", pandera, extra="pandera"),
    ),
    compared=(Compared("violations", ("file", "rule")),),
)
