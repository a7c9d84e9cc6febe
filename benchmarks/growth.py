"""`python -m benchmarks.growth`: how the time of a dataset grows with the shop, and what a second thread gives.

make bench-growth                         scales 0.03, 0.1 and 0.3, written into docs/performance.md
make bench-growth SCALES="0.1 1.0"        others
python -m benchmarks.growth --scale 0.01 --scale 0.03 --stage daily   nothing written
"""

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import stages
from benchmarks.bench import machine
from benchmarks.measure import ROOT, Cost, measure
from benchmarks.report import put_between_markers, table
from benchmarks.shop import make_tables
from benchmarks.stage import Place, Stage

PAGE = ROOT / "docs" / "performance.md"
MARKERS = ("<!-- growth: begin, written by make bench-growth -->", "<!-- growth: end -->")
STAGES = ("interactions", "sessions", "daily", "customers")
SCALES = (0.03, 0.1, 0.3)
THREADS, MEMORY_LIMIT = 2, "4GB"


@dataclass(frozen=True)
class Growth:
    """What a full build of one dataset cost at several scales, and at one of them with a single thread."""

    what: str
    rows: Mapping[float, int]
    """Rows that it reads, by scale."""
    costs: Mapping[float, Cost]
    alone_at: float
    """The scale at which one thread worked alone."""
    alone: Cost

    @property
    def exponent(self) -> float:
        """Time grows as the rows to the power of this: 1 is in proportion."""
        return slope([(math.log(self.rows[scale]), math.log(cost.wall_s)) for scale, cost in self.costs.items()])

    @property
    def speed_up(self) -> float:
        """How many times as fast two threads are."""
        return self.alone.wall_s / self.costs[self.alone_at].wall_s


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line that fits the points best, by least squares."""
    middle_x, middle_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    moved = [(x - middle_x, y - middle_y) for x, y in points]
    return math.fsum(x * y for x, y in moved) / math.fsum(x * x for x, _ in moved)


def grow(
    names: Sequence[str],
    scales: Sequence[float],
    folder: Path,
    say: Callable[[str], None] = print,
) -> Iterator[Growth]:
    """Measures full builds of these stages' datasets, one after another; the shops are made in `folder`."""
    for stage in map(stages.load, names):
        places = {scale: _place(stage, scale, folder) for scale in scales}
        costs = {scale: _cost(stage, place, say) for scale, place in places.items()}
        middle = sorted(scales)[(len(scales) - 1) // 2]
        alone = _cost(stage, replace(places[middle], threads=1), say)
        yield Growth(stage.what, {scale: _rows(stage, place) for scale, place in places.items()}, costs, middle, alone)


def _place(stage: Stage, scale: float, folder: Path) -> Place:
    shop = folder / f"shop-{scale:g}"
    make_tables(shop, scale, stage.tables)
    return Place(shop, folder, scale, THREADS, MEMORY_LIMIT)


def _cost(stage: Stage, place: Place, say: Callable[[str], None]) -> Cost:
    with tempfile.TemporaryDirectory(dir=place.folder) as name:
        cost, _ = measure(stage.name, stage.ours.name, replace(place, folder=Path(name)))
    say(
        f"{stage.name:<14} scale {place.scale:<5g} {place.threads} threads {cost.wall_s:8.2f} s {cost.peak_mib:8.0f} MiB"
    )
    return cost


def _rows(stage: Stage, place: Place) -> int:
    """Rows that a full build reads."""
    described = [json.loads((place.shop / "raw" / f"{table}.json").read_text()) for table in stage.tables]
    return sum(file["rows"] for files in described for file in files)


def markdown(found: Sequence[Growth], where: str, command: str = "make bench-growth") -> str:
    """The table for people."""
    scales = list(found[0].costs)
    middle = found[0].alone_at
    head = ["full build of", *(f"scale {scale:g}" for scale in scales), "exponent", f"GiB at {max(scales):g}"]
    head.append(f"two threads against one at {middle:g}")
    lines = table(head, [_cells(one, scales) for one in found])
    taken = f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {where}. Seconds, and millions of rows read."
    return "\n".join([taken, "", *lines]) + "\n"


def _cells(one: Growth, scales: Sequence[float]) -> list[str]:
    times = [f"{one.costs[scale].wall_s:.1f} s, {one.rows[scale] / 1e6:.1f}" for scale in scales]
    peak = one.costs[max(scales)].peak_mib / 1024
    return [one.what, *times, f"{one.exponent:.2f}", f"{peak:.1f}", f"{one.speed_up:.2f} times as fast"]


def _command(scales: Sequence[float]) -> str:
    chosen = " ".join(f"{scale:g}" for scale in scales)
    return "make bench-growth" if tuple(scales) == SCALES else f'make bench-growth SCALES="{chosen}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, action="append", help="a size of the synthetic shop; repeat for more")
    parser.add_argument("--stage", action="append", choices=STAGES, help="only this one; repeat for more")
    parser.add_argument("--folder", type=Path, help="where the shops are kept; default: a temporary folder")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shopmill-growth-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = list(grow(given.stage or STAGES, given.scale or SCALES, folder))
    written = markdown(found, machine(THREADS, MEMORY_LIMIT), _command(given.scale or SCALES))
    if given.write:
        put_between_markers(PAGE, written, MARKERS)
    print(written, end="")


if __name__ == "__main__":
    main()
