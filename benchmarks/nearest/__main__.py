"""`python -m benchmarks.nearest`: the ten nearest vectors, found by shopmill and by others.

make bench-nearest                                   105,542 vectors and smaller indexes, written into docs/text.md
python -m benchmarks.nearest --vectors 10000         nothing written
"""

import argparse
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import processor
from benchmarks.measure import ROOT
from benchmarks.nearest.measure import Line, measure, ways_at
from benchmarks.nearest.vectors import encoded
from benchmarks.report import put_between_markers, table

PAGE = ROOT / "docs" / "text.md"
MARKERS = ("<!-- nearest: begin, written by make bench-nearest -->", "<!-- nearest: end -->")
SIZES = (1_000, 10_000, 30_000, 105_542)
QUERIES = 1_000


def markdown(lines: Sequence[Line], queries: int, where: str, command: str = "make bench-nearest") -> str:
    """A table of all ways at the largest size, and one of some ways at every size."""
    sizes = sorted({line.vectors for line in lines})
    largest = [line for line in lines if line.vectors == sizes[-1]]
    asked = f"{queries:,} searches one after another, {queries // 5:,} where every vector is compared"
    taken = f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {where}; {sizes[-1]:,} vectors, {asked}."
    ways = table(_HEAD, map(_cells, largest))
    return "\n".join([taken, "", *ways, *(_by_size(lines, sizes) if len(sizes) > 1 else ())]) + "\n"


_HEAD = ("", "seconds to build", "of the processor", "p50 ms", "p99 ms", "ms of the processor", "recall@10", "MiB")


def _cells(line: Line) -> list[str]:
    cost = line.cost
    built = [f"{cost.build_s:.1f}", f"{cost.build_cpu_s:.1f}"] if line.is_built else ["", ""]
    times = [f"{value:.2f}" for value in (cost.p50_ms, cost.p99_ms, cost.cpu_ms)]
    return [line.way, *built, *times, f"{line.recall:.4f}", f"{cost.held / 2**20:.0f}"]


def _by_size(lines: Sequence[Line], sizes: Sequence[int]) -> list[str]:
    """Milliseconds of a search: on the clock, and of the processor."""
    ways = [way.name for way in ways_at(sizes[0], sizes[-1]) if any(line.way == way.name for line in lines)]
    of = {(line.way, line.vectors): line.cost for line in lines}
    head = ["p50 ms, and ms of the processor", *(f"{size:,} vectors" for size in sizes)]
    rows = [[way, *(f"{of[way, s].p50_ms:.2f}, {of[way, s].cpu_ms:.2f}" for s in sizes)] for way in ways]
    return ["", *table(head, rows)]


def _command(sizes: Sequence[int]) -> str:
    chosen = " ".join(map(str, sizes))
    return "make bench-nearest" if tuple(sizes) == SIZES else f'make bench-nearest VECTORS="{chosen}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, action="append", help="a size of the index; repeat for more")
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--way", default="", help="only the ways whose name has this in it")
    parser.add_argument("--folder", type=Path, help="where encoded texts are kept; default: a temporary folder")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/text.md")
    given = parser.parse_args()
    sizes = sorted(given.vectors or SIZES)
    with tempfile.TemporaryDirectory(prefix="shopmill-nearest-") as temporary:
        searched = encoded(sizes[-1], given.queries, given.folder or Path(temporary))
    chosen = {size: [way for way in ways_at(size, sizes[-1]) if given.way in way.name] for size in sizes}
    lines = [line for size in sizes for line in measure(chosen[size], searched.first(size))]
    written = markdown(lines, given.queries, processor(), _command(sizes))
    if given.write:
        put_between_markers(PAGE, written, MARKERS)
    print(written, end="")


if __name__ == "__main__":
    main()
