"""Shop platforms that there is a preset for: known by their tables, and named where their tables are not what the preset reads.

Each preset's folder says in `platform.toml` which tables give the platform away, how its version is found, the version that
the tests run, and which indexes it lacks.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from shopmill.errors import ShopmillError
from shopmill.source.mapping import PRESETS

TABLES_AND_COLUMNS = """
select relname::text, attname::text
from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
where relkind in ('r', 'p', 'v', 'm', 'f') and pg_table_is_visible(pg_class.oid)
"""
INDEX_KEYS = "select indrelid::regclass::text, pg_get_indexdef(indexrelid, 1, true) from pg_index where indisvalid"
Ask = Callable[[str], object]
"""Runs a query and gives its one value; a ShopmillError where it fails."""


@dataclass(frozen=True)
class VersionRule:
    """A version by a table that it lacks (or by none: whatever is left), as a name or as a query that gives it."""

    lacks: str = ""
    name: str = ""
    query: str = ""


@dataclass(frozen=True)
class Platform:
    """A platform and its preset. `proven` is the version that the tests run; empty where none has been run."""

    preset: str
    title: str
    proven: str
    tables: frozenset[str]
    versions: tuple[VersionRule, ...]
    has_guests: bool
    indexes: Mapping[str, tuple[str, ...]]

    @property
    def basis(self) -> str:
        """What the preset rests on."""
        return f"proven with {self.title} {self.proven}" if self.proven else f"from {self.title}'s schema, not run"

    def version(self, tables: Iterable[str], ask: Ask) -> str:
        """The version of the platform that a database with these tables is of, as far as it is known."""
        found = set(tables)
        rule = next(rule for rule in self.versions if rule.lacks not in found)
        try:
            return rule.name or str(ask(rule.query) or "of an unknown version")
        except ShopmillError:
            return "of an unknown version"

    def missing_indexes(self, column: str, there: Iterable[tuple[object, ...]]) -> str:
        """The statements that make the days of a mapped column (`orders.order_datetime`) quick to find; empty where they are."""
        found = {_plain(f"{table} ({key})") for table, key in there}
        missing = [place for place in self.indexes.get(column, ()) if _plain(place) not in found]
        return "; ".join(f"create index concurrently on {place}" for place in missing)


def _plain(place: str) -> str:
    """A table and its index key without what PostgreSQL writes in another way than people do."""
    return re.sub(r'::text|[\s"()]', "", place).lower()


@cache
def platforms() -> tuple[Platform, ...]:
    """All platforms that there is a preset for."""
    return tuple(_platform(path) for path in sorted(PRESETS.glob("*/platform.toml")))


def _platform(path: Path) -> Platform:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    return Platform(
        path.parent.name,
        said["title"],
        said["proven"],
        frozenset(said["tables"]),
        tuple(VersionRule(**rule) for rule in said["versions"]),
        said["guests"],
        {column: tuple(places) for column, places in said["indexes"].items()},
    )


def platform_of(file: Path | None) -> Platform | None:
    """The platform whose preset a file of a mapping belongs to."""
    if file is None or file.parent.parent != PRESETS:
        return None
    return next((platform for platform in platforms() if platform.preset == file.parent.name), None)


def recognised(tables: Iterable[str]) -> Platform | None:
    """The platform whose tables a database has; of several, the one that is known by the most tables."""
    found = set(tables)
    fitting = [platform for platform in platforms() if platform.tables <= found]
    return max(fitting, key=lambda platform: len(platform.tables), default=None)


@dataclass(frozen=True)
class Advice:
    """What a person should know about the platform of a database; without a `fix` all is well."""

    text: str
    fix: str = ""


def advice(folders: Iterable[Path], has_key: bool, there: Iterable[str], ask: Ask) -> Advice | None:
    """Which platform the tables of a database are of, and which preset fits; None for a shop of its own."""
    found = recognised(there)
    chosen = {folder.name for folder in folders if folder.parent == PRESETS}
    if found is None:
        names = ", ".join(sorted(chosen))
        text = f"the preset {names} is chosen, but the database lacks the tables of its platform"
        return (
            Advice(
                text, "set SHOPMILL_SOURCE_DSN to the database of the shop, or SHOPMILL_MAPPING to a mapping that fits"
            )
            if chosen
            else None
        )
    what = f"{found.title} {found.version(there, ask)}"
    if found.preset not in chosen:
        return Advice(
            f"this is {what}: the preset {found.preset} maps it ({found.basis})", f"set SHOPMILL_MAPPING={found.preset}"
        )
    if found.has_guests and not has_key:
        return Advice(
            f"{what}: guests are customers that nobody knows",
            "set SHOPMILL_PSEUDONYM_KEY to a text that only the shop knows",
        )
    return Advice(f"{what}, mapped by the preset {found.preset} ({found.basis})")


def difference(file: Path | None, select: str, there: Mapping[str, set[str]], ask: Ask) -> str:
    """What a preset's SELECT reads and a database lacks, in a sentence; empty where it is no preset's, or nothing is lacking."""
    platform = platform_of(file)
    missing = lacking(select, there) if platform else ""
    if platform is None or file is None or not missing:
        return ""
    return (
        f"{file.stem}: the preset {platform.preset} ({platform.basis}) reads {missing}, which this database of "
        f"{platform.title} {platform.version(there, ask)} does not have. Copy {file} into a folder of your own, change it "
        f"there, and set SHOPMILL_MAPPING=that-folder,{platform.preset}."
    )


def lacking(select: str, there: Mapping[str, set[str]]) -> str:
    """The first column (`order_line.quantity`) or table that a SELECT reads and a database lacks; empty if it has all."""
    for table, columns in sorted(columns_read(select).items()):
        if table not in there:
            return table
        if missing := sorted(columns - there[table]):
            return f"{table}.{missing[0]}"
    return ""


def columns_read(select: str) -> dict[str, set[str]]:
    """The shop's own tables that a SELECT reads, and the columns of each."""
    found: dict[str, set[str]] = {}
    for scope in traverse_scope(sqlglot.parse_one(select, dialect="postgres")):
        selected = {alias: source for alias, (_, source) in scope.selected_sources.items()}
        tables = {
            alias: source.name for alias, source in selected.items() if isinstance(source, exp.Table) and source.name
        }
        for name in tables.values():
            found.setdefault(name, set())
        for column in scope.columns:
            alias = column.table or (next(iter(selected)) if len(selected) == 1 else "")
            if alias in tables:
                found[tables[alias]].add(column.name)
    return found
