"""Which limits would stop the next run: rows that are too old, and tables that have lost most of their rows."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from shopmill.declaration import Dataset
from shopmill.engine.identifiers import quote
from shopmill.settings import Settings
from shopmill.source.database import Source
from shopmill.source.findings import Finding
from shopmill.source.selection import Selection
from shopmill.source.snapshot import FIRST_DAY
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions


def examine_age(source: Source, selection: Selection, datasets: Iterable[Dataset]) -> Iterator[Finding]:
    """Whether the newest rows of a table are older than a run of today lets pass."""
    table, limits = selection.table.name, _limits(source.settings, selection.table.name, datasets)
    if not limits:
        return
    newest, today = newest_day(source, selection), datetime.now(source.settings.zone).date()
    if newest is None:
        text = "has no usable row, and without one nothing is published"
        yield Finding(f"{table} fresh", "warn", text, "fill it, or look at what the mapping selects", tuple(limits))
        return
    age = (today - newest).days
    if blocked := tuple(name for name, limit in limits.items() if age > limit):
        yield Finding(f"{table} fresh", "warn", *_too_old(newest, age, limits[blocked[0]], blocked), blocked)


def _limits(settings: Settings, table: str, datasets: Iterable[Dataset]) -> dict[str, int]:
    """The `stale_days` of the datasets that are not published without fresh rows of a table."""
    return {
        dataset.name: int(str(dataset.parse_parameters(settings.parameters.get(dataset.name, {}))["stale_days"]))
        for dataset in datasets
        for needed in dataset.inputs
        if needed.table == table and needed.is_fresh and needed.severity == "error"
    }


def newest_day(source: Source, selection: Selection) -> date | None:
    """The day of the newest row that is not of the future."""
    time = f"mapped.{quote(selection.table.time)}"
    query = (
        f"select max({selection.day()})::text from {selection.mapped} where {time} >= '{FIRST_DAY}' and {time} <= now()"
    )
    [(day,)] = source.rows(selection.table, query)
    return date.fromisoformat(str(day)) if day else None


def _too_old(newest: date, age: int, limit: int, blocked: tuple[str, ...]) -> tuple[str, str]:
    text = f"its newest rows are of {newest}, {age} days ago: a run for today is not published (stale_days is {limit})"
    earlier = f"run for an earlier day, such as --as-of {newest + timedelta(days=1)}"
    return (
        text,
        f"{earlier}, or let older rows pass: stale_days = {age} below [parameters.{blocked[0]}] of shopmill.toml",
    )


def examine_rows_lost(
    source: Source, settings: Settings, datasets: Iterable[Dataset], there: Mapping[str, Selection]
) -> Iterator[Finding]:
    """Whether a table has far fewer rows than the current version of a dataset was made of."""
    store = Store(settings.store, settings.work_folder)
    before: dict[str, tuple[int, float, tuple[str, ...]]] = {}
    for dataset in datasets:
        manifest = Versions(store, dataset.name, settings.zone).current()
        drop = float(str(dataset.parse_parameters(settings.parameters.get(dataset.name, {}))["max_row_drop"]))
        for account in manifest.accounts if manifest else ():
            rows, least, names = before.get(account.table, (0, 1.0, ()))
            before[account.table] = (max(rows, account.rows), min(least, drop), (*names, dataset.name))
    for table, (rows, drop, names) in before.items():
        if rows and table in there:
            yield from _lost(source, there[table], rows, drop, names)


def _lost(source: Source, selection: Selection, before: int, drop: float, names: tuple[str, ...]) -> Iterator[Finding]:
    [(number,)] = source.rows(selection.table, f"select count(*) from {selection.mapped}")
    rows = int(str(number))
    if rows < before * (1 - drop):
        text = (
            f"has {rows:,} rows, and the current versions were made of {before:,}: what has so few rows is not published "
            f"(max_row_drop is {drop:g})"
        )
        passing = 1 - rows / before
        fix = f"look for the rows, or let it pass once: -p max_row_drop={min(1, round(passing + 0.005, 2)):g}"
        yield Finding(f"{selection.table.name} rows", "warn", text, fix, names)
