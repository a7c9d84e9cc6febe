"""Runs one contender in a process of its own and measures it: seconds, and the memory of it and its children."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO, TypedDict

import psutil

from benchmarks.stage import Place, Results

ROOT = Path(__file__).parent.parent
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
PERIOD_S = 0.02


class BenchError(Exception):
    """A contender failed, or has another result. The message says which, and why."""


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock and of all processors, and the most memory of the tree of processes, in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def is_installed(package: str) -> bool:
    """Whether the environment of the rivals has a package."""
    if not BENCH_PYTHON.exists():
        return False
    done = subprocess.run([str(BENCH_PYTHON), "-c", f"import {package}"], capture_output=True, check=False)
    return done.returncode == 0


def measure(stage: str, contender: str, place: Place, python: Path | None = None) -> tuple[Cost, Results]:
    """One run of a contender in an empty folder: what it cost, and where its results are."""
    reading, writing = os.pipe()
    job = json.dumps({"stage": stage, "contender": contender, "place": _document(place), "events": writing})
    command = [str(python or sys.executable), "-m", "benchmarks.contend", job]
    with subprocess.Popen(command, cwd=ROOT, pass_fds=[writing], stderr=subprocess.PIPE, text=True) as process:
        os.close(writing)
        errors: list[str] = []
        draining = threading.Thread(target=lambda: errors.append(process.stderr.read() if process.stderr else ""))
        draining.start()
        with os.fdopen(reading) as events:
            done, peak = _follow(events, process.pid)
        draining.join()
    if process.returncode or not done:
        said = "".join(errors).strip()[-2000:]
        raise BenchError(f"{stage}: {contender} failed with exit code {process.returncode}.\n{said}")
    return Cost(done["wall_s"], done["cpu_s"], round(peak / 2**20, 1)), done["results"]


class _Done(TypedDict):
    wall_s: float
    cpu_s: float
    results: dict[str, str]


def _follow(events: TextIO, pid: int) -> tuple[_Done | None, int]:
    peak, done = _Peak(pid), None
    for line in events:
        event = json.loads(line)
        if event == "begin":
            peak.start()
        elif event == "end":
            peak.stop()
        else:
            done = event
    peak.stop()
    return done, peak.bytes


class _Peak:
    """Samples the resident memory of a process and its children from start to stop."""

    def __init__(self, pid: int):
        self._process, self._stopped = psutil.Process(pid), threading.Event()
        self._thread: threading.Thread | None = None
        self.bytes = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _sample(self) -> None:
        while True:
            self.bytes = max(self.bytes, tree_memory(self._process))
            if self._stopped.wait(PERIOD_S):
                return


def tree_memory(process: psutil.Process) -> int:
    """Resident bytes of a process and its children; those that are gone have none."""
    total = 0
    with _gone_is_fine():
        for one in (process, *process.children(recursive=True)):
            with _gone_is_fine():
                total += one.memory_info().rss
    return total


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess:
        return


def _document(place: Place) -> dict[str, object]:
    return {**asdict(place), "shop": str(place.shop), "folder": str(place.folder)}
