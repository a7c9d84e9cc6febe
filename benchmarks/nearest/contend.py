"""The process of one way: `python -m benchmarks.nearest.contend JOB`. Prints what it cost, and leaves what it found."""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.nearest.ways import WAYS, Job, K, Ready, Vectors

WARMING = 20
"""Searches before those that count."""


@dataclass(frozen=True)
class Cost:
    """Seconds to build, on the clock and of the processor; milliseconds of a search; bytes of vectors and index."""

    build_s: float
    build_cpu_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    held: int


def run(way: str, job: Job, queries: Path, found: Path) -> Cost:
    """Builds, searches each query by itself, and writes the rows that were found."""
    chosen = next(one for one in WAYS if one.name == way)
    began, used = time.perf_counter(), _processor(job)
    ready = chosen.make(job)
    build_s, build_cpu_s = time.perf_counter() - began, _processor(job) - used
    asked = np.load(queries)[:: chosen.every]
    for query in asked[:WARMING]:
        ready.search(query)
    rows, times, cpu_s = _searched(job, ready, asked)
    np.save(found, rows)
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    return Cost(build_s, build_cpu_s, float(p50), float(p99), cpu_s * 1000 / len(asked), ready.held())


def _searched(job: Job, ready: Ready, queries: Vectors) -> tuple[npt.NDArray[np.int64], list[float], float]:
    rows = np.full((len(queries), K), -1)
    times = []
    used = _processor(job)
    for place, query in enumerate(queries):
        began = time.perf_counter()
        found = ready.search(query)
        times.append(time.perf_counter() - began)
        rows[place, : len(found)] = found
    return rows, times, _processor(job) - used


def _processor(job: Job) -> float:
    """Seconds of the processor so far: of this process, and of the database's, those that have ended too."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    if job.server:
        import psutil

        server = psutil.Process(job.server)
        times = server.cpu_times()
        total += sum(times[:4]) + sum(sum(one.cpu_times()[:2]) for one in server.children())
    return total


def main() -> None:
    job = json.loads(sys.argv[1])
    given = Job(np.load(job["items"]), Path(job["folder"]), job["dsn"], job["server"])
    print(json.dumps(asdict(run(job["way"], given, Path(job["queries"]), Path(job["found"])))))


if __name__ == "__main__":
    main()
