"""`shopmill.training_set(...)`: features as they were, joined with what happened next, from published versions only."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.datasets.training_labels.labels import LABELS, Label
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.settings import Settings, load_settings
from shopmill.training.split import Split, as_given, by_time
from shopmill.versions.load import Version, too_old
from shopmill.versions.manifest import VERSION_DIGITS
from shopmill.versions.store import Store, to_json
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

LABELS_DATASET = "training_labels"
FORMAT = 1
"""Part of the id: another way of joining makes another set of the same versions."""

AsOfs = Sequence[str | date] | Mapping[str, Sequence[str | date]]


@dataclass(frozen=True)
class Pair:
    """The features of an origin, and the labels of the same origin, which a later version has."""

    origin: date
    part: str
    features: Version
    labels: Version


@dataclass(frozen=True)
class TrainingSet:
    """Rows to learn from: one per entity and origin, with the features of the origin's version and the label."""

    dataset: str
    label: Label
    split: Split
    pairs: tuple[Pair, ...]

    def __repr__(self) -> str:
        return f"<shopmill training set {self.line}>"

    @cached_property
    def id(self) -> str:
        """The hash of all that the set is made of: versions, label, parts."""
        return hashlib.sha256(to_json(self.document)).hexdigest()[:VERSION_DIGITS]

    @property
    def line(self) -> str:
        """What to write down beside a model."""
        return f"{self.id}: {self.dataset} with {self.label.name}; {self.split}"

    @property
    def document(self) -> dict[str, Any]:
        """What the set is made of."""
        pairs = [
            {
                "origin": str(pair.origin),
                "part": pair.part,
                "features": pair.features.version,
                "labels": pair.labels.version,
            }
            for pair in self.pairs
        ]
        return {"format": FORMAT, "dataset": self.dataset, "label": self.label.name, "pairs": pairs}

    def to_pandas(self) -> "pd.DataFrame":
        """The rows as pandas, in the types that libraries take: `split`, `origin`, the key, the features, `label`."""
        from shopmill.versions.frames import ColumnFacts, to_frame

        newest = self.pairs[-1].features.manifest
        facts = ColumnFacts.of(newest.content["tables"][str(newest.content["main_table"])])
        return to_frame(self.to_arrow(), {**facts, "split": ColumnFacts(True, tuple(self.split.parts))})

    def to_arrow(self) -> "pa.Table":
        """The rows as Arrow, in the order of origin and key."""
        import pyarrow as pa

        return pa.concat_tables(self._of_pairs(), promote_options="default")

    def _of_pairs(self) -> "Iterator[pa.Table]":
        import duckdb

        with duckdb.connect(config={"autoinstall_known_extensions": False, "TimeZone": "UTC"}) as connection:
            for pair in self.pairs:
                yield self._joined(pair, connection)

    def _joined(self, pair: Pair, connection: Any) -> "pa.Table":
        key = ", ".join(self.label.key)
        labels = pair.labels.to_duckdb(
            self.label.table, connection, [*self.label.key, "value"], f"label = '{self.label.name}'"
        )
        labels.create_view("labels", replace=True)
        pair.features.to_duckdb(None, connection).create_view("features", replace=True)
        missing = self.label.missing
        join, value = ("left join", f"coalesce(value, {missing})") if missing is not None else ("join", "value")
        return connection.sql(
            f"""
            select '{pair.part}' as split, date '{pair.origin}' as origin, features.*, cast({value} as double) as label
            from features {join} labels using ({key})
            order by {key}
            """
        ).to_arrow_table()


def training_set(
    dataset: str,
    label: str,
    as_of: AsOfs,
    store: str | Path | None = None,
    backfill: bool = False,
    settings: Settings | None = None,
) -> TrainingSet:
    """The features of `dataset` at each as_of with the label of the same origin.

    `as_of` is a list, which is split by time, or names the parts: {"train": [...], "validation": [...], "test": [...]}.
    Between parts lies the label's horizon, so that nothing learnt from was known later than what is predicted. Versions
    that are missing are named with the command that makes them; `backfill` makes them.
    InvalidInputError for what cannot be used.
    """
    settings = settings or load_settings(**({"store": str(store)} if store else {}))
    chosen = _label_of(dataset, label)
    split = _split(as_of, timedelta(days=chosen.horizon_days))
    needed = _Needed(dataset, chosen, split, settings)
    if backfill:
        needed.make()
    needed.refuse_missing()
    pairs = tuple(needed.pairs())
    _refuse_other_columns(pairs)
    return TrainingSet(dataset, chosen, split, pairs)


def _label_of(dataset: str, name: str) -> Label:
    main = datasets.load(dataset).published[0]
    known = {label.name: label for label in LABELS}
    if name not in known:
        raise InvalidInputError(
            f"There is no label {name!r}. There are: {', '.join(known)}.{did_you_mean(name, known)}"
        )
    label = known[name]
    if main.key != label.key:
        fitting = [label.name for label in LABELS if label.key == main.key]
        has = f"its labels are {', '.join(fitting)}." if fitting else "no label is of such rows."
        raise InvalidInputError(
            f"{name} is a label of each {' and '.join(label.key)}, but {dataset} has a row per {' and '.join(main.key)}: {has}"
        )
    return label


def _has(version: Version, label: Label) -> bool:
    """Whether the label was declared when the version was made: a label without rows says nothing."""
    columns = version.manifest.content["tables"].get(label.table, {}).get("columns", ())
    names = next((column.get("allowed") for column in columns if column["name"] == "label"), ())
    return names is None or label.name in names


def _refuse_other_columns(pairs: Sequence[Pair]) -> None:
    """InvalidInputError where versions differ in their columns: the newest says which those are.

    A column that one part lacks would be null in all of its rows, and a model would learn when a version was made.
    """
    newest = max((pair.features for pair in pairs), key=lambda version: version.published_at)
    wanted = _columns_of(newest)
    for version in (pair.features for pair in pairs):
        if differing := sorted(_columns_of(version).items() ^ wanted.items()):
            raise InvalidInputError(
                f"{version.manifest.dataset} as of {version.as_of}, version {version.version}, differs from that as of "
                f"{newest.as_of} in the column {differing[0][0]!r}: it is older than that. "
                f"Publish it again: `shopmill run {version.manifest.dataset} --as-of {version.as_of}`."
            )


def _columns_of(version: Version) -> dict[str, str]:
    """The columns of the main table with their types."""
    main = version.manifest.content["tables"][str(version.manifest.content["main_table"])]
    return {column["name"]: column["type"] for column in main["columns"]}


def _split(as_of: AsOfs, horizon: timedelta) -> Split:
    if isinstance(as_of, Mapping):
        parts = {part: [] if given is None else _days(given, horizon) for part, given in as_of.items()}
        return as_given(parts, horizon)
    if not (days := _days(as_of, horizon)):
        raise InvalidInputError("as_of is empty: name the as_ofs of the features.")
    return by_time(days, horizon)


def _days(given: Sequence[str | date], horizon: timedelta) -> list[date]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        kind = "a text" if isinstance(given, str) else "no list"
        raise InvalidInputError(f"as_of={given!r} is {kind}: give a list, such as ['2017-06-01'].")
    return [_day(one, horizon) for one in given]


def _day(given: str | date, horizon: timedelta) -> date:
    try:
        # pandas' date_range has moments, each at the beginning of its day.
        if isinstance(given, datetime) and given.tzinfo is None and given.time() == time():
            given = given.date()
        day = date.fromisoformat(str(given))
        day + horizon  # the end of a label's window is a date as well
    except (ValueError, OverflowError):
        raise InvalidInputError(f"as_of {str(given)!r} is no date such as 2017-06-01.") from None
    return day


@dataclass(frozen=True)
class _Needed:
    """The versions that a set is made of, and which of them are there."""

    dataset: str
    label: Label
    split: Split
    settings: Settings

    def _all(self) -> Iterator[tuple[str, date]]:
        for origin in self.split.origins:
            yield self.dataset, origin
            yield LABELS_DATASET, origin + self.split.horizon

    def _missing(self) -> list[tuple[str, date]]:
        store, zone = Store(self.settings.store), self.settings.zone
        return [
            (name, day)
            for name, day in dict.fromkeys(self._all())
            if Versions(store, name, zone).at(AsOf.parse(str(day), zone)) is None
        ]

    def pairs(self) -> Iterator[Pair]:
        """The versions by origin; all are there."""
        for origin in self.split.origins:
            features = Version(self.dataset, str(origin), self.settings)
            labels = Version(LABELS_DATASET, str(origin + self.split.horizon), self.settings)
            if not _has(labels, self.label):
                raise too_old(labels, f"label {self.label.name!r}")
            yield Pair(origin, self.split.part_of(origin), features, labels)

    def make(self) -> None:
        """Runs what is missing, the earliest first."""
        from shopmill.run import steps
        from shopmill.run.run import Run

        missing = self._missing()
        self._refuse_beyond_shop([day for name, day in missing if name == LABELS_DATASET])
        for name, day in sorted(missing, key=lambda one: one[1]):
            steps.run_all(Run.create(datasets.load(name), str(day), self.settings))

    def _refuse_beyond_shop(self, days: list[date]) -> None:
        """What the run of a label would refuse at its end is refused before any run begins."""
        from shopmill.source.contract import TABLES
        from shopmill.source.database import open_source
        from shopmill.source.doctor_limits import newest_day
        from shopmill.source.mapping import load_mapping

        if not days:
            return
        with open_source(self.settings, load_mapping(self.settings)) as source:
            newest = newest_day(source, source.selection(TABLES["transactions"]))
        limits = datasets.load(LABELS_DATASET).parse_parameters(self.settings.parameters.get(LABELS_DATASET, {}))
        if newest is None or max(days) - newest <= timedelta(days=int(str(limits["stale_days"]))):
            return
        raise InvalidInputError(
            f"{self.label.name} of {max(days) - self.split.horizon} needs the days up to {max(days)}, but the newest row of "
            f"transactions is of {newest}: the last possible as_of is {newest + timedelta(days=1) - self.split.horizon}."
        )

    def refuse_missing(self) -> None:
        """InvalidInputError that names what is missing, and how to make it."""
        missing = self._missing()
        if not missing:
            return
        self._refuse_beyond([day for name, day in missing if name == LABELS_DATASET])
        commands = "; ".join(f"shopmill run {name} --as-of {day}" for name, day in missing)
        raise InvalidInputError(f"Versions are missing. Make them with --backfill (backfill=True), or with: {commands}")

    def _refuse_beyond(self, days: list[date]) -> None:
        """A window that ends after the newest data cannot be labelled yet."""
        zone = self.settings.zone
        newest = self._newest_data()
        if newest is None or not (beyond := [day for day in days if AsOf.parse(str(day), zone).day(zone) > newest]):
            return
        raise InvalidInputError(
            f"{self.label.name} of {max(beyond) - self.split.horizon} needs the days up to {max(beyond)}, but the newest "
            f"version of any dataset is as of {newest}: the last possible as_of is {newest - self.split.horizon}."
        )

    def _newest_data(self) -> date | None:
        store, zone = Store(self.settings.store), self.settings.zone
        found = [as_ofs[-1].day(zone) for name in datasets.names() if (as_ofs := Versions(store, name, zone).as_ofs())]
        return max(found, default=None)
