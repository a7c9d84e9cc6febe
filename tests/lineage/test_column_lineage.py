"""Column lineage of single statements."""

import pytest
from sqlglot.errors import SqlglotError

from shopmill.lineage.column_lineage import Source, Statement

SCHEMA = {
    "t": {"a": "integer", "b": "integer", "c": "integer", "d": "date"},
    "u": {"a": "integer", "e": "integer", "f": "integer"},
}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a as x from t", {"t.a IDENTITY"}),
        ("select a + b as x from t", {"t.a TRANSFORMATION", "t.b TRANSFORMATION"}),
        ("select cast(a as bigint) as x from t", {"t.a TRANSFORMATION"}),
        ("select sum(a) as x from t group by b", {"t.a AGGREGATION"}),
        ("select sum(a + 1) + 2 as x from t", {"t.a AGGREGATION", "a constant"}),
        ("select count(*) as x from t", {"a number of rows"}),
        ("select count(distinct a) as x from t", {"t.a AGGREGATION"}),
        ("select sum(a) filter (where b > 1) as x from t", {"t.a AGGREGATION", "t.b CONDITIONAL"}),
        (
            "select case when b > 1 then a else 0 end as x from t",
            {"t.b CONDITIONAL", "t.a TRANSFORMATION", "a constant"},
        ),
        ("select case b when 1 then a end as x from t", {"t.b CONDITIONAL", "t.a TRANSFORMATION"}),
        (
            "select lag(a) over (partition by b order by c) as x from t",
            {"t.a TRANSFORMATION", "t.b WINDOW", "t.c WINDOW"},
        ),
        ("select row_number() over (order by c) as x from t", {"a number of rows", "t.c WINDOW"}),
        ("select date_diff('day', d, $as_of) as x from t", {"t.d TRANSFORMATION", "$as_of"}),
        ("select a as x from t union all select e from u", {"t.a IDENTITY", "u.e IDENTITY"}),
        ("with v as (select *, a * 2 as y from t) select max(y) as x from v", {"t.a AGGREGATION", "a constant"}),
        ("select v.y as x from (select b as y from t) as v", {"t.b IDENTITY"}),
        ("select (select max(e) from u) + a as x from t", {"u.e AGGREGATION", "t.a TRANSFORMATION"}),
        ("select (select max(e) from u where u.a = t.a) as x from t", {"u.e AGGREGATION"}),
        ("select e as x from t join u using (a)", {"u.e IDENTITY"}),
        ("select unnest(generate_series(a, b)) as x from t", {"t.a TRANSFORMATION", "t.b TRANSFORMATION"}),
        ("select 'text' as x from t", {"a constant"}),
    ],
)
def test_what_a_column_is_made_of(sql: str, expected: set[str]) -> None:
    assert {_told(source) for source in Statement(sql, SCHEMA).sources("x")} - {"a constant"} == expected - {
        "a constant"
    }


def test_a_constant_alone_is_said() -> None:
    assert {_told(source) for source in Statement("select 1 as x", {}).sources("x")} == {"a constant"}


def _told(source: Source) -> str:
    return f"{source.table}.{source.column} {source.role}" if source.table else source.column


def test_conditions_are_those_of_all_levels() -> None:
    sql = """
    with v as (select a, b from t where c > 1 qualify row_number() over (partition by d) = 1)
    select v.a, count(*) as n from v join u on u.a = v.a
    where exists (select 1 from u as w where w.f = v.b) group by v.a having count(*) > 1
    """
    found = {_told(source) for source in Statement(sql, SCHEMA).conditions()}
    assert {"t.c FILTER", "t.d FILTER", "u.a JOIN", "t.a JOIN", "u.f FILTER", "t.b FILTER", "t.a GROUP_BY"} == found


def test_a_column_of_no_table_is_an_error() -> None:
    with pytest.raises(SqlglotError):
        Statement("select nothing as x from t", SCHEMA)


def test_tables_are_named_with_their_schema() -> None:
    statement = Statement("select s.k::text as x from shop.sales as s join c on c.k = s.k", {}, dialect="postgres")
    assert statement.tables == {"shop.sales", "c"}
    assert {_told(source) for source in statement.sources("x")} == {"shop.sales.k TRANSFORMATION"}
