"""Compares every day of a fact with the shop by a fingerprint, and reads again the days that differ, and no others.

Both sides say each row as the same text and sum its hash: the shop in PostgreSQL, the raw files in DuckDB. Rows that were
changed or deleted long ago are found, at the cost of one pass over each side.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from shopmill.asof import AsOf
from shopmill.engine.duckdb_engine import connect
from shopmill.engine.identifiers import quote
from shopmill.errors import InvalidInputError, MissingTableError, did_you_mean
from shopmill.settings import Settings
from shopmill.source.contract import TABLES, SourceColumn
from shopmill.source.database import Source, open_source
from shopmill.source.extraction import Extraction, Lock
from shopmill.source.mapping import load_mapping
from shopmill.source.personal_data import Policy
from shopmill.source.selection import Selection, Span
from shopmill.source.shop import claim, shop_of
from shopmill.source.snapshot import FIRST_DAY, UNDATED, Snapshot, SnapshotCatalogue
from shopmill.versions.store import Store

Fingerprint = tuple[int, int]
"""The number of rows of a day, and the sum of their hashes."""
HASH_DIGITS = 15
"""Hexadecimal digits of the MD5 of a row that are summed: 60 bits."""


@dataclass(frozen=True)
class Reconciled:
    """One table compared: its snapshot, how many days it has, and those that differed and were read again."""

    table: str
    as_of: str
    days: int
    different: tuple[date, ...]

    @property
    def sentence(self) -> str:
        """What was found, as people read it."""
        if not self.different:
            return f"{self.table} as of {self.as_of}: all {self.days:,} days are as they were read"
        named = ", ".join(map(str, self.different[:10])) + (" …" if len(self.different) > 10 else "")  # noqa: PLR2004
        return f"{self.table} as of {self.as_of}: {len(self.different):,} of {self.days:,} days differed and were read again: {named}"


def reconcile(
    settings: Settings, lock: Lock, tables: Iterable[str] = (), report: Callable[[str], None] = lambda _: None
) -> list[Reconciled]:
    """Compares the newest snapshots of the facts with the shop; what differs is read into a new snapshot of their as_of.

    `report` is given the table that is being compared.
    """
    store, mapping = Store(settings.store, settings.work_folder), load_mapping(settings)
    found = []
    for name in sorted(_wanted(tables), reverse=True):  # orders before their items: what dates is put right first
        report(name)
        catalogue = SnapshotCatalogue(store, TABLES[name], mapping.fingerprint(TABLES[name]))
        if snapshot := catalogue.newest():
            with open_source(settings, mapping) as source:
                different = _different(source, settings, store, snapshot)
            as_of = AsOf.parse(snapshot.as_of, settings.zone)
            if different:
                Extraction(settings, store, as_of, lock).read_days(name, different)
            days = sum(file.day != UNDATED for file in snapshot.files)
            found.append(Reconciled(name, snapshot.as_of, days, tuple(sorted(different))))
    return found


def _wanted(tables: Iterable[str]) -> set[str]:
    """The tables that were named, or all; InvalidInputError for one that has no days to compare."""
    facts = {name for name, table in TABLES.items() if table.is_fact}
    if unknown := sorted(set(tables) - facts):
        raise InvalidInputError(
            f"There is no table {unknown[0]!r} of facts. There are: {', '.join(sorted(facts))}.{did_you_mean(unknown[0], facts)}"
        )
    return set(tables) or facts


def _different(source: Source, settings: Settings, store: Store, snapshot: Snapshot) -> set[date]:
    try:
        selection = source.holding(lambda: source.selection(TABLES[snapshot.table]))
    except MissingTableError:
        return set()
    claim(store, shop_of(source, [selection]))
    theirs, ours = (
        _of_the_shop(source, selection, settings, snapshot),
        _of_the_store(selection, settings, store, snapshot),
    )
    return {day for day in theirs.keys() | ours.keys() if theirs.get(day) != ours.get(day)}


def _compared(selection: Selection, settings: Settings) -> list[SourceColumn]:
    """The columns whose values raw files have: of what is hashed or dropped, nobody can say whether it changed."""
    policy = Policy.of(settings)
    return [column for column in selection.found if policy.action(column) == "keep"]


def _of_the_shop(
    source: Source, selection: Selection, settings: Settings, snapshot: Snapshot
) -> Mapping[date, Fingerprint]:
    as_of = AsOf.parse(snapshot.as_of, settings.zone)
    rows = selection.dated(Span.until_as_of(FIRST_DAY, as_of, settings.zone))
    texts = [_postgresql(column, selection, source) for column in _compared(selection, settings)]
    time = f"coalesce({', '.join(map(quote, selection.times))})"
    day = time if selection.time_is_date else f"({time} at time zone '{settings.time_zone}')::date"
    hashed = f"('x' || left(md5(concat_ws('|', {', '.join(texts)})), {HASH_DIGITS}))::bit({4 * HASH_DIGITS})::bigint"
    query = f"select ({day})::text, count(*), sum({hashed})::text from ({rows}) as sent group by 1"
    found = source.rows(selection.table, query)
    return {date.fromisoformat(str(day)): (int(str(count)), int(str(total))) for day, count, total in found}


def _of_the_store(
    selection: Selection, settings: Settings, store: Store, snapshot: Snapshot
) -> Mapping[date, Fingerprint]:
    days = [file for file in snapshot.files if file.day != UNDATED]
    texts = [_duckdb(column) for column in _compared(selection, settings)]
    hashed = f"('0x' || left(md5(concat_ws('|', {', '.join(texts)})), {HASH_DIGITS}))::hugeint"
    query = f"select filename, count(*), sum({hashed}) from read_parquet($files, filename = true, union_by_name = true) group by 1"
    if not days:
        return {}
    with store.scratch() as scratch, connect(settings, scratch) as engine:
        paths = store.fetch([file.key for file in days], scratch)
        found = engine.execute(query, {"files": list(map(str, paths))}).fetchall()
    of_path = {str(path): date.fromisoformat(file.day) for path, file in zip(paths, days, strict=True)}
    return {of_path[path]: (int(count), int(total)) for path, count, total in found}


def _postgresql(column: SourceColumn, selection: Selection, source: Source) -> str:
    """A column that is sent as the text that DuckDB makes of what became of it."""
    value, kind = quote(column.name), column.type
    if kind == "varchar":
        trimmed = source.trimmed(source.plain(value) if column.is_word else value)
        text = f"case when {trimmed} <> '' then {value if column.is_prose else trimmed} end"
    elif kind.startswith("decimal"):
        digits, places = (int(part) for part in kind[8:-1].split(","))
        number = f"round({value}::text::numeric, {places})"
        is_number = f"{value}::text not in ('NaN', 'Infinity', '-Infinity')"
        text = f"case when {is_number} then case when abs({number}) < 1e{digits - places} then {number}::text end end"
    elif kind == "integer":
        number = f"{value}::int" if selection.types[column.name] == "bool" else value
        text = f"case when {number} between -2147483648 and 2147483647 then {number}::text end"
    elif kind == "boolean":
        text = f"{value}::text"
    elif kind == "date":
        text = f"({value} - date '2000-01-01')::text"
    else:
        text = f"round(extract(epoch from {value}) * 1000000)::bigint::text"
    return f"coalesce({text}, '-')"


def _duckdb(column: SourceColumn) -> str:
    """The same text of a column of a raw file."""
    value = quote(column.name)
    if column.type == "date":
        text = f"({value} - date '2000-01-01')::varchar"
    elif column.type == "timestamptz":
        text = f"epoch_us({value})::varchar"
    else:
        text = f"{value}::varchar"
    return f"coalesce({text}, '-')"
