"""Which rows of a table differ between two versions, by its key, and which values moved the most.

Files that both versions have are left out: their rows are the same, and a key stands in one file only. So two days that
follow each other cost what changed between them. DuckDB joins the rest, and spills to disk beyond its memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.engine.identifiers import quote
from shopmill.personal import masked
from shopmill.trust.column_diff import NUMBERS
from shopmill.versions.manifest import Manifest

if TYPE_CHECKING:
    import duckdb

MOVERS = 5


@dataclass(frozen=True)
class Mover:
    """A value that changed a lot: by how many standard deviations of its column among the rows before."""

    column: str
    key: str
    before: str
    after: str
    deviations: float


@dataclass(frozen=True)
class RowDiff:
    """The rows of a table: how many came, went and changed. `by_column` counts changed rows by the column that differs."""

    table: str
    before: int | None
    after: int | None
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    by_column: dict[str, int] = field(default_factory=dict)
    movers: tuple[Mover, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Side:
    """One of the two versions: its manifest, and the local files of the table that the other one has not."""

    manifest: Manifest
    files: Sequence[Path]


def only_in_one(before: Manifest, after: Manifest, table: str) -> tuple[list[str], list[str]]:
    """The paths of the files of a table that differ, on either side."""
    old, new = ({file.path: file.sha256 for file in manifest.files(table)} for manifest in (before, after))
    return [p for p in old if new.get(p) != old[p]], [p for p in new if old.get(p) != new[p]]


def compare_rows(connection: "duckdb.DuckDBPyConnection", table: str, old: Side, new: Side) -> RowDiff:
    """Compares a table that both versions have."""
    counts = old.manifest.rows(table), new.manifest.rows(table)
    if not old.files and not new.files:
        return RowDiff(table, *counts, added=0, removed=0, changed=0)
    key = new.manifest.content["tables"][table]["key"]
    if key != old.manifest.content["tables"][table]["key"]:
        return RowDiff(table, *counts, note="the key is another one, so rows cannot be compared")
    shared = _shared(old.manifest, new.manifest, table)
    if not set(key) <= set(shared):
        return RowDiff(table, *counts, note="the key has another type, so rows cannot be compared")
    if not shared:
        return RowDiff(table, *counts, note="no column is in both, so rows cannot be compared")
    for name, side in (("old", old), ("new", new)):
        _view(connection, name, side, table)
    comparing = _Comparing(connection, table, tuple(key or shared), tuple(c for c in shared if key and c not in key))
    return comparing.diff(counts, _numbers(new.manifest, table, comparing.columns))


def _view(connection: "duckdb.DuckDBPyConnection", name: str, side: Side, table: str) -> None:
    columns = side.manifest.content["tables"][table]["columns"]
    if side.files:
        source = f"read_parquet({[str(path) for path in side.files]!r}, hive_partitioning = false)"
    else:
        nothing = ", ".join(f"cast(null as {column['type']}) as {quote(column['name'])}" for column in columns)
        source = f"(select {nothing} limit 0)"
    connection.execute(f"create or replace temp view {name} as select *, true as here from {source}")


def _shared(old: Manifest, new: Manifest, table: str) -> list[str]:
    """The columns that both versions have with one type: others are changes of the schema."""
    before, after = ({c["name"]: c["type"] for c in m.content["tables"][table]["columns"]} for m in (old, new))
    return [name for name, kind in after.items() if before.get(name) == kind]


def _numbers(manifest: Manifest, table: str, columns: Sequence[str]) -> list[str]:
    kinds = {c["name"]: c["type"].upper() for c in manifest.content["tables"][table]["columns"]}
    return [name for name in columns if kinds[name].startswith(NUMBERS) and not kinds[name].endswith("]")]


@dataclass(frozen=True)
class _Comparing:
    """The views `old` and `new`. Rows without a key are the same where all their values are."""

    connection: "duckdb.DuckDBPyConnection"
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]

    def diff(self, counts: tuple[int, int], numbers: Sequence[str]) -> RowDiff:
        differs = {name: f"old.{quote(name)} is distinct from new.{quote(name)}" for name in self.columns}
        any_differs = " or ".join(differs.values()) or "false"
        both = "old.here and new.here"
        asked = {
            "added": "count(*) filter (where old.here is null)",
            "removed": "count(*) filter (where new.here is null)",
            "changed": f"count(*) filter (where {both} and ({any_differs}))",
            **{f"c{i}": f"count(*) filter (where {both} and {rule})" for i, rule in enumerate(differs.values())},
            **{f"s{i}": f"stddev_pop(cast(old.{quote(name)} as double))" for i, name in enumerate(numbers)},
            **{f"m{i}": self._movers(name) for i, name in enumerate(numbers)},
        }
        row = self._row(asked)
        by_column = {name: int(row[f"c{i}"]) for i, name in enumerate(differs) if row[f"c{i}"]}
        found = [m for i, name in enumerate(numbers) for m in self._read(name, row[f"m{i}"], row[f"s{i}"])]
        biggest = sorted(found, key=lambda mover: (-mover.deviations, mover.column, mover.key))[:MOVERS]
        added, removed, changed = (int(row[name]) for name in ("added", "removed", "changed"))
        return RowDiff(self.table, *counts, added, removed, changed, by_column, tuple(biggest))

    def _row(self, asked: dict[str, str]) -> dict[str, Any]:
        selected = ", ".join(f"{expression} as {name}" for name, expression in asked.items())
        found = self.connection.execute(f"select {selected} from {self._joined()}")
        names = [column[0] for column in found.description or ()]
        return dict(zip(names, found.fetchall()[0], strict=True))

    def _joined(self) -> str:
        """Old and new rows by key; where rows repeat, the first with the first."""
        if not self.columns:
            names = ", ".join(map(quote, self.key))
            numbered = f"(select *, row_number() over (partition by {names}) as n from {{}}) as {{}}"
            sides, key = (numbered.format("old", "old"), numbered.format("new", "new")), (*self.key, "n")
        else:
            sides, key = ("old", "new"), self.key
        matched = " and ".join(f"old.{quote(name)} is not distinct from new.{quote(name)}" for name in key)
        return f"{sides[0]} full join {sides[1]} on {matched}"

    def _movers(self, name: str) -> str:
        """The values of a column that moved furthest, as structs that order by how far, then by key."""
        old, new = (f"cast({side}.{quote(name)} as double)" for side in ("old", "new"))
        keys = ", ".join(f"cast(new.{quote(part)} as varchar)" for part in self.key)
        moved = f"abs({new} - {old})"
        value = f"{{'by': {moved}, 'key': [{keys}], 'old': old.{quote(name)}, 'new': new.{quote(name)}}}"
        return f"max({value}, {MOVERS}) filter (where {moved} > 0 and isfinite({moved}))"

    def _read(self, name: str, found: list[dict[str, Any]] | None, deviation: float | None) -> list[Mover]:
        unit = deviation or 1.0
        return [
            Mover(name, self._key(one["key"]), _text(name, one["old"]), _text(name, one["new"]), one["by"] / unit)
            for one in found or ()
        ]

    def _key(self, values: Sequence[str]) -> str:
        return ", ".join(str(masked(name, value)) for name, value in zip(self.key, values, strict=True))


def _text(name: str, value: Any) -> str:
    plain = f"{value:.6g}" if isinstance(value, float) else f"{value:f}" if isinstance(value, Decimal) else str(value)
    return str(masked(name, plain.rstrip("0").rstrip(".") if "." in plain and "e" not in plain else plain))
