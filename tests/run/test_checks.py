"""Each kind of check on rows that meet it and rows that do not."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shopmill.declaration import REJECTS, Column, Dataset, Input, Promise, QueryCheck, RowCheck, Table
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.errors import InvalidInputError
from shopmill.run.checks import Checking, Result
from shopmill.settings import Settings

TABLE = Table(
    "things",
    "one row per id",
    (
        Column("id", "varchar", "id"),
        Column("size", "integer", "size", minimum=0, maximum=10),
        Column("kind", "varchar", "kind", required=False, allowed=("a", "it's b")),
    ),
    key=("id",),
    checks=(RowCheck("small are a", "size > 5 or kind = 'a'", "small things are of kind a", "warn"),),
)
DATASET = Dataset(
    "a_dataset", "", "", Promise(timedelta(hours=2), timedelta(hours=28)), "", Path("/nowhere"), {}, (), (TABLE, REJECTS),
)  # fmt: skip
GOOD = [("x", 1, "a"), ("y", 10, "it's b"), ("z", 0, None)]
BOUND = {
    "max_row_drop": Decimal("0.5"),
    "max_reject_share": Decimal("0.1"),
    "limit": 2,
    "fresh_days": 3,
    "stale_days": 14,
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    with DuckDBEngine(Settings(_env_file=None), tmp_path) as opened:
        yield opened


def check(
    engine: DuckDBEngine,
    rows: list[tuple[Any, ...]],
    dataset: Dataset = DATASET,
    rejects: int = 0,
    before: Mapping[str, int] | None = None,
    ages: Mapping[str, int] | None = None,
) -> dict[str, Result]:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    types = (pa.string(), pa.int64(), pa.string())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    named = {column.name: pa.array([None] * rejects, pa.string()) for column in REJECTS.columns}
    engine.table("rejects", pa.table({**named, "reason": pa.array(["r"] * rejects, pa.string())}))
    bound = {**BOUND, "max_reject_share": Decimal("0.1")}
    checking = Checking(dataset, engine, bound, {"things": len(rows), "rejects": rejects}, before or {}, ages or {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "things.parquet"
        pq.write_table(pa.table(arrays, names=["id", "size", "kind"]), path)
        engine.view("things", [path], {"id": "varchar", "size": "bigint", "kind": "varchar"})
        found = checking.run()
    return {
        f"{result.table}: {result.name}": result
        for result in found
        if result.table != "rejects" or result.name == "rejects"
    }


def failed(results: dict[str, Result]) -> dict[str, int]:
    return {name: result.violations for name, result in results.items() if not result.passed}


def test_good_rows_pass(engine: DuckDBEngine) -> None:
    results = check(engine, GOOD)
    assert failed(results) == {}
    assert set(results) >= {
        "things: id not null", "things: size not null", "things: size at least 0", "things: size at most 10",
        "things: kind of known values", "things: small are a", "things: key unique", "things: row count",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ((None, 1, "a"), "id not null"),
        (("k", None, "a"), "size not null"),
        (("k", -1, "a"), "size at least 0"),
        (("k", 11, "a"), "size at most 10"),
        (("k", 9, "c"), "kind of known values"),
        (("k", 5, "it's b"), "small are a"),
        (("z", 0, None), "key unique"),
    ],
)
def test_a_row_that_breaks_a_rule(engine: DuckDBEngine, row: tuple[Any, ...], name: str) -> None:
    assert failed(check(engine, [*GOOD, row])) == {f"things: {name}": 1}


def test_a_failure_is_told_with_three_keys(engine: DuckDBEngine) -> None:
    result = check(engine, [(f"k{n}", -n, "a") for n in range(1, 6)])["things: size at least 0"]
    assert (result.violations, result.examples) == (5, ("k1", "k2", "k3"))
    assert result.sentence() == "size at least 0: 5 violations (such as k1; k2; k3)"
    assert result.document()["examples"] == ["k1", "k2", "k3"]
    repeated = check(engine, [(f"k{n // 2}", 1, "a") for n in range(9)])["things: key unique"]
    assert (repeated.violations, repeated.examples) == (4, ("k0", "k1", "k2"))
    assert check(engine, [("k", 1, "it's b")])["things: small are a"].severity == "warn"


@pytest.mark.parametrize(
    ("rows", "before", "passes"), [(3, 0, True), (0, 0, False), (3, 6, True), (3, 7, False), (0, 5, False)]
)
def test_rows_must_not_collapse(engine: DuckDBEngine, rows: int, before: int, passes: bool) -> None:
    result = check(engine, GOOD[:rows], before={"things": before})["things: row count"]
    assert result.passed == passes
    if not passes:
        assert f"{rows} rows, {before}" in result.sentence()


def test_a_table_that_may_be_empty_may_collapse(engine: DuckDBEngine) -> None:
    dataset = replace(DATASET, tables=(replace(TABLE, may_be_empty=True), REJECTS))
    assert failed(check(engine, [], dataset, before={"things": 9})) == {}


@pytest.mark.parametrize(
    ("age", "passes", "blocks"),
    [(3, True, False), (4, False, False), (14, False, False), (15, False, True), (None, False, True)],
)
@pytest.mark.parametrize("severity", ["error", "warn"])
def test_inputs_must_be_fresh(engine: DuckDBEngine, age: int | None, passes: bool, blocks: bool, severity: Any) -> None:
    dataset = replace(DATASET, extracts={"extract": (Input("events", True, severity), Input("orders"))})
    results = check(engine, GOOD, dataset, ages={} if age is None else {"events": age})
    fresh = next(result for result in results.values() if result.name == "events fresh")
    assert fresh.passed == passes
    assert ((fresh.severity == "error") and not fresh.passed) == (blocks and severity == "error")
    assert not any("orders" in name for name in results)


@pytest.mark.parametrize(
    ("sql", "violations", "detail"),
    [
        ("select count(*) as violations from things where size > $limit", 1, ""),
        ("select 0 as violations, 'all is well' as detail", 0, ""),
        ("select null as violations", 0, ""),
        ("select 3 as violations, 'three of them' as detail", 3, "three of them"),
    ],
)
def test_a_query_counts_violations(
    engine: DuckDBEngine, tmp_path: Path, sql: str, violations: int, detail: str
) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "a_query.sql").write_text(sql)
    dataset = replace(DATASET, folder=tmp_path, checks=(QueryCheck("a query", "meaning", "warn"),))
    result = check(engine, GOOD, dataset)[": a query"]
    assert (result.violations, result.detail, result.severity) == (violations, detail, "warn")


RANGED = Table(
    "measured",
    "one row per measurement",
    (
        Column("number", "bigint", "number", minimum=0, maximum=9),
        Column("share", "double", "share", required=False, minimum=0, maximum=1),
        Column("day", "date", "day"),
    ),
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-1, 10),
            st.none() | st.sampled_from([-0.5, 0.0, 0.5, 1.0, 1.5, float("nan"), float("inf")]),
            st.none() | st.just(date(2020, 9, 22)),
        ),
        max_size=6,
    )
)
def test_what_the_statistics_of_a_file_clear_is_what_a_count_would_find(
    tmp_path: Path, engine: DuckDBEngine, rows: list[tuple[Any, ...]]
) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    types = (pa.int64(), pa.float64(), pa.date32())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    pq.write_table(pa.table(arrays, names=["number", "share", "day"]), tmp_path / "measured.parquet")
    engine.view("measured", [tmp_path / "measured.parquet"], {c.name: c.type for c in RANGED.columns})
    checking = Checking(DATASET, engine, BOUND, {"measured": len(rows)}, {}, {})
    found = {result.name: result.violations for result in checking.of_table(RANGED)}
    numbers, shares, days = columns
    assert found["number not null"] == numbers.count(None)
    assert found["day not null"] == days.count(None)
    assert found["number at least 0"] == sum(n is not None and n < 0 for n in numbers)
    assert found["number at most 9"] == sum(n is not None and n > 9 for n in numbers)
    assert found["share at least 0"] == sum(s is not None and s < 0 for s in shares)
    assert found["share at most 1"] == sum(s is not None and not s <= 1 for s in shares)  # NaN is beyond every number


def test_examples_name_no_person(engine: DuckDBEngine) -> None:
    size = Column("size", "integer", "how much", minimum=0)
    visits = Table(
        "visits", "one row per customer", (Column("customer_id", "varchar", "who"), size), ("customer_id", "size")
    )
    dataset = replace(DATASET, tables=(visits,))
    engine.table("visits", pa.table({"customer_id": ["anna"], "size": pa.array([-1], pa.int64())}))
    rule = RowCheck("size at least 0", "size >= 0", "sizes are not negative")
    result = Checking(dataset, engine, BOUND, {"visits": 1}, {}, {})._row_result(visits, rule, 1)
    assert result.examples == ("•••, -1",)


@pytest.mark.parametrize("query", ["select 1 as violations where false", "select unnest([0, 0]) as violations"])
def test_a_check_that_gives_no_row_or_several_is_named(engine: DuckDBEngine, tmp_path: Path, query: str) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/all_well.sql").write_text(query)
    asked = replace(DATASET, folder=tmp_path, checks=(QueryCheck("all well", "all is well"),))
    with pytest.raises(
        InvalidInputError, match=r"The check 'all well' of a_dataset gives [02] rows: a check gives one"
    ):
        check(engine, GOOD, asked)
