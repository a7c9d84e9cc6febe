"""Runs stages: makes their data, measures each contender in turns, and compares the results."""

import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks import stages
from benchmarks.compare import same_results
from benchmarks.measure import BENCH_PYTHON, BenchError, Cost, is_installed, measure
from benchmarks.report import Line, Report, StageReport
from benchmarks.shop import make_tables
from benchmarks.stage import Contender, Place, Results, Stage

SOFTWARE = ("duckdb", "polars", "pyarrow", "pandas", "mlforecast", "scikit-learn")
ROUNDS, LONG_S = 3, 40
"""Contenders have so many turns at most, of which the quickest counts, and no further one once they took so many seconds."""


@dataclass(frozen=True)
class Bench:
    """What to measure, at which scale and where."""

    scale: float
    folder: Path
    threads: int = 2
    memory_limit: str = "4GB"
    rounds: int = 0
    last_days: int = 0
    say: Callable[[str], None] = print

    def run(self, names: list[str], command: str) -> Report:
        """Measures these stages. One whose contender fails or has another result is missing, and said in `failed`."""
        found, failed = [], []
        for name in names:
            try:
                found.append(self.stage(stages.load(name)))
            except BenchError as error:
                failed.append(str(error))
                self.say(f"FAILED {error}")
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        where = machine(self.threads, self.memory_limit)
        return Report(self.scale, command, today, where, _software(), tuple(found), tuple(failed))

    def stage(self, stage: Stage) -> StageReport:
        """Measures one stage."""
        make_tables(self._shop, self.scale, stage.tables, self.last_days)
        contenders, left_out = self._taking_part(stage)
        # Open to others: the PostgreSQL that a stage may start runs as another user where this one is root.
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            folder.chmod(0o755)
            place = Place(self._shop, folder, self.scale, self.threads, self.memory_limit)
            with stage.around(place) as values:
                lines = tuple(self._lines(stage, contenders, replace(place, values=values)))
        return StageReport(stage.name, stage.what, lines, tuple(left_out))

    @property
    def _shop(self) -> Path:
        return self.folder / (f"shop-{self.scale:g}" + (f"-{self.last_days}d" if self.last_days else ""))

    def _taking_part(self, stage: Stage) -> tuple[list[Contender], list[str]]:
        left_out = {
            one.name: f"{one.name}, which is not in .venv-bench"
            for one in stage.contenders
            if one.extra and not is_installed(one.extra)
        }
        left_out |= {
            one.name: f"{one.name}, beyond scale {one.most_scale:g}"
            for one in stage.contenders
            if one.most_scale < self.scale
        }
        return [one for one in stage.contenders if one.name not in left_out], list(left_out.values())

    def _lines(self, stage: Stage, contenders: list[Contender], place: Place) -> Iterator[Line]:
        best: dict[str, Cost] = {}
        same: dict[str, str] = {}
        begun = time.monotonic()
        for number in range(self.rounds or ROUNDS):
            if number and not self.rounds and time.monotonic() - begun > LONG_S:
                break
            ours: Results = {}
            for contender in contenders:
                cost, results = self._measured(stage, contender, place)
                ours = ours or results
                if number == 0 and contender is not stage.ours and not contender.bound:
                    same[contender.name] = same_results(stage.compared, contender.name, ours, results)
                if contender is not stage.ours:
                    shutil.rmtree(_folder(place, contender))
                best[contender.name] = min(best.get(contender.name, cost), cost, key=lambda one: one.wall_s)
            shutil.rmtree(_folder(place, stage.ours))
        for one in contenders:
            cost = best[one.name]
            yield Line(
                one.name, round(cost.wall_s, 3), round(cost.cpu_s, 3), cost.peak_mib, one.bound, same.get(one.name, "")
            )

    def _measured(self, stage: Stage, contender: Contender, place: Place) -> tuple[Cost, Results]:
        folder = _folder(place, contender)
        folder.mkdir()
        python = BENCH_PYTHON if contender.extra else None
        cost, results = measure(stage.name, contender.name, replace(place, folder=folder), python)
        self.say(
            f"{stage.name:<14} {contender.name:<40} {cost.wall_s:8.2f} s {cost.cpu_s:8.2f} s of the processor "
            f"{cost.peak_mib / 1024:6.2f} GiB"
        )
        return cost, results


def machine(threads: int, memory_limit: str) -> str:
    """What a bench runs on, and what each contender may use of it."""
    return f"{processor()}, {threads} threads and {memory_limit} each"


def processor() -> str:
    """The cores and the memory of this machine."""
    return f"{psutil.cpu_count()} cores ({_processor()}), {psutil.virtual_memory().total / 2**30:.0f} GiB"


def _folder(place: Place, contender: Contender) -> Path:
    return place.folder / "".join(c if c.isalnum() else "-" for c in contender.name)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    named = (
        [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return named[0] if named else platform.machine()


def _software() -> dict[str, str]:
    return {name: version(name) for name in SOFTWARE}
