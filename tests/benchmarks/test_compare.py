from pathlib import Path

import duckdb
import pytest

from benchmarks.compare import same_results
from benchmarks.measure import BenchError
from benchmarks.stage import Compared

SUMS = Compared("sums", ("id",), 1e-6)
ROWS = "select i::varchar as id, i::bigint as n, (i / 3)::double as mean, date '2020-01-01' as day from range(3) r(i)"


def compared(folder: Path, theirs: str, ours: str = ROWS, compared: Compared = SUMS) -> str:
    for name, query in (("ours", ours), ("theirs", theirs)):
        duckdb.connect().execute(f"copy ({query}) to '{folder}/{name}.parquet' (format parquet)")
    return same_results((compared,), "rival", {"sums": f"{folder}/ours.parquet"}, {"sums": f"{folder}/theirs.parquet"})


def test_the_same_rows_in_another_order_and_within_the_tolerance(tmp_path: Path) -> None:
    theirs = f"select * replace (mean * (1 + 1e-9) as mean, n::hugeint as n) from ({ROWS}) order by id desc"
    assert compared(tmp_path, theirs) == "3 rows and 3 columns of sums are the same within 1e-06"


def test_a_rival_may_have_fewer_columns(tmp_path: Path) -> None:
    assert compared(tmp_path, f"select id, n from ({ROWS})") == "3 rows and 1 columns of sums are the same within 1e-06"


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (f"select * replace (mean * 1.01 + 0.1 as mean) from ({ROWS})", "3 rows of sums differ, such as .* in mean"),
        (f"select * replace (n + 1 as n) from ({ROWS})", "3 rows of sums differ, such as .* in n"),
        (f"select * replace (null::double as mean) from ({ROWS})", "3 rows of sums differ, such as .* in mean"),
        (f"select * replace (day + 1 as day) from ({ROWS})", "3 rows of sums differ, such as .* in day"),
        (f"select * from ({ROWS}) where id <> '1'", "1 rows of sums differ, such as .* in shopmill alone"),
        (f"{ROWS} union all select '9', 9, 3, null", "1 rows of sums differ, such as .* in the rival alone"),
        (f"{ROWS} union all {ROWS}", "rival has the key .* of sums more than once"),
        (f"select *, 1 as more from ({ROWS})", "rival has columns in sums that shopmill lacks: more"),
        (f"select n from ({ROWS})", "rival lacks key columns of sums: id"),
    ],
)
def test_a_rival_with_another_result_is_a_failure(tmp_path: Path, theirs: str, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        compared(tmp_path, theirs)


def test_without_a_tolerance_numbers_are_equal(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="differ"):
        compared(tmp_path, f"select * replace (mean + 1e-9 as mean) from ({ROWS})", compared=Compared("sums", ("id",)))


def test_nothing_is_not_compared(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="sums has no rows"):
        compared(tmp_path, f"{ROWS} limit 0", f"{ROWS} limit 0")
    with pytest.raises(BenchError, match="rival has none of the results sums"):
        same_results((SUMS,), "rival", {"sums": ""}, {})
