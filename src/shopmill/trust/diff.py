"""`shopmill diff`: why a version is not like another one: schema, rows by key, columns, and what they were made of."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.engine.duckdb_engine import connect
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.trust.column_diff import ColumnDiff, Sampled, compare_column
from shopmill.trust.manifest_diff import Group, groups
from shopmill.trust.naming import find_version
from shopmill.trust.row_diff import Mover, RowDiff, Side, compare_rows, only_in_one
from shopmill.versions.cache import local
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import refuse
from shopmill.versions.sampling import TableFiles, sample
from shopmill.versions.statistics import Statistics, fetching, statistics_of
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class VersionDiff:
    """Two versions of a dataset, and all that differs."""

    before: Manifest
    after: Manifest
    same_files: int
    groups: list[Group]
    tables: list[RowDiff]
    columns: list[ColumnDiff]

    @property
    def movers(self) -> list[tuple[str, Mover]]:
        """The values that moved the most, with their tables."""
        found = [(diff.table, mover) for diff in self.tables for mover in diff.movers]
        return sorted(found, key=lambda one: (-one[1].deviations, one[0], one[1].column, one[1].key))

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "dataset": self.after.dataset,
            "before": {"as_of": self.before.as_of, "version": self.before.version},
            "after": {"as_of": self.after.as_of, "version": self.after.version},
            "files": len(self.after.all_files),
            "same_files": self.same_files,
            "tables": [asdict(table) for table in self.tables],
            "columns": [asdict(column) for column in self.columns],
            "changes": {group.heading.lower(): [asdict(change) for change in group.changes] for group in self.groups},
        }


def diff(dataset: str, before: str, after: str, settings: Settings) -> VersionDiff:
    """Compares two versions, each named by its id, by how that begins, or by its as_of."""
    store = Store(settings.store, settings.work_folder or Path(tempfile.gettempdir()))
    versions = Versions(store, dataset, settings.zone)
    old, new = find_version(versions, before), find_version(versions, after)
    if old == new:
        raise InvalidInputError(f"{before} and {after} are the same version of {dataset}: {new.version}.")
    with store.scratch() as scratch, connect(settings, scratch) as connection:
        comparing = _Comparing(connection, versions, old, new)
        tables, columns = list(comparing.tables()), list(comparing.columns())
    hashes = {file.sha256 for file in old.all_files}
    same = sum(file.sha256 in hashes for file in new.all_files)
    return VersionDiff(old, new, same, groups(old, new), tables, columns)


@dataclass(frozen=True)
class _Comparing:
    connection: "duckdb.DuckDBPyConnection"
    versions: Versions
    old: Manifest
    new: Manifest

    def tables(self) -> Iterator[RowDiff]:
        """Every table of either version, as the newer one orders them."""
        for table in dict.fromkeys((*self.new.tables, *self.old.tables)):
            if table not in self.old.tables:
                yield RowDiff(table, None, self.new.rows(table), note="only the second version has it")
            elif table not in self.new.tables:
                yield RowDiff(table, self.old.rows(table), None, note="only the first version has it")
            else:
                paths = only_in_one(self.old, self.new, table)
                old, new = self._side(self.old, table, paths[0]), self._side(self.new, table, paths[1])
                yield compare_rows(self.connection, table, old, new)

    def _side(self, manifest: Manifest, table: str, paths: list[str]) -> Side:
        files = [file for file in manifest.files(table) if file.path in set(paths)]
        folder = self.versions.folder(manifest)
        refuse(
            self.versions.store,
            self.versions.faults(manifest, table),
            f"Run `shopmill repair`, or `shopmill run {manifest.dataset} --as-of {manifest.as_of}`.",
        )
        keys = [f"{folder}/{file.path}" for file in files]
        return Side(manifest, local(self.versions.store, keys, files, manifest.version))

    def columns(self) -> Iterator[ColumnDiff]:
        """The columns that both versions have with one type, but for keys: those say which rows there are."""
        known = [statistics_of(self.versions, manifest) for manifest in (self.old, self.new)]
        for table in self.new.tables:
            if table in self.old.tables and any(only_in_one(self.old, self.new, table)):
                old, new = (self._sampled(m, table, k) for m, k in zip((self.old, self.new), known, strict=True))
                for column in self._comparable(table):
                    yield compare_column(self.connection, table, column, old, new)

    def _sampled(self, manifest: Manifest, table: str, known: Statistics) -> Sampled:
        columns = {column.name: column for column in known[table].columns}
        parts = sample(TableFiles.of(self.versions, manifest, table), fetching(self.versions, manifest))
        return Sampled(parts, known[table].sampled, columns)

    def _comparable(self, table: str) -> list[str]:
        before = {column["name"]: column["type"] for column in self.old.content["tables"][table]["columns"]}
        described = self.new.content["tables"][table]
        return [
            column["name"]
            for column in described["columns"]
            if before.get(column["name"]) == column["type"]
            and column["name"] not in described["key"]
            and not column["type"].endswith("]")
        ]
