"""Examines a shop's database against the contract before the first run, and says how to fix what would block or mislead it."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

from shopmill.declaration import Dataset
from shopmill.errors import MissingTableError, ShopmillError
from shopmill.settings import Settings
from shopmill.source.clocks import examine_clocks
from shopmill.source.contract import TABLES, SourceTable, fix_of
from shopmill.source.database import TIME_ZONE, Source, open_source
from shopmill.source.doctor_currencies import examine_currencies
from shopmill.source.doctor_indexes import is_served
from shopmill.source.doctor_keys import examine_keys
from shopmill.source.doctor_limits import examine_age, examine_rows_lost
from shopmill.source.doctor_values import examine_values
from shopmill.source.findings import Finding
from shopmill.source.mapping import Mapping, load_mapping
from shopmill.source.platforms import INDEX_KEYS, advice, platform_of
from shopmill.source.selection import Selection
from shopmill.source.shop import difference_to_owner, shop_of, what_asks_who_reads
from shopmill.versions.store import Store

Look = Callable[[Source], Iterator[Finding]]


def examine(settings: Settings, datasets: Iterable[Dataset]) -> Iterator[Finding]:
    """All findings, the connection first; without one there are no others.

    `datasets` are those that may suffer from what is wrong.
    """
    datasets = tuple(datasets)
    readers = {d.name: {needed.table for needed in d.inputs} for d in datasets}
    mapping = load_mapping(settings)
    try:
        with open_source(settings, mapping) as source:
            yield Finding("connection", "ok", "the shop's database answers")
            yield _may_write(source)
            yield from _encoding(source)
            yield from _platform(source)
    except ShopmillError as error:
        yield Finding("connection", "error", str(error), "", tuple(readers))
        return
    yield from _looked(settings, mapping, "time zone", examine_clocks, tuple(readers))
    yield from _misspelt(mapping)
    there: dict[str, Selection] = {}
    for table in TABLES.values():
        suffers = tuple(name for name, tables in readers.items() if table.name in tables)
        yield from _table(settings, mapping, table, suffers, there)
    if not there:
        yield Finding("tables", "error", "the shop has none of the tables", "map at least one: docs/your-shop.md")
        return
    yield from _looked(settings, mapping, "store", lambda source: _whose(source, settings, there))
    for name, selection in there.items():
        suffers = tuple(reader for reader, tables in readers.items() if name in tables)
        yield from _looked(settings, mapping, name, lambda source, name=name: examine_keys(source, name, there))  # type: ignore[misc]
        yield from _looked(
            settings,
            mapping,
            name,
            lambda source, own=selection, suffers=suffers: examine_currencies(source, own, there, suffers),  # type: ignore[misc]
        )
        yield from _looked(settings, mapping, name, lambda source, own=selection: examine_age(source, own, datasets))  # type: ignore[misc]
    yield from _looked(settings, mapping, "store", lambda source: examine_rows_lost(source, settings, datasets, there))


def _looked(
    settings: Settings, mapping: Mapping, subject: str, look: Look, suffers: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """Findings in a transaction of their own: an error in one ends that transaction only."""
    try:
        with open_source(settings, mapping) as source:
            yield from look(source)
    except ShopmillError as error:
        yield Finding(subject, "error", str(error), "", suffers)


def _may_write(source: Source) -> Finding:
    query = (
        "select count(*) from pg_class where relkind in ('r', 'p') and relnamespace::regnamespace::text not in "
        "('pg_catalog', 'information_schema') and has_table_privilege(oid, 'insert, update, delete, truncate')"
    )
    if writable := source.value(query):
        return Finding(
            "role",
            "warn",
            f"the source role may change {writable} tables; shopmill only ever reads",
            "create a role with SELECT only: create role shopmill_reader login; grant select on all tables in schema public to it",
        )
    return Finding("role", "ok", "the source role cannot change any table")


def _platform(source: Source) -> Iterator[Finding]:
    has_key = bool(source.settings.pseudonym_key.get_secret_value())
    if found := advice(source.mapping.folders, has_key, source.tables(), source.value):
        yield Finding("platform", "warn" if found.fix else "ok", found.text, found.fix)


def _encoding(source: Source) -> Iterator[Finding]:
    if source.encoding == "SQL_ASCII":
        yield Finding(
            "encoding",
            "warn",
            "the database is in SQL_ASCII: it does not know what its text is in, and text beyond ASCII stops a run",
            "set SHOPMILL_SOURCE_ENCODING=UTF8 if its text is UTF-8",
        )


def _misspelt(mapping: Mapping) -> Iterator[Finding]:
    """Files whose names nearly say a table."""
    for folder in mapping.folders:
        for path in sorted(folder.glob("*.sql")):
            if path.stem not in TABLES and (near := get_close_matches(path.stem, TABLES, 1, 0.8)):
                yield Finding(str(path), "warn", "is named after no table and is not used", f"name it {near[0]}.sql")


def _whose(source: Source, settings: Settings, there: dict[str, Selection]) -> Iterator[Finding]:
    source.holding(lambda: [source.selected(selection.table) for selection in there.values()])
    if asking := what_asks_who_reads(source, there.values()):
        yield Finding(
            "role",
            "warn",
            f"{', '.join(asking)} asks who reads it: another role may see other rows, and is taken for another shop",
            "let the source role see all rows of the shop, and read with the same role always",
        )
    differences = difference_to_owner(Store(settings.store, settings.work_folder), shop_of(source, there.values()))
    if differences:
        yield Finding(
            "store",
            "error",
            f"{settings.store} holds rows of another shop (now: {'; '.join(differences)})",
            "set SHOPMILL_STORE to a store of its own, or run `shopmill moved` if this is the same shop in another place, "
            "such as one restored from a dump",
        )


def _table(
    settings: Settings,
    mapping: Mapping,
    table: SourceTable,
    suffers: tuple[str, ...],
    there: dict[str, Selection],
) -> Iterator[Finding]:
    try:
        with open_source(settings, mapping) as source:
            selection = source.selected(table)
    except MissingTableError as error:
        yield Finding(table.name, "ok", f"is not there: {str(error).partition(': ')[2]}", "", suffers)
        return
    except ShopmillError as error:
        yield Finding(table.name, "error", str(error), "", suffers)
        return
    wrong = list(_columns(selection, suffers))
    yield from wrong
    if wrong:
        return
    there[table.name] = selection
    yield from _looked(
        settings, mapping, table.name, lambda source: examine_values(source, selection, suffers), suffers
    )
    yield from _looked(settings, mapping, table.name, lambda source: _index(source, selection, suffers), suffers)


def _columns(selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    table, found = selection.table, selection.types
    for column in table.selected:
        subject, kind = f"{table.name}.{column.name}", found.get(column.name)
        if kind is None and not column.optional:
            yield Finding(subject, "error", "missing", f"select it in {table.name}.sql of the mapping", suffers)
        elif kind and not column.accepts(kind):
            yield Finding(subject, "error", f"is {kind}, expected {column.type}", fix_of(column.type, kind), suffers)
    for group in table.one_of:
        if not found.keys() & set(group):
            text = f"has none of {', '.join(group)}"
            yield Finding(table.name, "error", text, f"select one of them in {table.name}.sql of the mapping", suffers)


def _index(source: Source, selection: Selection, suffers: tuple[str, ...]) -> Iterator[Finding]:
    """Whether the days that a run reads can be found without reading the whole table."""
    table = selection.table
    if not table.is_fact or table.time_of:
        return
    subject, platform = f"{table.name}.{table.time}", platform_of(source.mapping.selects[table.name].path)
    if platform:  # a plan of many joins over few rows says little
        fix = platform.missing_indexes(subject, source.rows(table, INDEX_KEYS))
    elif is_served(source, selection):
        fix = ""
    else:
        fix = f"create an index on what {table.name}.sql selects as {table.time}, exactly as it is written there"
        if TIME_ZONE.search(source.mapping.select(table.name)):
            fix += f", but with '{source.settings.time_zone}' in the place of current_setting('shopmill.time_zone')"
    if fix:
        text = "has no index that serves it: every run reads the whole table to find its new days"
        yield Finding(subject, "warn", text, fix, suffers)
