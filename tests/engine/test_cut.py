"""Files of the last days are known apart from those of all days before, so that a query of the last days opens these alone."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.engine.splitting import RECENT, Cut, cut_of
from shopmill.settings import Settings

FIRST = date(2020, 1, 1)
COLUMNS = {"day": "date", "n": "integer", "later": "varchar"}


def _days(number: int) -> list[str]:
    return [str(FIRST + timedelta(days=day)) for day in range(number)]


@pytest.mark.parametrize(
    ("periods", "cut"),
    [
        (_days(RECENT + 2), Cut("day", date(2020, 1, 3), 2)),
        (_days(RECENT), None),
        (["empty"], None),
        ([*_days(RECENT + 2), "undated"], None),
        (_days(RECENT + 2)[::-1], None),
        ([f"{number:03d}" for number in range(RECENT + 2)], None),
    ],
)
def test_the_last_periods_are_apart_where_there_are_more(periods: Sequence[str], cut: Cut | None) -> None:
    assert cut_of("day", periods) == cut


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for day in _days(4):
        duckdb.sql(f"select date '{day}' as day, 1 as n").write_parquet(str(tmp_path / f"{day}.parquet"))
    return sorted(tmp_path.glob("*.parquet"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    with DuckDBEngine(Settings(_env_file=None), tmp_path) as opened:
        yield opened


def test_a_cut_changes_no_row(engine: DuckDBEngine, files: list[Path]) -> None:
    engine.view("things", files, COLUMNS, Cut("day", date(2020, 1, 3), 2))
    found = engine.rows("select * from things order by day", {})
    assert found == [{"day": FIRST + timedelta(days=day), "n": 1, "later": None} for day in range(4)]


def test_a_query_of_the_last_days_opens_their_files_alone(engine: DuckDBEngine, files: list[Path]) -> None:
    engine.view("things", files, COLUMNS, Cut("day", date(2020, 1, 3), 2))
    files[1].write_bytes(b"no Parquet")
    query = "select sum(n) as n from things where day >= $since - interval 1 hour"
    assert engine.rows(query, {"since": date(2020, 1, 3)}) == [{"n": 2}]
