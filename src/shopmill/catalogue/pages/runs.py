"""The runs in the registry, with filters."""

from dataclasses import dataclass

from shopmill.catalogue.pages import Page, version_path
from shopmill.catalogue.reader import MOST_RUNS, Reader, RunRow


@dataclass(frozen=True)
class RunLine:
    """A run and the page of what it published."""

    run: RunRow
    href: str


@dataclass(frozen=True)
class RunsPage:
    """The page's content."""

    lines: list[RunLine]
    datasets: list[str]
    statuses: list[str]
    silence: str
    most: int = MOST_RUNS


def build(reader: Reader) -> Page:
    """The newest runs of all datasets."""
    runs = reader.runs
    published = {
        name: {s.version: s.key for s in reader.history(name).all}
        for name in {run.dataset for run in runs} & set(reader.names)
    }
    lines = [RunLine(run, _href(run, published)) for run in runs]
    model = RunsPage(lines, sorted({run.dataset for run in runs}), sorted({run.status for run in runs}), reader.silence)
    return Page("runs.html", "Runs", model, (("Catalogue", "index.html"),), here="runs.html")


def _href(run: RunRow, published: dict[str, dict[str, str]]) -> str:
    key = published.get(run.dataset, {}).get(run.version)
    return version_path(run.dataset, key) if key else ""
