"""What the registry knows of people: messages that may name one, and who was erased from which store."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shopmill.registry import Registry

TEXTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "etl_runs": (("run_id",), ("error", "checks", "parameters")),
    "news": (("dataset",), ("news",)),
    "failed_tasks": (("run_id", "task"), ("failure",)),
}
"""By table: its key, and the columns in which somebody may be named."""
RENAME = """
update shopmill.etl_runs as run
set version = new.version, rows = new.rows, bytes = new.bytes, inputs = new.inputs
from unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::jsonb[])
  as new (dataset, was, version, rows, bytes, inputs)
where run.dataset = new.dataset and run.version = new.was and (run.store is null or run.store = %s)
"""
"""In one statement: a year of versions has a row each, which it would look for as often."""
AT_ONCE = 100
"""Rows of the registry that are in memory together."""
NUMBER = re.compile(r"[-+]?[\d.]+")
SAID: Mapping[str, frozenset[str]] = {
    "checks": frozenset({"detail", "examples"}),
    "failure": frozenset({"error", "cause", "failed_checks"}),
}
"""What a person wrote or a message says in a document, by its column. All else are our own words, such as `error`."""


@dataclass(frozen=True)
class Renamed:
    """A version of a dataset that has another id now, and what its row says of it."""

    dataset: str
    old: str
    new: str
    rows: int
    bytes: int
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Erasures:
    """The rows of a registry that tell of a store."""

    registry: Registry
    store: str

    def masked(self, mask: Callable[[Any], Any], keep: bool = True) -> dict[str, int]:
        """Masks every message, and gives the number of rows that changed by table; without `keep` only counts them."""
        self.registry.migrate()
        changed: dict[str, int] = {}
        with self.registry.connect() as connection:
            for table, (key, columns) in TEXTS.items():
                names = ", ".join((*key, *columns))
                changed[table] = 0
                for row in _rows(connection, f"select {names} from shopmill.{table}"):
                    masked = {name: _masked(name, row[name], mask) for name in columns}
                    new = {name: value for name, value in masked.items() if value != row[name]}
                    changed[table] += bool(new)
                    if new and keep:
                        sets = ", ".join(f"{name} = %({name})s" for name in new)
                        where = " and ".join(f"{name} = %({name})s" for name in key)
                        values = {
                            name: value if isinstance(value, str) else Jsonb(value) for name, value in new.items()
                        }
                        connection.execute(
                            f"update shopmill.{table} set {sets} where {where}".encode(),
                            {**values, **{name: row[name] for name in key}},
                        )
        return changed

    def rename(self, versions: Iterable[Renamed]) -> None:
        """Lets the rows of runs name the versions that took the place of theirs."""
        rows = [(one.dataset, one.old, one.new, one.rows, one.bytes, Jsonb(dict(one.inputs))) for one in versions]
        with self.registry.connect() as connection:
            connection.execute(RENAME, (*(map(list, zip(*rows, strict=True)) if rows else [[]] * 6), self.store))

    def under_way(self) -> list[str]:
        """Runs of Airflow that are at work in the store, as `dataset as of as_of`."""
        self.registry.migrate()
        with self.registry.connect() as connection:
            rows = connection.execute(
                "select dataset, as_of from shopmill.etl_runs where status = 'running' and dag_run_id is not null "
                "and (store is null or store = %s) order by started_at",
                (self.store,),
            ).fetchall()
        return [f"{row['dataset']} as of {row['as_of']}" for row in rows]

    def note(self, person: str, at: str, tombstone: Mapping[str, Any], receipt: Mapping[str, Any]) -> None:
        """Keeps a tombstone and a receipt apart from the store, whose backups do not have them."""
        self.registry.migrate()
        with self.registry.connect() as connection:
            connection.execute(
                "insert into shopmill.erasures (store, person, erased_at, tombstone, receipt) values (%s, %s, %s, %s, %s) "
                "on conflict (store, person) do update set erased_at = excluded.erased_at, "
                "tombstone = excluded.tombstone, receipt = excluded.receipt",
                (self.store, person, at, Jsonb(dict(tombstone)), Jsonb(dict(receipt))),
            )

    def tombstones(self) -> dict[str, dict[str, Any]]:
        """The tombstones of the store, by person; none where the registry is older than they are."""
        with self.registry.connect() as connection:
            there = connection.execute("select to_regclass('shopmill.erasures') is not null as there").fetchone()
            if not (there and there["there"]):
                return {}
            rows = connection.execute("select store, person, tombstone from shopmill.erasures").fetchall()
        return {row["person"]: row["tombstone"] for row in rows if _is_the_same(row["store"], self.store)}


def _rows(connection: Connection[DictRow], query: str) -> Iterator[DictRow]:
    """Some rows at a time: the checks of a year of runs would fill the memory."""
    with connection.cursor("erasure") as cursor:
        cursor.itersize = AT_ONCE
        yield from cursor.execute(query.encode())


def _masked(column: str, value: Any, mask: Callable[[Any], Any]) -> Any:
    """What a column says, masked where it may name somebody: not in numbers, and in no words of our own."""
    if isinstance(value, list) and column in SAID:
        return [_masked(column, one, mask) for one in value]
    if isinstance(value, dict) and column in SAID:
        return {name: mask(one) if name in SAID[column] else one for name, one in value.items()}
    if isinstance(value, dict):
        return {name: one if NUMBER.fullmatch(str(one)) else mask(one) for name, one in value.items()}
    return mask(value)


def _is_the_same(one: str, other: str) -> bool:
    """Whether two addresses are of one store: of a folder by whatever way it was named once."""
    return one == other or ("://" not in one and str(Path(one).expanduser().resolve()) == other)
