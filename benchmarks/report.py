"""What a bench found: as JSON to compare with later, and as a table for people."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench: begin, written by make bench -->", "<!-- bench: end -->"
ALLOWED = 1.2
"""A ratio may be so many times the committed one before `make bench-check` fails."""


@dataclass(frozen=True)
class Line:
    """One contender of a stage. `same` says what of its result was compared; a bound has nothing to compare."""

    contender: str
    wall_s: float
    cpu_s: float
    peak_mib: float
    bound: bool = False
    same: str = ""


@dataclass(frozen=True)
class StageReport:
    """A stage: shopmill's line first."""

    name: str
    what: str
    lines: tuple[Line, ...]
    left_out: tuple[str, ...] = ()

    def ratio(self, line: Line) -> float:
        """Shopmill's seconds per second of a rival: below 1 shopmill is ahead."""
        return self.lines[0].wall_s / max(line.wall_s, 0.001)

    @property
    def ratios(self) -> dict[str, float]:
        """The ratio to each rival."""
        return {line.contender: self.ratio(line) for line in self.lines[1:]}


@dataclass(frozen=True)
class Report:
    """All stages of one bench, and where and how it was taken."""

    scale: float
    command: str
    taken_on: str
    machine: str
    software: Mapping[str, str]
    stages: tuple[StageReport, ...]
    failed: tuple[str, ...] = ()
    """What went wrong, a sentence for each stage that is missing."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        document = asdict(self)
        for stage, found in zip(document["stages"], self.stages, strict=True):
            for line in stage["lines"][1:]:
                line["ratio"] = round(found.ratios[line["contender"]], 3)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Report":
        """A report that was written as JSON."""
        stages = tuple(map(_stage, document["stages"]))
        return cls(**{**document, "stages": stages, "failed": tuple(document["failed"])})

    def write(self, path: Path) -> None:
        """Writes the JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.document(), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Report":
        """Reads the JSON."""
        return cls.from_document(json.loads(path.read_text()))


def _stage(document: Mapping[str, Any]) -> StageReport:
    lines = tuple(
        Line(**{name: value for name, value in line.items() if name != "ratio"}) for line in document["lines"]
    )
    return StageReport(document["name"], document["what"], lines, tuple(document["left_out"]))


def markdown(report: Report) -> str:
    """A table with a row for each contender, and below it what was compared and what was left out."""
    software = ", ".join(f"{name} {version}" for name, version in report.software.items())
    head = (
        f"`{report.command}` on {report.taken_on}: {report.machine}; {software}. The ratio is shopmill's seconds per second of the "
        "rival: below 1 shopmill is ahead. Memory is the most that the tree of processes held.\n\n"
        "| stage | contender | seconds | of the processor | GiB at most | ratio |\n|---|---|---:|---:|---:|---:|\n"
    )
    return head + "\n".join(_rows(report)) + "\n\n" + "\n".join(_notes(report)) + "\n"


def _rows(report: Report) -> Iterator[str]:
    for stage in report.stages:
        for line in stage.lines:
            is_ours = line is stage.lines[0]
            name = f"**{line.contender}**" if is_ours else line.contender + (" (bound)" if line.bound else "")
            ratio = "" if is_ours else f"{stage.ratio(line):.2f}"
            what = f"{stage.name}: {stage.what}" if is_ours else ""
            yield f"| {what} | {name} | {line.wall_s:.2f} | {line.cpu_s:.2f} | {line.peak_mib / 1024:.2f} | {ratio} |"


def _notes(report: Report) -> Iterator[str]:
    for stage in report.stages:
        for line in stage.lines:
            if line.same:
                yield f"- {stage.name}, {line.contender}: {line.same}."
        for name in stage.left_out:
            yield f"- {stage.name}: without {name}."
    for sentence in report.failed:
        yield f"- FAILED: {sentence.splitlines()[0]}"


def put_between_markers(page: Path, table: str, markers: tuple[str, str] = (BEGIN, END)) -> None:
    """Writes the table into a page, between two markers."""
    first, last = markers
    before, begin, rest = page.read_text().partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"{page} lacks the lines {first!r} and {last!r}.")
    page.write_text(f"{before}{begin}\n{table}{end}{after}")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> list[str]:
    """The lines of a table in Markdown. The first `texts` columns are texts, and the others numbers."""
    kinds = [*["---"] * texts, *["---:"] * (len(head) - texts)]
    return [f"| {' | '.join(cells)} |" for cells in (head, kinds, *rows)]


def worse(now: Report, committed: Report) -> list[str]:
    """A sentence for each ratio that is more than 20 % above the committed one. What only one of them has is no matter."""
    before = {stage.name: stage.ratios for stage in committed.stages}
    return [
        f"{stage.name}: {ratio:.2f} times {rival}, {before[stage.name][rival]:.2f} in the committed results."
        for stage in now.stages
        for rival, ratio in stage.ratios.items()
        if rival in before.get(stage.name, {}) and ratio > before[stage.name][rival] * ALLOWED
    ]
