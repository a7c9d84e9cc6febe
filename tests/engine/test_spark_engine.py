"""Spark gives what DuckDB gives: the same rows, and Parquet of the same types."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopmill.engine import spark_engine
from shopmill.engine.choice import open_engine
from shopmill.engine.protocol import Engine
from shopmill.engine.spark_dialect import columns_by_text
from shopmill.engine.splitting import by_hash, by_period
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings

pytestmark = pytest.mark.spark

ROWS = """
select cast(i as integer) as i, d, ts, cast(m as decimal(18, 6)) as m, s, cast(f as double) as f, b
from (values
  (1, date '2020-02-29', timestamptz '2020-03-29 00:30:00+00', 10.5, 'a"é/', 0.125, true),
  (2, date '2020-12-31', timestamptz '2020-10-25 00:30:00.000001+00', 0, 'b', 2, false),
  (3, null, null, null, null, null, null)
) as t(i, d, ts, m, s, f, b)
order by i
"""
BOUND = {
    "as_of": date(2020, 9, 23),
    "since": date.min,
    "as_of_at": datetime(2020, 9, 23, 10, 15, tzinfo=UTC),
    "time_zone": "Europe/Stockholm",
    "share": Decimal("0.05"),
    "back": Decimal("-1.0"),
    "tiny": Decimal("1E-12"),
    "big": 2**40,
    "few": 240,
    "fewer": -240,
    "words": "it's",
    "yes": True,
}
SAME = """
select $as_of as a, $since as b, $as_of_at as c, $share as d, $back as e, $tiny as f, $big as g, $words as h, $yes as i
select $few * 60000000 as a, $fewer * 60000000 as b, date_diff('day', $since, $as_of) <= $few as c
select i, cast(ts at time zone $time_zone as date) as day, epoch_us(ts) as us from t order by i
select i, extract(hour from (ts at time zone $time_zone)) as h, extract(minute from ts) as m from t order by i
select i, epoch_us(cast(d as timestamp) at time zone $time_zone) as midnight from t order by i
select i, epoch_us((cast(d as timestamp) + interval 1 day) at time zone $time_zone) as midnight from t order by i
select isodow(d) as a, dayofweek(d) as b, extract(isodow from d) as c, extract(dow from d) as e, extract(week from d) as w from t order by i
select to_json({'a': cast(m as varchar), 'b': s, 'c': cast(d as varchar), 'e': cast(i as varchar)}) as j from t order by i
select i / 2 as a, m / 3 as b, m / i as c, i // 2 as e, i % 2 as f, (i / 2) / (i / 3) as g from t order by i
select date_diff('day', d, $as_of) as a, date_diff('week', d, $as_of) as b, date_diff('month', d, $as_of) as c from t order by i
select date_diff('day', cast(ts as timestamp), cast($as_of_at as timestamp)) as a from t order by i
select cast(d + interval (i) day as date) as a, cast(d - interval 30 day as date) as b from t order by i
select epoch_us(ts + interval (i) minute) as a, ts + interval 30 minute < $as_of_at as b from t order by i
select cast(date_trunc('month', d) as date) as a, cast(date_trunc('week', d) as date) as b from t order by i
select sum(m) as a, sum(m * m) as b, count(*) filter (where b) as c, min(s) as e, sum(i) as f, count(distinct s) as g from t
select max_by(s, i) as a, min_by(s, i) as b, arg_max(s, i) as c, bool_or(b) as e from t
select count(distinct cast(hash(s, i) >> 24 as bigint)) as a, bool_or(hash(s, null) = hash(null, s)) as b from t
select string_agg(s, ',' order by s desc) as a from t
select i, lag(i) over (order by i) as a, row_number() over (order by s desc) as c, percent_rank() over (order by i) as f from t order by i
select i, last_value(s ignore nulls) over (order by i rows between unbounded preceding and current row) as a from t order by i
select i, count(*) over (order by d range between interval 6 days preceding and current row) as a from t where d is not null order by i
select unnest(generate_series(1, 3)) as n
select b, count(*) as n from t group by all order by all
select i from t qualify row_number() over (order by i desc) = 1
select * exclude (ts) from t order by i
select i from t order by s desc
select i from t where i not in (select i from t where i > 1) or s is distinct from 'b' order by i
select count(*) || ' of ' || sum(i) as a from t
select length(s) as a, lpad(s, 5, '0') as b, regexp_replace(s, '[a-z]', '', 'g') as c, regexp_matches(s, '^a') as e from t order by i
select cast(cast(12345678901234567890 as decimal(38, 0)) as varchar) as a, cast(cast(0 as decimal(18, 7)) as varchar) as b
select 'é' < 'z' as a, 'Z' < 'a' as b
""".strip().splitlines()
SERIES = "select unnest(generate_series(date '2020-01-30', date '2020-03-01', interval 1 day)) as d"
REFUSED = {
    "select list(s order by s) as a from t": r"list\(\.\.\. order by \.\.\.\)",
    "select regexp_replace(s, 'a', 'x') as a from t": "regexp_replace without 'g'",
    "select date_diff('minute', ts, ts) as a from t": r"date_diff\('minute', \.\.\.\)",
}
TYPED = """
select i, cast(i as smallint) as small, cast(i as bigint) as big, d, ts, cast(ts as timestamp) as local, m,
  cast(m as decimal(9, 2)) as narrow, cast(m as decimal(38, 12)) as wide, s, f, cast(f as float) as single, b
from t order by s, i
"""


@pytest.fixture(scope="module")
def engines(
    tmp_path_factory: pytest.TempPathFactory, spark_settings: Mapping[str, Any]
) -> Iterator[tuple[Engine, Engine]]:
    """DuckDB and Spark, both with a view `t` of a file that DuckDB wrote."""
    scratch = tmp_path_factory.mktemp("engines") / "scratch [1]"
    settings = Settings(_env_file=None)
    with (
        open_engine(settings, scratch) as duckdb,
        open_engine(settings.model_copy(update=spark_settings), scratch) as spark,
    ):
        file = scratch / "day=2020-09-23" / "t.parquet"
        duckdb.write(ROWS, {}, file)
        for engine in (duckdb, spark):
            engine.view("t", [file], dict.fromkeys(["i", "d", "ts", "m", "s", "f", "b"], ""))
        yield duckdb, spark


@pytest.mark.parametrize("query", SAME)
def test_same_rows(engines: tuple[Engine, Engine], query: str) -> None:
    duckdb, spark = engines
    expected = duckdb.rows(query, BOUND)
    assert expected
    assert spark.rows(query, BOUND) == expected


@pytest.mark.parametrize("query", REFUSED)
def test_what_would_mean_something_else_is_refused(engines: tuple[Engine, Engine], query: str) -> None:
    with pytest.raises(InvalidInputError, match=REFUSED[query]):
        engines[1].rows(query, BOUND)


def test_files_differ_in_nothing_that_a_reader_sees(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    duckdb, spark = engines
    files = [tmp_path / "duckdb.parquet", tmp_path / "spark.parquet"]
    assert [engine.write(TYPED, {}, file) for engine, file in zip(engines, files, strict=True)] == [3, 3]
    expected, found = [pq.read_table(file) for file in files]
    assert found.schema.remove_metadata().equals(expected.schema.remove_metadata())
    assert found.to_pylist() == expected.to_pylist()
    assert duckdb.columns(TYPED, {}) == spark.columns(TYPED, {})


def field_ids(file: Path) -> list[int | None]:
    fields = [field.metadata or {} for field in pq.read_schema(file)]
    return [int(field[b"PARQUET:field_id"]) if b"PARQUET:field_id" in field else None for field in fields]


def test_columns_have_the_field_ids_that_duckdb_gives_them(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    for name, engine in zip(("duckdb", "spark"), engines, strict=True):
        engine.write(TYPED, {}, tmp_path / f"{name}.parquet")
        ((_, period, _),) = engine.write_split(
            "select s, d, i from t where i = 1", {}, tmp_path / name, by_period("d", "month"), ["s", "d", "i"]
        )
        assert field_ids(tmp_path / f"{name}.parquet") == list(range(1, 14))
        assert field_ids(period) == [1, 2, 3]


def test_a_table_with_lists_has_no_field_ids(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    """Spark cannot number their elements, and half the ids would be read wrong."""
    engines[1].write("select i, [f] as v from t", {}, tmp_path / "lists.parquet")
    assert field_ids(tmp_path / "lists.parquet") == [None, None]


def test_the_same_rows_are_the_same_bytes(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    files = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    for file in files:
        engines[1].write(TYPED, {}, file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_table_without_rows_has_its_types(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    columns = {"id": "varchar", "at": "timestamptz", "price": "decimal(18,6)", "n": "integer"}
    schemas = []
    for name, engine in zip(("duckdb", "spark"), engines, strict=True):
        engine.view("nothing", [], columns)
        assert engine.write('select * from nothing order by "id"', {}, tmp_path / name) == 0
        schemas.append(pq.read_schema(tmp_path / name).remove_metadata())
    assert schemas[0].equals(schemas[1])


def test_one_ordered_file_for_each_period(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    days = f"select cast(d as date) as day, n from ({SERIES}), (values (2), (1)) as v(n)"
    found = []
    for name, engine in zip(("duckdb", "spark"), engines, strict=True):
        written = engine.write_split(days, {}, tmp_path / name, by_period("day", "month"), ["day", "n"])
        found.append([(start, rows, path.name, pq.read_table(path).to_pydict()) for start, path, rows in written])
        assert sorted((tmp_path / name).iterdir()) == sorted(path for _, path, _ in written)
    assert [start for start, *_ in found[0]] == ["2020-01-01", "2020-02-01", "2020-03-01"]
    assert found[0] == found[1]


def test_a_hash_splits_rows_over_the_same_files(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    query = "select * from (values ('a', 2), ('a', 1), ('å', 1), ('', 3), (null, 4), ('b', 1)) as v(k, n)"
    found = []
    for name, engine in zip(("duckdb", "spark"), engines, strict=True):
        written = engine.write_split(query, {}, tmp_path / name, by_hash("k", 16), ["k", "n"])
        found.append([(label, rows, path.name, pq.read_table(path).to_pydict()) for label, path, rows in written])
    assert sum(rows for _, rows, *_ in found[0]) == 6
    assert found[0] == found[1]


def test_duplicates(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    path = tmp_path / "keys.parquet"
    pq.write_table(pa.table({"a": [1, 1, 1, 2], "b": ["x", "x", "y", "x"]}), path)
    for engine in engines:
        engine.view("keys", [path], {"a": "bigint", "b": "varchar"})
        assert engine.duplicates("keys", ["a", "b"]) == 1
        assert engine.duplicates("keys", ["a"]) == 2


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("with x as (select 1 as y) select * from (select y, y + 1 as z from x) as r order by y", ("y", "z")),
        ("select * from (select i, s from t) as r", ("i", "s")),
        ('select cast(i as integer) as "a b", t.s from t', ("a b", "s")),
        ("select * from (select i from t) as r(n)", ()),
        ("select * exclude (i) from (select i, s from t)", ()),
        ("select * from (select i from t) join (select i, s from t) using (i)", ()),
        ("select * from (select i from t), (select s from t)", ()),
        ("select t.* from t", ()),
        ("select i + 1 as n, count(*) from t group by i", ()),
        ("select i as n from t union all select i from t", ()),
    ],
)
def test_columns_by_the_text_alone(engines: tuple[Engine, Engine], query: str, named: tuple[str, ...]) -> None:
    assert columns_by_text(query) == named
    if named:
        assert [engine.columns(query, {}) for engine in engines] == [list(named)] * 2
    else:
        assert engines[0].columns(query, {})


def test_overflow_is_an_error(engines: tuple[Engine, Engine]) -> None:
    for engine in engines:
        with pytest.raises(Exception, match=r"(?i)overflow|range"):
            engine.rows("select cast(3000000000 + i as integer) as n from t", {})


def test_without_pyspark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spark_engine, "version", missing)
    with pytest.raises(InvalidInputError, match=r"pip install 'shopmill\[spark\]'"):
        open_engine(Settings(_env_file=None, engine="spark"), tmp_path)


def test_without_java_it_says_what_to_install(tmp_path: Path) -> None:
    code = "from shopmill.engine.choice import open_engine; from shopmill.settings import Settings; from pathlib import Path; "
    code += "open_engine(Settings(_env_file=None, engine='spark'), Path('x'))"
    environment = {**os.environ, "JAVA_HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "InvalidInputError" in ended.stderr
    assert "Java 17" in ended.stderr
