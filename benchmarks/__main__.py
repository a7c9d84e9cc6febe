"""`python -m benchmarks`: what shopmill costs beside what people would use instead.

make bench                          all stages at scale 0.1, written to benchmarks/results/ and docs/performance.md
make bench SCALE=1.0                the same at H&M's size
make bench-check                    fails when a ratio is more than 20 % above the committed one
python -m benchmarks --stage NAME   one stage, nothing written
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import stages
from benchmarks.bench import Bench
from benchmarks.measure import ROOT
from benchmarks.report import Report, markdown, put_between_markers, worse

PAGE = ROOT / "docs" / "performance.md"
PAGE_SCALE = 0.1


def results_path(scale: float) -> Path:
    """Where the results of a scale are committed."""
    return ROOT / "benchmarks" / "results" / f"scale-{scale:g}.json"


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="shopmill-bench-") as temporary:
        folder: Path = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        bench = Bench(given.scale, folder, given.threads, given.memory_limit, given.rounds, given.last_days)
        report = bench.run(given.stage or stages.names(), _command(given))
        worse_now = _check(bench, report) if given.check else ""
        if given.write:
            _write(report)
    print(markdown(report))
    if report.failed or worse_now:
        sys.exit("\n".join(filter(None, (*report.failed, worse_now))))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=PAGE_SCALE, help="size of the synthetic shop; 1.0 is H&M's")
    parser.add_argument("--stage", action="append", choices=stages.names(), help="only this stage; repeat for more")
    parser.add_argument("--folder", type=Path, help="where the shop's files are kept; default: a temporary folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="4GB", help="of each engine that has such a limit")
    parser.add_argument(
        "--rounds", type=int, default=0, help="turns of each; default: up to three, until they took 40 s"
    )
    parser.add_argument("--last-days", type=int, default=0, help="facts of so many days alone: to try a stage")
    parser.add_argument("--write", action="store_true", help="write the results and the page")
    parser.add_argument("--check", action="store_true", help="compare with the committed results")
    return parser.parse_args()


def _command(given: argparse.Namespace) -> str:
    command = "make bench" + (f" SCALE={given.scale:g}" if given.scale != PAGE_SCALE else "")
    return (
        command
        if not given.stage
        else f"python -m benchmarks --scale {given.scale:g} --stage {' --stage '.join(given.stage)}"
    )


def _write(report: Report) -> None:
    report.write(results_path(report.scale))
    if report.scale == PAGE_SCALE:
        put_between_markers(PAGE, markdown(report))


def _check(bench: Bench, report: Report) -> str:
    """What is worse, in a sentence each. A stage that seems so is measured once more: others may have used the machine."""
    path = results_path(report.scale)
    if not path.exists():
        return (
            f"There are no committed results of scale {report.scale:g}: run `make bench SCALE={report.scale:g}` first."
        )
    committed = Report.read(path)
    if not worse(report, committed):
        return ""
    suspects = sorted({sentence.partition(":")[0] for sentence in worse(report, committed)})
    again = bench.run(suspects, report.command)
    found = worse(replace(report, stages=again.stages), committed)
    return "\n".join(found)


if __name__ == "__main__":
    main()
