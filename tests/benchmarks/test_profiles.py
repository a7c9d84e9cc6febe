"""Where the time of full builds goes: of real builds of a tiny shop, and as a table."""

from pathlib import Path

from benchmarks.profiles import Build, builds, markdown
from shopmill.engine.profile import Profile, Statement


def statement(part: str, seconds: float, spilled: int = 0) -> Statement:
    return Statement("transform", part, "select 1", 2_000_000, 500_000, seconds, 2 * seconds, spilled)


def test_the_table_names_what_took_long_and_sums_up_the_rest() -> None:
    found = Profile(
        statements=[
            statement("features", 60.0, 3_200_000_000),
            statement("features", 30.0),
            statement("rejects", 9.0),
            statement("rules of features", 0.5),
            statement("account of orders", 0.5),
        ]
    )
    lines = markdown([Build("customer_features", found, 101.0, 3.25)], "2 cores", "make bench-profile").splitlines()
    assert lines[-4:] == [
        "| `customer_features` | **all of it, 3.2 GiB at most** | **101.0** |  |  |  |  |",
        "|  | features | 90.0 | 180.0 | 4.0 | 1.0 | 3.2 |",
        "|  | rejects | 9.0 | 18.0 | 2.0 | 0.5 | 0.0 |",
        "|  | 2 other parts | 1.0 | 2.0 |  |  |  |",
    ]


def test_a_build_is_profiled(tmp_path: Path) -> None:
    [found] = builds(["user_item_interactions"], 0.001, tmp_path)
    parts = {one.part for one in found.profile.statements}
    assert {"log", "interactions", "judged_orders, held", "account of events"} <= parts
    assert all(one.seconds > 0 for one in found.profile.by_part()[:3])
    assert found.wall_s > 0 < found.peak_gib
