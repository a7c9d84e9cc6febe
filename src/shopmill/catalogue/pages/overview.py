"""The catalogue: every dataset in a line, and a search over datasets, tables and columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from shopmill.catalogue.drawings import sparkline
from shopmill.catalogue.pages import Page, dataset_path, size_of, version_path
from shopmill.catalogue.reader import Reader
from shopmill.catalogue.standing import Standing, standing


@dataclass(frozen=True)
class Entry:
    """A dataset in the list."""

    standing: Standing
    summary: str
    href: str
    version_href: str
    size: str
    versions: int
    spark: Markup


@dataclass(frozen=True)
class Found:
    """Something that the search may find."""

    kind: str
    name: str
    meaning: str
    href: str


@dataclass(frozen=True)
class Overview:
    """The page's content."""

    entries: list[Entry]
    index: list[Found]
    store: str
    schedules: bool
    silence: str

    @property
    def counts(self) -> dict[str, int]:
        """How many datasets are in each state."""
        states = [entry.standing.state for entry in self.entries]
        return {
            state: states.count(state)
            for state in ("fresh", "on demand", "late", "failing", "empty")
            if state in states
        }


def build(reader: Reader) -> Page:
    """The first page."""
    entries = [_entry(reader, name) for name in reader.names]
    index = [found for name in reader.names for found in _index(reader, name)]
    model = Overview(entries, index, reader.settings.store, reader.settings.schedules, reader.silence)
    return Page("overview.html", "Catalogue", model, here="index.html")


def _entry(reader: Reader, name: str) -> Entry:
    declared, history = reader.declared(name), reader.history(name)
    current = history.newest
    rows = [summary.rows for summary in history.counted]
    return Entry(
        standing=standing(reader, name),
        summary=_first_line(declared.documentation) if declared else "Declared by another version of shopmill.",
        href=dataset_path(name),
        version_href=version_path(name, current.key) if current else "",
        size=size_of(current.bytes) if current else "",
        versions=len(history.all),
        spark=sparkline(rows, f"Rows of the versions of {name}"),
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def _index(reader: Reader, name: str) -> Iterator[Found]:
    declared = reader.declared(name)
    yield Found("dataset", name, declared.title if declared else "", dataset_path(name))
    for table in declared.published if declared else ():
        place = f"{dataset_path(name)}#table-{table.name}"
        yield Found("table", f"{name}.{table.name}", table.grain, place)
        for column in table.columns:
            yield Found("column", f"{name}.{table.name}.{column.name}", column.meaning, place)
