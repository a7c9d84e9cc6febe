"""The bench of nearest vectors: a tiny run of the ways that need nothing else, and how recall and the tables are made."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.nearest.__main__ import markdown
from benchmarks.nearest.contend import Cost
from benchmarks.nearest.measure import Line, exact_similarity, measure, recall_of, ways_at
from benchmarks.nearest.vectors import Searched, different_texts
from benchmarks.nearest.ways import WAYS


def unit(rows: int, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    vectors = np.random.default_rng(seed).standard_normal((rows, 24)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_every_way_of_this_environment_finds_the_nearest_of_200() -> None:
    said: list[str] = []
    searched = Searched(unit(200, 1), unit(8, 2))
    lines = list(measure([way for way in WAYS if not way.extra], searched, said.append))
    assert len(lines) == len(said) == 5
    for line in lines:
        assert line.recall == 1, line.way
        assert 0 < line.cost.p50_ms <= line.cost.p99_ms
        assert line.cost.cpu_ms > 0
        assert line.cost.held >= 200 * 24 * 4
    assert lines[0].cost.build_s > 0


def test_equally_near_answers_are_equally_right() -> None:
    items = unit(30, 3)
    items[20:] = items[0]
    searched = Searched(items, items[:1])
    worst = exact_similarity(searched)
    assert recall_of(np.arange(20, 30)[None], searched, worst) == 1
    assert recall_of(np.array([[0, *range(21, 30)]]), searched, worst) == 1
    assert recall_of(np.array([[0, *[20] * 9]]), searched, worst) == 0.2, "one answer counts once"
    assert recall_of(np.array([[*range(1, 9), 20, -1]]), searched, worst) == 0.1


def test_texts_are_different_and_those_of_a_smaller_shop_come_first(tmp_path: Path) -> None:
    texts = different_texts(60, tmp_path)
    assert len(set(texts)) == 60
    assert texts[0].count(". ") >= 7


def test_the_tables_say_what_was_measured() -> None:
    def line(way: str, vectors: int, ms: float, *, is_built: bool = True) -> Line:
        return Line(way, vectors, Cost(8, 9, ms, 2 * ms, ms / 2, 2**20), 0.99, is_built)

    index, exact, bare, *_ = (way.name for way in WAYS)
    table = markdown(
        [
            line(index, 10, 1),
            line(exact, 10, 2),
            line(index, 99, 3),
            line(exact, 99, 4, is_built=False),
            line(bare, 99, 5),
        ],
        7,
        "2 cores",
    )
    assert "99 vectors, 7 searches one after another, 1 where every vector is compared." in table
    assert f"| {index} | 8.0 | 9.0 | 3.00 | 6.00 | 1.50 | 0.9900 | 1 |" in table
    assert f"| {exact} |  |  | 4.00 | 8.00 | 2.00 | 0.9900 | 1 |" in table
    assert f"| {exact} | 2.00, 1.00 | 4.00, 2.00 |" in table


@pytest.mark.parametrize(("size", "every"), [(10, False), (99, True)])
def test_all_ways_are_measured_at_the_largest_size(size: int, every: bool) -> None:
    assert (ways_at(size, 99) == WAYS) is every
    assert WAYS[0] in ways_at(size, 99)
