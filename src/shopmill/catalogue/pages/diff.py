"""Two versions beside each other: what changed in rows, columns, checks, inputs and in how they were made."""

from dataclasses import dataclass

from shopmill.catalogue.pages import Page, dataset_path, diff_path, version_path
from shopmill.catalogue.pages.version import find
from shopmill.catalogue.reader import Reader
from shopmill.catalogue.summaries import VersionSummary, summarized
from shopmill.trust.column_diff import ColumnDiff
from shopmill.trust.diff import VersionDiff
from shopmill.trust.manifest_diff import Group, groups
from shopmill.trust.row_diff import Mover, RowDiff

MOST = 20


@dataclass(frozen=True)
class DiffPage:
    """The page's content: groups of changes, each with its heading; rows and columns where they were compared."""

    old: VersionSummary
    new: VersionSummary
    old_href: str
    new_href: str
    groups: list[Group]
    same_files: int
    files: int
    tables: list[RowDiff]
    columns: list[ColumnDiff]
    movers: list[tuple[str, Mover]]


def build(reader: Reader, name: str, old_key: str, new_key: str) -> Page:
    """The page that compares two versions of a dataset by what their manifests say."""
    before, after = (reader.manifest(find(reader, name, key)) for key in (old_key, new_key))
    hashes = {file.sha256 for file in before.all_files}
    same = sum(file.sha256 in hashes for file in after.all_files)
    return page_of(VersionDiff(before, after, same, groups(before, after), [], []))


def page_of(found: VersionDiff) -> Page:
    """The page of a comparison."""
    name, old, new = found.after.dataset, summarized(found.before), summarized(found.after)
    model = DiffPage(
        old=old,
        new=new,
        old_href=version_path(name, old.key),
        new_href=version_path(name, new.key),
        groups=found.groups,
        same_files=found.same_files,
        files=len(found.after.all_files),
        tables=[table for table in found.tables if not _is_same(table)],
        columns=sorted(found.columns, key=lambda column: -column.psi)[:MOST],
        movers=found.movers[:MOST],
    )
    crumbs = (("Catalogue", "index.html"), (name, dataset_path(name)))
    return Page(
        "diff.html", f"{name}: {old.as_of} and {new.as_of}", model, crumbs, name, diff_path(name, old.key, new.key)
    )


def _is_same(table: RowDiff) -> bool:
    return (table.added, table.removed, table.changed) == (0, 0, 0)
