"""A dataset: what it is, its columns, and its versions over time."""

from dataclasses import dataclass, field

from markupsafe import Markup

from shopmill.catalogue.drawings import Point, timeline
from shopmill.catalogue.pages import Page, dataset_path, size_of, version_path
from shopmill.catalogue.pages.columns import TableBlock, tables_of
from shopmill.catalogue.reader import Reader, RunRow
from shopmill.catalogue.standing import Standing, standing
from shopmill.catalogue.summaries import VersionSummary
from shopmill.declaration import Parameter


@dataclass(frozen=True)
class VersionRow:
    """A version in the list, with the run that made it."""

    summary: VersionSummary
    href: str
    size: str
    run: RunRow | None


@dataclass(frozen=True)
class DatasetPage:
    """The page's content."""

    name: str
    standing: Standing
    documentation: str
    owner: str
    timeline: Markup
    versions: list[VersionRow]
    tables: list[TableBlock]
    parameters: tuple[Parameter, ...]
    upstream: list[str]
    silence: str
    notes: list[str] = field(default_factory=list)


def build(reader: Reader, name: str) -> Page:
    """The page of a dataset, published or not."""
    reader.need(name)
    declared, history = reader.declared(name), reader.history(name)
    current = history.newest
    manifest = reader.manifest(current) if current else None
    model = DatasetPage(
        name=name,
        standing=standing(reader, name),
        documentation=declared.documentation.strip() if declared else "",
        owner=declared.owner if declared else "",
        timeline=timeline([_point(s) for s in history.counted], f"Rows and rejected rows of {name} by as_of"),
        versions=version_rows(reader, name),
        tables=tables_of(manifest, reader.statistics(manifest)) if manifest else [],
        parameters=declared.all_parameters if declared else (),
        upstream=[needed.table for needed in declared.upstream] if declared else [],
        silence=reader.silence,
        notes=notes(reader, name, current),
    )
    return Page("dataset.html", name, model, (("Catalogue", "index.html"),), name, dataset_path(name))


def notes(reader: Reader, name: str, summary: VersionSummary | None) -> list[str]:
    """What a reader must know before trusting the page: that another package made the version."""
    from importlib.metadata import version

    told = []
    if reader.declared(name) is None:
        told.append(f"This package declares no dataset {name}: another version of shopmill published it, or a plugin.")
    if summary and summary.software and summary.software != version("shopmill"):
        told.append(
            f"Made by shopmill {summary.software}; this is {version('shopmill')}. Columns are shown as they were then."
        )
    return told


def version_rows(reader: Reader, name: str) -> list[VersionRow]:
    """The versions, the newest first."""
    made = {run.version: run for run in reversed(reader.runs_of(name)) if run.version and run.status == "published"}
    return [
        VersionRow(summary, version_path(name, summary.key), size_of(summary.bytes), made.get(summary.version))
        for summary in reversed(reader.history(name).all)
    ]


def _point(summary: VersionSummary) -> Point:
    kind = "warned" if summary.warned else "ok"
    return Point(summary.as_of, summary.rows, summary.rejected, kind, f"versions/{summary.key}.html")
