"""Drift: sudden changes of row counts, null shares, means and categories, seen against the same weekday of earlier weeks.

The version that is tested is not among those that it is compared with. Of the eight weeks before it, the four newest
versions count that were made with the same parameters of the dataset. With fewer than three nothing is compared.
A change is the distance to the nearest of the earlier values, so that what swings or grows from week to week is no change:

    rows         relative to the nearest earlier number of rows
    nulls        difference of shares
    means        in standard deviations of the earlier values, or relative to the value that all had in all of them
    categories   share of rows that are in another category (half the sum of the differences of shares)

What chance may do to a sample of n rows (3 / sqrt(n)) is taken off.

A table with a history is compared as a whole, and the rows of the last day before as_of by themselves: among those of two
years, a day without a customer in any row would not show.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from math import sqrt
from statistics import median

from shopmill.asof import AsOf
from shopmill.declaration import REJECTS, Table
from shopmill.engine.choice import works_in_store
from shopmill.run.checks import Result
from shopmill.run.content import plain
from shopmill.run.run import Run
from shopmill.versions.column_statistics import TOP, ColumnStatistics
from shopmill.versions.manifest import Manifest
from shopmill.versions.sampling import Fetch, TableFiles
from shopmill.versions.statistics import Statistics, TableStatistics, describe, describe_day, kept_statistics

log = logging.getLogger(__name__)
NAME = "like earlier weeks"
WEEKS, MOST, LEAST = 8, 4, 3
NAMED = 3


@dataclass(frozen=True)
class Change:
    """Something that differs from all earlier weeks: by how much, and in words."""

    by: float
    said: str


def drift_checks(run: Run) -> list[Result]:
    """Describes the staged tables, and compares them with earlier weeks: a result per table, where there are enough."""
    try:
        found = _staged_statistics(run)
        run.staging.write_statistics(found)
        earlier = list(_comparable(run))
    except Exception as error:  # whatever it is, no run fails for want of statistics
        log.warning("The columns of %s are not described: %s", run.dataset.name, error)
        return []
    if len(earlier) < LEAST:
        return []
    tables = [table for table in run.dataset.published if table.name != REJECTS.name]
    return [_result(run, table, found[table.name], _of_table(earlier, table)) for table in tables]


def _staged_statistics(run: Run) -> Statistics:
    if works_in_store(run.settings):  # a few row groups are read where the files lie
        return _described(run, lambda keys, _files: list(map(run.store.ranged, keys)))
    with run.store.scratch() as scratch:
        return _described(run, lambda keys, _files: run.store.fetch(keys, scratch))


def _described(run: Run, fetch: Fetch) -> Statistics:
    tables = {table.name: _files_of(run, table) for table in run.dataset.published}
    found, day = describe(tables, fetch), run.as_of.last_day(run.settings.zone)
    with_a_history = [table for table in run.dataset.published if table.partition_by]
    return found | {
        table.name: replace(found[table.name], newest=describe_day(tables[table.name], table.partition_by, day, fetch))
        for table in with_a_history
    }


def _files_of(run: Run, table: Table) -> TableFiles:
    staged, columns = run.staging.files(table.name), tuple(column.name for column in table.columns)
    return TableFiles(columns, tuple(one.file for one in staged), tuple(one.key for one in staged))


def _comparable(run: Run) -> Iterator[Statistics]:
    """The statistics of the newest comparable versions."""
    left = MOST
    for weeks in range(1, WEEKS + 1):
        made = run.versions.at(_weeks_before(run, weeks))
        if made and _has_same_parameters(run, made) and (kept := kept_statistics(run.versions, made)):
            yield kept
            left -= 1
        if not left:
            return


def _weeks_before(run: Run, weeks: int) -> AsOf:
    """The same weekday and the same time, so many weeks ago."""
    zone, span = run.settings.zone, timedelta(weeks=weeks)
    if "T" in run.as_of.label:
        return AsOf.parse((run.as_of.instant - span).isoformat(), zone)
    return AsOf.parse(str(run.as_of.day(zone) - span), zone)


def _has_same_parameters(run: Run, made: Manifest) -> bool:
    own = {parameter.name for parameter in run.dataset.parameters}
    return all(made.content["parameters"].get(name) == plain(run.parameters[name]) for name in own)


def _of_table(earlier: Sequence[Statistics], table: Table) -> list[TableStatistics]:
    return [found[table.name] for found in earlier if table.name in found]


def _result(run: Run, table: Table, now: TableStatistics, earlier: Sequence[TableStatistics]) -> Result:
    warn, most = Decimal(run.parameters["warn_drift"]), Decimal(run.parameters["max_drift"])
    enough = len(earlier) >= LEAST
    found = changes_of(table, now, earlier) if enough else []
    changes = [change for change in found if change.by > float(warn)]
    changes.sort(key=lambda change: (-change.by, change.said))
    blocks = bool(changes) and most > 0 and changes[0].by > float(most)
    meaning = (
        "rows, nulls, means and categories are near those of this weekday in earlier weeks (warn_drift, max_drift)"
    )
    limit = f"max_drift={plain(most)}: max_drift=0 lets it pass" if blocks else f"warn_drift={plain(warn)}"
    more = f"; and {len(changes) - NAMED} more changes" if len(changes) > NAMED else ""
    said = "; ".join(change.said for change in changes[:NAMED])
    detail = (
        f"{table.name} is unlike its {len(earlier)} versions of this weekday before: {said}{more}, more than {limit}"
    )
    return Result(NAME, table.name, "error" if blocks else "warn", meaning, len(changes), detail if changes else "")


def changes_of(table: Table, now: TableStatistics, earlier: Sequence[TableStatistics]) -> Iterator[Change]:
    """All that lies outside of the earlier values, however little."""
    if not table.may_be_empty:
        yield from _less(_chance(one.rows for one in earlier), _rows(now, earlier))
    yield from _column_changes(table, now, earlier)
    before = [one.newest for one in earlier if one.newest]
    if now.newest and len(before) >= LEAST:
        for change in _changes_of_day(table, now.newest, before):
            yield Change(change.by, f"of its newest day {change.said}")


def _changes_of_day(table: Table, now: TableStatistics, earlier: Sequence[TableStatistics]) -> Iterator[Change]:
    """Days swing more than histories do: by how much they did is taken off. What all rows of a day share is the day's."""
    counts = [one.rows for one in earlier]
    if not table.may_be_empty:
        swing = (max(counts) - min(counts)) / max(1, min(counts))
        yield from _less(_chance(counts) + swing, _rows(now, earlier))
    told = tuple(column for column in now.columns if any(_differs(one.column(column.name)) for one in (now, *earlier)))
    yield from _column_changes(table, replace(now, columns=told), earlier)


def _differs(column: ColumnStatistics | None) -> bool:
    """Whether rows may have different values in a column."""
    return column is not None and (column.nulls > 0 or column.distinct != 1)


def _chance(counts: Iterable[int]) -> float:
    """By what share rows may differ by chance, where the fewest are so many."""
    return 3 / sqrt(max(1, min(counts)))


def _column_changes(table: Table, now: TableStatistics, earlier: Sequence[TableStatistics]) -> Iterator[Change]:
    if not now.sampled or any(one.sampled == 0 for one in earlier):
        return
    chance = _chance(one.sampled for one in (now, *earlier))
    for column in now.columns:
        before = [(one, found) for one in earlier if (found := one.column(column.name))]
        if column.name not in table.key and len(before) >= LEAST:
            for look in (_nulls, _mean, _categories):
                yield from _less(chance, look(_Seen(column, now), [_Seen(found, one) for one, found in before]))


def _less(chance: float, change: Change | None) -> Iterator[Change]:
    if change and change.by > chance:
        yield Change(change.by - chance, change.said)


@dataclass(frozen=True)
class _Seen:
    """A column in the table that it was seen in."""

    column: ColumnStatistics
    table: TableStatistics

    @property
    def nulls(self) -> float:
        return self.column.nulls / self.table.sampled

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def shares(self) -> Mapping[str, float]:
        """The most frequent values, with their shares of the rows that have one."""
        whole = self.table.sampled - self.column.nulls
        return {bar.label: bar.rows / whole for bar in self.column.top} if whole else {}

    @property
    def hidden(self) -> float:
        """The largest share that a value which is not among the most frequent ones may have."""
        return min(self.shares.values(), default=0.0) if (self.column.distinct or 0) > TOP else 0.0


def _distance(now: float, before: Sequence[float]) -> float:
    low, high = min(before), max(before)
    return max(low - now, now - high, 0.0)


def _span(values: Sequence[float], spoken: Callable[[float], str]) -> str:
    low, high = spoken(min(values)), spoken(max(values))
    return low if low == high else f"{low} to {high}"


def _rows(now: TableStatistics, earlier: Sequence[TableStatistics]) -> Change:
    before = [float(one.rows) for one in earlier]
    nearest = min(before, key=lambda rows: abs(rows - now.rows))
    return Change(
        _distance(now.rows, before) / max(nearest, 1.0),
        f"{now.rows:,} rows, {_span(before, lambda n: f'{n:,.0f}')} before",
    )


def _nulls(now: _Seen, before: Sequence[_Seen]) -> Change:
    shares = [one.nulls for one in before]
    said = f"{now.name} has no value in {now.nulls:.1%} of rows, {_span(shares, lambda share: f'{share:.1%}')} before"
    return Change(_distance(now.nulls, shares), said)


def _mean(now: _Seen, before: Sequence[_Seen]) -> Change | None:
    known = [(one.column.mean, one.column.deviation) for one in before]
    means = [float(mean) for mean, _ in known if mean]
    deviation = median([float(found) for _, found in known if found] or [0.0])
    if now.column.mean is None or len(means) < LEAST:
        return None
    mean = float(now.column.mean)
    if not deviation and len(set(means)) > 1:
        return None  # one value a week that is another one each week, such as days since the last sale
    unit = deviation or abs(means[0]) or abs(mean) or 1.0
    by = _distance(mean, means) / unit
    how = f"{by:.1f} standard deviations" if deviation else "where all values were the same"
    said = f"{now.name} has the mean {now.column.mean}, {_span(means, lambda mean: f'{mean:.6g}')} before ({how})"
    return Change(by, said)


def _categories(now: _Seen, before: Sequence[_Seen]) -> Change | None:
    if not now.shares or not all(one.shares for one in before):
        return None
    by = min(_other(now, one) for one in before)
    labels = {*now.shares, *(label for one in before for label in one.shares)}
    moved = min(labels, key=lambda label: (-_moved(now, before, label), label))
    shares = [one.shares.get(moved, 0.0) for one in before]
    said = f"{now.name} is {moved!r} in {now.shares.get(moved, 0.0):.1%} of rows, {_span(shares, lambda s: f'{s:.1%}')} before"
    return Change(by, said)


def _moved(now: _Seen, before: Sequence[_Seen], label: str) -> float:
    return round(_distance(now.shares.get(label, 0.0), [one.shares.get(label, 0.0) for one in before]), 6)


def _other(one: _Seen, other: _Seen) -> float:
    """The share of rows that are in another category, at least: what is not among the most frequent may be hidden."""
    labels = {*one.shares, *other.shares}
    return sum(_apart(one, other, label) for label in labels) / 2


def _apart(one: _Seen, other: _Seen, label: str) -> float:
    first, second = one.shares.get(label), other.shares.get(label)
    if first is not None and second is not None:
        return abs(first - second)
    return max(0.0, (first or 0.0) - other.hidden, (second or 0.0) - one.hidden)
