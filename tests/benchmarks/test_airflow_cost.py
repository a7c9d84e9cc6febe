"""What Airflow costs: work is measured in a fork, and an idle demo's processes by what they are."""

import os
import time
from pathlib import Path

import pytest

from benchmarks.airflow_cost import least, shares


def _busy() -> None:
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass


def test_work_is_measured_in_a_fork(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / str(os.getpid())).touch()
        _busy()

    assert 0.05 <= least(work) < 1
    assert len(list(tmp_path.iterdir())) == 3
    assert not (tmp_path / str(os.getpid())).exists()


def test_work_that_fails_has_no_figure() -> None:
    def work() -> None:
        raise ValueError("no DAG")

    with pytest.raises(RuntimeError, match="failed"):
        least(work)


def test_shares_are_of_the_time_between_and_the_largest_is_first() -> None:
    before, after = {"scheduler": 10.0, "postgres": 4.0}, {"scheduler": 13.0, "postgres": 4.6, "worker": 6.0}
    assert shares(before, after, 60) == {"worker": 0.1, "scheduler": 0.05, "postgres": pytest.approx(0.01)}
    assert list(shares(before, after, 60)) == ["worker", "scheduler", "postgres"]
