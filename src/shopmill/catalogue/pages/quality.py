"""Checks by version: a grid over time, of one dataset or, of what did not pass, of all."""

from dataclasses import dataclass

from markupsafe import Markup

from shopmill.catalogue.drawings import grid
from shopmill.catalogue.pages import Page, dataset_path, version_path
from shopmill.catalogue.reader import Reader
from shopmill.catalogue.summaries import FAILED, PASSED, WARNED, VersionSummary

WORDS = {PASSED: "passed", WARNED: "warned", FAILED: "failed"}
NEWEST = 60


@dataclass(frozen=True)
class Trouble:
    """A check that did not pass in a version."""

    check: str
    as_of: str
    href: str
    state: str


@dataclass(frozen=True)
class QualityBlock:
    """The checks of one dataset."""

    name: str
    href: str
    versions: int
    checks: int
    grid: Markup
    troubles: list[Trouble]


def build(reader: Reader, name: str) -> Page:
    """Every check of a dataset in every version."""
    reader.need(name)
    counted = reader.history(name).counted
    block = _block(name, counted, {check for summary in counted for check in summary.checks})
    crumbs = (("Catalogue", "index.html"), (name, dataset_path(name)))
    return Page("quality.html", f"Quality of {name}", [block], crumbs, name, dataset_path(name, "quality"))


def build_all(reader: Reader) -> Page:
    """Of every dataset the checks that did not always pass, in its newest versions."""
    blocks = []
    for name in reader.names:
        counted = reader.history(name).counted[-NEWEST:]
        troubled = {check for s in counted for check, state in s.checks.items() if state != PASSED}
        blocks.append(_block(name, counted, troubled))
    return Page("quality.html", "Quality", blocks, (("Catalogue", "index.html"),), here="quality.html")


def _block(name: str, counted: list[VersionSummary], wanted: set[str]) -> QualityBlock:
    rows = {check: [summary.checks.get(check, ".") for summary in counted] for check in sorted(wanted)}
    rows = dict(sorted(rows.items(), key=lambda row: (-sum(state != PASSED for state in row[1]), row[0])))
    drawn = grid(rows, [summary.as_of for summary in counted], f"Checks of {name} by version", WORDS)
    return QualityBlock(
        name=name,
        href=dataset_path(name, "quality"),
        versions=len(counted),
        checks=len(rows),
        grid=drawn if counted and rows else Markup(""),
        troubles=_troubles(name, counted),
    )


def _troubles(name: str, counted: list[VersionSummary]) -> list[Trouble]:
    """What did not pass, the newest first."""
    return [
        Trouble(check, summary.as_of, version_path(name, summary.key), WORDS[state])
        for summary in reversed(counted)
        for check, state in sorted(summary.checks.items())
        if state != PASSED
    ][:100]
