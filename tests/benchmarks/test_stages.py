"""Every stage on a shop of a few days: each rival has the same result, or the stage raises."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import stages
from benchmarks.bench import Bench
from benchmarks.measure import BenchError, measure
from benchmarks.stage import Place


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not pytest's own temporary folder: that is private, and the server of a root user runs as nobody.
    with tempfile.TemporaryDirectory(prefix="shopmill-bench-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("name", stages.names())
def test_rivals_have_the_same_result(folder: Path, name: str) -> None:
    report = Bench(0.001, folder, rounds=1, last_days=8, say=lambda _line: None).stage(stages.load(name))
    ours, *rivals = report.lines
    assert ours.peak_mib > 0
    assert ours.cpu_s > 0
    if report.left_out and not rivals:
        pytest.skip(f"`make .venv-bench/installed` first: without {' and '.join(report.left_out)}")
    assert rivals
    assert all("are the same" in rival.same for rival in rivals if not rival.bound)


def test_a_contender_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    place = Place(tmp_path / "no shop", tmp_path, 0.001)
    with pytest.raises(BenchError, match=r"(?s)sentiment: shopmill failed with exit code 1.*No files found"):
        measure("sentiment", "shopmill", place)


def test_a_stage_is_found_by_its_file() -> None:
    assert stages.names()[0] == "interactions"
    assert all(stages.load(name).name == name for name in stages.names())
