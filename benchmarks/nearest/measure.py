"""Measures the ways one after another, each in a process of its own, and compares what they found with the exact answer."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.measure import BENCH_PYTHON, ROOT, BenchError, is_installed
from benchmarks.nearest.contend import Cost
from benchmarks.nearest.vectors import Searched, Vectors
from benchmarks.nearest.ways import WAYS, K, Way, database

TIE = 1e-6
"""Two vectors as near as this are equally good answers: that of shopmill's own check of the recall."""


@dataclass(frozen=True)
class Line:
    """A way at one size."""

    way: str
    vectors: int
    cost: Cost
    recall: float
    is_built: bool = True


def measure(ways: Sequence[Way], searched: Searched, say: Callable[[str], None] = print) -> Iterator[Line]:
    """A line for each way that is there; those that are not in .venv-bench are left out."""
    with _place() as folder, database(folder) as (dsn, server):
        files = {name: str(folder / f"{name}.npy") for name in ("items", "queries", "found")}
        np.save(files["items"], searched.items)
        np.save(files["queries"], searched.queries)
        best = exact_similarity(searched)
        for way in ways:
            if way.extra and not is_installed(way.extra):
                say(f"without {way.name}: {way.extra} is not in .venv-bench")
                continue
            cost = _cost(way, {**files, "dsn": dsn, "server": 0 if way.extra else server}, folder)
            asked = replace(searched, queries=searched.queries[:: way.every])
            recall = recall_of(np.load(files["found"]), asked, best[:: way.every])
            line = Line(way.name, len(searched.items), cost, recall, way.is_built)
            say(
                f"{len(searched.items):>7} {way.name:<48} {cost.build_s:6.1f} s, {cost.p50_ms:7.2f} ms, p99 {cost.p99_ms:7.2f} ms, "
                f"{cost.cpu_ms:7.2f} ms of the processor, recall {recall:.4f}"
            )
            yield line


@contextmanager
def _place() -> Iterator[Path]:
    """Open to others: the PostgreSQL runs as another user where this one is root."""
    with tempfile.TemporaryDirectory(prefix="shopmill-nearest-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def _cost(way: Way, job: dict[str, object], folder: Path) -> Cost:
    own = tempfile.mkdtemp(dir=folder)
    document = json.dumps({**job, "way": way.name, "folder": own})
    python = str(BENCH_PYTHON) if way.extra else sys.executable
    command = [python, "-m", "benchmarks.nearest.contend", document]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    if done.returncode:
        raise BenchError(f"{way.name} failed with exit code {done.returncode}.\n{done.stderr.strip()[-2000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def exact_similarity(searched: Searched) -> Vectors:
    """Of the tenth nearest of each query: an answer is right that is as near."""
    k = min(K, len(searched.items))
    worst = [np.partition(searched.items @ query, -k)[-k] for query in searched.queries]
    return np.array(worst, dtype=np.float32)


def recall_of(found: npt.NDArray[np.int64], searched: Searched, worst: Vectors) -> float:
    """The share of the ten nearest that were found; equally near ones are as good."""
    k = min(K, len(searched.items))
    hits = 0
    for rows, query, least in zip(found, searched.queries, worst, strict=True):
        known = np.unique(rows[rows >= 0])[:k]
        hits += int(np.count_nonzero(searched.items[known] @ query >= least - TIE))
    return hits / (k * len(found))


def ways_at(vectors: int, most: int) -> tuple[Way, ...]:
    """All at the largest size; at others those that are shown by size."""
    return tuple(way for way in WAYS if vectors == most or way.shown_by_size)
