"""How time grows: the slope, and a table of what was measured."""

import tempfile
from pathlib import Path

import pytest

from benchmarks.growth import Growth, grow, markdown, slope
from benchmarks.measure import Cost


@pytest.mark.parametrize("power", [0.5, 1.0, 1.3])
def test_the_slope_of_a_power_is_the_power(power: float) -> None:
    assert slope([(x, 2 + power * x) for x in (0.0, 1.0, 3.0)]) == pytest.approx(power)


def test_the_table_says_what_was_measured() -> None:
    costs = {0.1: Cost(10.0, 18.0, 512), 1.0: Cost(50.0, 90.0, 2048)}
    found = Growth("`timeseries`", {0.1: 1_000_000, 1.0: 10_000_000}, costs, 0.1, Cost(17.0, 17.0, 512))
    assert found.exponent == pytest.approx(0.699, abs=0.001)
    table = markdown([found], "2 cores")
    assert "`make bench-growth` on" in table
    assert "| `timeseries` | 10.0 s, 1.0 | 50.0 s, 10.0 | 0.70 | 2.0 | 1.70 times as fast |" in table
    assert "two threads against one at 0.1" in table


def test_a_dataset_is_measured_at_each_scale_and_with_one_thread() -> None:
    said: list[str] = []
    with tempfile.TemporaryDirectory(prefix="shopmill-growth-") as folder:
        [found] = grow(["customers"], (0.001, 0.002), Path(folder), say=said.append)
    assert found.rows[0.001] < found.rows[0.002]
    assert min(found.costs[0.001].wall_s, found.alone.wall_s, found.speed_up) > 0
    assert [line.split()[2:5] for line in said] == [
        ["0.001", "2", "threads"],
        ["0.002", "2", "threads"],
        ["0.001", "1", "threads"],
    ]
