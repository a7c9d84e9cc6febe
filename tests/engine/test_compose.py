"""From the SQL files of a dataset to one statement per table."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from shopmill.declaration import Column, Dataset, Promise, Table, Task
from shopmill.engine.compose import base_tables, columns_of, compose, references, statement, views_of

FILES = {
    "out": "select b, a from high",
    "high": "with own as (select * from low) select own.a, o.b from own join orders as o using (a)",
    "low": "select a from events",
    "unused": "select 1",
}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for name, text in FILES.items():
        path = tmp_path / ("tables" if name == "out" else "views") / f"{name}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    table = Table("out", "rows", (Column("a", "integer", "a"), Column('b "x"', "varchar", "b")), key=("a",))
    return Dataset(
        "d",
        "",
        "",
        Promise(timedelta(hours=2), timedelta(hours=28)),
        "",
        tmp_path,
        {},
        (Task("t", ("out",)),),
        (table,),
    )


@pytest.mark.parametrize(
    "sql",
    [
        "select a, t.b, count(*) as n from t group by all",
        'select a, b as "B b", 1 as c from t union all select 1, 2, 3',
        "with t as (select * from u) select t.a, max(b) as b from t group by t.a order by 1",
    ],
)
def test_the_columns_that_a_query_names_are_those_that_the_engine_gives(sql: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table u as select 1 as a, 2 as b")
        connection.execute("create table t as select * from u")
        assert columns_of(sql) == tuple(connection.sql(sql).columns)


@pytest.mark.parametrize(
    "select",
    [
        "*",
        "t.*",
        "*, 1 as c",
        "* exclude (a)",
        "* replace (1 as a)",
        "columns('a|b')",
        "columns(*)",
        "a, count(*)",
        "a + 1",
    ],
)
def test_a_query_that_does_not_name_its_columns_has_none(select: str) -> None:
    assert columns_of(f"select {select} from t") == ()
    assert columns_of(f"select {select} from t union all select 1, 2") == ()


def test_own_expressions_are_no_references() -> None:
    assert references(FILES["high"]) == {"low", "orders"}
    assert references("select (select max(x) from a) from b where y in (select y from c)") == {"a", "b", "c"}


def test_views_come_after_those_they_need(dataset: Dataset) -> None:
    assert list(views_of(dataset, FILES["out"])) == ["low", "high"]
    assert base_tables(dataset, FILES["out"]) == {"orders", "events"}


def test_a_published_table_is_read_and_not_computed_again(dataset: Dataset) -> None:
    assert views_of(dataset, "select * from out") == {}
    assert base_tables(dataset, "select * from out") == {"out"}


def test_a_statement_casts_and_orders(dataset: Dataset) -> None:
    text = statement(dataset, dataset.tables[0])
    assert text.startswith('with "low" as (')
    assert 'cast("a" as integer) as "a"' in text
    assert 'cast("b ""x""" as varchar)' in text
    assert text.endswith('order by "a"')
    assert "unused" not in text
    assert compose(dataset, "select 1").startswith("select * from (")


def test_what_an_engine_holds_is_a_table_to_a_query(dataset: Dataset) -> None:
    assert list(views_of(dataset, FILES["out"], held={"low"})) == ["high"]
    assert list(views_of(dataset, FILES["out"], held={"high"})) == []
    assert '"low" as (' not in compose(dataset, FILES["out"], held={"low"})
    assert statement(dataset, dataset.tables[0], held={"high"}).startswith("select")
