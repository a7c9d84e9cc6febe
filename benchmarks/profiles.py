"""`python -m benchmarks.profiles`: where the time of full builds goes, table by table and check by check.

make bench-profile                        scale 1.0, written into docs/performance.md
make bench-profile SCALE=0.1              a smaller shop
python -m benchmarks.profiles --scale 0.01 --dataset timeseries   one dataset, nothing written
"""

import argparse
import multiprocessing
import resource
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import machine
from benchmarks.measure import ROOT
from benchmarks.report import put_between_markers, table
from benchmarks.shop import make_tables, run_dataset
from benchmarks.stage import Clock, Place
from shopmill import datasets
from shopmill.engine.profile import Profile, Statement, profiling

PAGE = ROOT / "docs" / "performance.md"
MARKERS = ("<!-- profile: begin, written by make bench-profile -->", "<!-- profile: end -->")
DATASETS = ("user_item_interactions", "customer_features", "timeseries", "events_and_funnels", "training_labels")
PAGE_SCALE = 1.0
LACKING = ("exchange_rates",)
"""What the synthetic shop has no table of."""
LEAST_SHARE = 0.02
"""Of the seconds of all statements: parts that took less are summed up in one line."""
THREADS, MEMORY_LIMIT = 2, "4GB"


@dataclass(frozen=True)
class Build:
    """A full build of a dataset: its statements, the time on the clock, and the most memory that its process held."""

    dataset: str
    profile: Profile
    wall_s: float
    peak_gib: float


def builds(names: Sequence[str], scale: float, folder: Path) -> Iterator[Build]:
    """Builds each dataset from nothing, in a process of its own, on the synthetic shop, which is made in `folder`."""
    shop = folder / f"shop-{scale:g}"
    for name in names:
        make_tables(shop, scale, [needed.table for needed in datasets.load(name).inputs if needed.table not in LACKING])
        with (
            tempfile.TemporaryDirectory(dir=folder) as place,
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
        ):
            yield process.submit(build, name, Place(shop, Path(place), scale, THREADS, MEMORY_LIMIT)).result()


def build(name: str, place: Place) -> Build:
    """A full build in this process, whose memory is taken as that of the build."""
    clock = Clock()
    with profiling() as found:
        run_dataset(name, place, clock)
    return Build(name, found, clock.wall_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def markdown(found: Sequence[Build], where: str, command: str) -> str:
    """The table for people."""
    head = ["dataset", "part", "seconds", "of all threads", "rows read, millions", "rows, millions", "GB spilled"]
    lines = table(head, [row for one in found for row in _rows(one)], texts=2)
    return "\n".join([f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {where}.", "", *lines]) + "\n"


def _rows(one: Build) -> Iterator[list[str]]:
    parts = one.profile.by_part()
    least = LEAST_SHARE * sum(part.seconds for part in parts)
    shown = [part for part in parts if part.seconds >= least]
    yield [
        f"`{one.dataset}`",
        f"**all of it, {one.peak_gib:.1f} GiB at most**",
        f"**{one.wall_s:.1f}**",
        "",
        "",
        "",
        "",
    ]
    for part in shown:
        yield ["", part.part, *_figures(part)]
    rest = parts[len(shown) :]
    seconds, of_threads = sum(part.seconds for part in rest), sum(part.thread_seconds for part in rest)
    yield ["", f"{len(rest)} other parts", f"{seconds:.1f}", f"{of_threads:.1f}", "", "", ""]


def _figures(one: Statement) -> list[str]:
    figures = (one.seconds, one.thread_seconds, one.rows_read / 1e6, one.rows / 1e6, one.spilled_bytes / 1e9)
    return [f"{figure:.1f}" for figure in figures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=PAGE_SCALE, help="size of the synthetic shop; 1.0 is H&M's")
    parser.add_argument("--dataset", action="append", choices=DATASETS, help="only this one; repeat for more")
    parser.add_argument("--folder", type=Path, help="where the shop is kept; default: a temporary folder")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shopmill-profile-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = list(builds(given.dataset or DATASETS, given.scale, folder))
    command = "make bench-profile" + (f" SCALE={given.scale:g}" if given.scale != PAGE_SCALE else "")
    written = markdown(found, f"scale {given.scale:g}, {machine(THREADS, MEMORY_LIMIT)}", command)
    if given.write:
        put_between_markers(PAGE, written, MARKERS)
    print(written, end="")


if __name__ == "__main__":
    main()
