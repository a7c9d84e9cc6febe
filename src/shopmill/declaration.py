"""The words a dataset is declared in: columns, tables, checks, parameters, tasks.

One declaration is read by the engine (the schema of what is written), the checks, the docs and the CLI,
so they cannot disagree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shopmill import sql_files
from shopmill.errors import InvalidInputError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

Severity = Literal["error", "warn"]
Value = str | int | Decimal | bool


@dataclass(frozen=True)
class Column:
    """A column of a published table. `type` is a DuckDB type; `required` means never null."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowCheck:
    """A rule that every row of a table must meet: an SQL expression that is not false."""

    name: str
    rule: str
    meaning: str
    severity: Severity = "error"


@dataclass(frozen=True)
class QueryCheck:
    """A rule over tables: a query of one row with the column `violations` (0 is good) and perhaps `detail` (text).

    The query is the file of `checks/` that is named like it, or a `file` that several datasets share, to which they give
    `values`. It may read the tables of the run, the raw inputs, `previous_<table>`, and every bound parameter.
    """

    name: str
    meaning: str
    severity: Severity = "error"
    file: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A published table: `tables/<name>.sql` computes it. Its rows are ordered by `key`, or by all columns without one.

    With `partition_by` (a date column) there is a file for each period of the dataset's `incremental`; the files of
    periods before the first changed day are taken over from the previous version, and the query gives only later rows.
    Checks then see the later rows only: the others were checked with the version they come from.
    Of such a table, `previous_<name>` has the rows of the last `warm_up_days` days before `$since` (default: all rows).
    `narrowed_by` is a table on the way with the column `day`: the days whose rows may differ from those of the version
    before, as its query finds in the data. The table's own query then gives the rows of the periods of these days only,
    `$since` is the first of them (as_of when there are none), and the files of all other periods are taken over.
    Where the table is one file, only `$since` is moved.

    With `published=False` it is a step on the way: later tasks of the run read it, no version has it.

    With a `function` the SQL gives its input, and Python computes the rows: see functions.py.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    checks: tuple[RowCheck, ...] = ()
    may_be_empty: bool = False
    partition_by: str = ""
    warm_up_days: int | None = None
    narrowed_by: str = ""
    published: bool = True
    reads_all: bool = False
    """Whether its query reads every row of the inputs, also where a run of an incremental dataset computes few days."""
    function: str = ""
    """Where the function is: `package.module:name`. Text, so that reading a declaration imports nothing."""

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that put the rows in a total order; none for a table that nobody sees."""
        if not self.published:
            return ()
        return self.key or tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Artifact:
    """Files that are not a table, such as a matrix: `tables/<name>.sql` gives the rows, in the order of `key`, that
    `function` (`package.module:name`) makes them of. They are hashed and published as a table's files are.
    """

    name: str
    meaning: str
    function: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Input:
    """A source table that a dataset is made of, or in `Dataset.upstream` another dataset.

    Where it `is_fresh`, a run warns when its newest rows (another dataset: its version) are older than the parameter
    `fresh_days`, and with the severity error does not publish when they are older than `stale_days`.
    An `optional` one is taken as empty where the shop has no such table.
    """

    table: str
    is_fresh: bool = False
    severity: Severity = "warn"
    optional: bool = False
    reject_limit: str = "max_reject_share"
    """The parameter that limits the share of its rows that may be rejected."""


@dataclass(frozen=True)
class Join:
    """Two tables that should have the same ids: where hardly any do (max_unmatched_share), nothing is published.

    `of` is a table or view of the dataset with the column `key`, `to` the source table that should have these ids, in the
    column `known_as` where it has another name there.
    """

    of: str
    key: str
    to: str
    known_as: str = ""

    @property
    def column(self) -> str:
        """The column of `to` that has the ids."""
        return self.known_as or self.key


@dataclass(frozen=True)
class Parameter:
    """A number or text that changes what is computed; bound in SQL as `$name`, recorded in every manifest."""

    name: str
    type: Literal["integer", "decimal", "text", "boolean"]
    default: Value
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    """The only values that a text may have; none for any."""
    is_list: bool = False
    """Whether a text names any number of the choices, with commas between."""

    def parse(self, given: Any) -> Value:
        """The value as its type, from JSON or a command line; InvalidInputError when it is not one or not allowed."""
        try:
            value = _PARSE[self.type](given)
        except (ValueError, ArithmeticError, KeyError, TypeError):
            raise InvalidInputError(
                f"Parameter {self.name}={given!r} is not of type {self.type} ({self.meaning})."
            ) from None
        below = self.minimum is not None and not isinstance(value, str) and value < self.minimum
        above = self.maximum is not None and not isinstance(value, str) and value > self.maximum
        if below or above:
            raise InvalidInputError(f"Parameter {self.name}={given!r} must be in [{self.minimum}, {self.maximum}].")
        return self._chosen(str(value)) if self.choices else value

    def _chosen(self, value: str) -> str:
        """The value, a list of choices sorted, so that one choice is one version."""
        items = sorted({item.strip() for item in value.split(",") if item.strip()}) if self.is_list else [value]
        for item in items:
            if item not in self.choices:
                one = "a list of" if self.is_list else "one of"
                raise InvalidInputError(
                    f"Parameter {self.name}={value!r} must be {one} {', '.join(self.choices)}."
                    + did_you_mean(item, self.choices)
                )
        return ",".join(items)


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(value)
    return value


_PARSE: Mapping[str, Callable[[Any], Value]] = {
    "integer": lambda given: int(str(given)),
    "decimal": lambda given: _finite(Decimal(str(given))),
    "text": str,
    "boolean": lambda given: {"true": True, "false": False}[str(given).lower()],
}

COMMON_PARAMETERS = (
    Parameter(
        "max_reject_share", "decimal", Decimal("0.01"), "share of the rows of a source table that may be rejected", 0, 1
    ),
    Parameter(
        "max_unmatched_share",
        "decimal",
        Decimal("0.99"),
        "share of the ids of a table that may be missing in the table that should have them, such as the catalogue",
        0,
        1,
    ),
    Parameter("fresh_days", "integer", 3, "age of the newest rows in days above which a run warns", 0, 36500),
    Parameter(
        "stale_days",
        "integer",
        14,
        "age of the newest rows of the main table in days above which nothing is published",
        0,
        36500,
    ),
    Parameter(
        "max_row_drop", "decimal", Decimal("0.5"), "share of rows a table may lose against the previous version", 0, 1
    ),
    Parameter(
        "warn_drift",
        "decimal",
        Decimal("0.1"),
        "how far rows, nulls, means and categories may be from those of this weekday in earlier weeks before a run warns",
        0,
    ),
    Parameter("max_drift", "decimal", Decimal(0), "the same, before nothing is published; 0: a run only warns", 0),
)

TAKEN_AS_UNKNOWN = ", taken as unknown"
"""How a reason ends that rejects a value only: the row is used without it."""

REJECTS = Table(
    name="rejects",
    grain="one row per input row that could not be used",
    columns=(
        Column("source_table", "varchar", "table of the shop the row came from"),
        Column("reason", "varchar", "why it could not be used"),
        Column("source_day", "date", "day of the row in the shop's time zone, null when it has none", required=False),
        Column("source_row", "varchar", "the row as JSON"),
    ),
    may_be_empty=True,
)


@dataclass(frozen=True)
class Task:
    """A transform task of the chain, and the tables and then artifacts it computes, in order."""

    name: str
    tables: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()


Days = Callable[[Mapping[str, Value]], int]
"""A number of days that follows from the parameters."""


@dataclass(frozen=True)
class Incremental:
    """How a run takes over what cannot have changed from the previous version, and computes the rest.

    The first changed day (`$changed_since`) is the first on which the raw rows of one of `facts` are not those that the
    version before was made of, and at the latest that version's as_of (`$continued_at`). Tables are computed from
    `$since` on: `reach_days` before the first changed day, where a changed row changes rows of earlier days, and at the
    latest `settling_days` before the as_of of the previous version, where rows change as time passes; moved back to the
    start of its `period`. A full rebuild (no version to continue from, or code, parameters or software changed) says so in
    `$is_full`. `$since` and `$changed_since` are then before all days, and `$continued_at` before all moments.

    Facts are read from `warm_up_days` before `$since` on, those in `read_whole` from their first day on: there, what a row
    counts for depends on rows of any earlier day. `changed_<fact>` are the files that the previous version was
    not made of, `former_<fact>` those that it had in their stead: their difference is what is new.
    `rebuild_when` may ask for a full computation all the same, where its query finds `violations`.
    """

    facts: tuple[str, ...]
    period: Literal["day", "week", "month"]
    warm_up_days: Days = lambda _: 0
    read_whole: tuple[str, ...] = ()
    reach_days: Days = lambda _: 0
    settling_days: Days = lambda _: 0
    margins: Callable[[Mapping[str, Value]], Mapping[str, int]] = lambda _: {}
    """More numbers that follow from the parameters, which SQL may name: the same margins for the SQL as for the days above."""
    rebuild_when: QueryCheck | None = None


@dataclass(frozen=True)
class Announcement:
    """An asset event beside the dataset's own, for work that need not follow every version.

    `announcements/<asset>.sql` is a query of one row with the columns `changes` (how many) and `due` (whether they are
    enough for the event). It may read what a QueryCheck may.
    """

    asset: str
    meaning: str


@dataclass(frozen=True)
class Measure:
    """A number to watch that no check judges.

    `measures/<name>.sql` is a query of one row with the column `value`, an integer. It may read what a QueryCheck may.
    """

    name: str
    meaning: str


@dataclass(frozen=True)
class Serving:
    """What puts the current version into service beside its files, such as an index. Functions are `package.module:name`.

    With the checks of a run whose version would be the current one, `prepare` builds it beside what serves and gives the
    result of the check `name` on it; once the version is published, `serve` puts it in the place of what served. See
    functions.py.
    """

    name: str
    meaning: str
    prepare: str
    serve: str


@dataclass(frozen=True)
class Promise:
    """How fresh a dataset is: people are notified when a run is late, and when the current version grows too old.

    A run publishes `within` this time of being queued, and so the current as_of is never older than `age`. Its as_ofs
    are `every` so much time apart, as its schedule has them: days begin in the shop's zone, weeks on Sunday, and what is
    less than a day is counted from midnight in UTC.
    """

    within: timedelta
    age: timedelta
    every: timedelta = timedelta(days=1)


def spoken(time: timedelta) -> str:
    """A time span as people say it: `1 day 4 hours`."""
    minutes, seconds = divmod(time.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((time.days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second"))
    return " ".join(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in parts if count)


@dataclass(frozen=True)
class Dataset:
    """Everything that is to be known about one dataset. Its folder holds the SQL.

    `tables/` has a query for each table and artifact, `views/` what these are built on, `checks/`, `announcements/` and
    `measures/` the queries over what was computed, `accounts/` those of where the rows of a source table went.
    `values` are what the files repeat or name: see sql_files.py.

    A dataset with an `upstream` is made of versions of other datasets, whose tables SQL names `<dataset>__<table>`:
    of each the version at as_of, or else the newest before it, as the first extract task finds it.
    """

    name: str
    title: str
    owner: str
    promise: Promise
    documentation: str
    folder: Path
    extracts: Mapping[str, tuple[Input, ...]]
    tasks: tuple[Task, ...]
    tables: tuple[Table, ...]
    parameters: tuple[Parameter, ...] = ()
    checks: tuple[QueryCheck, ...] = ()
    joins: tuple[Join, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    measures: tuple[Measure, ...] = ()
    incremental: Incremental | None = None
    upstream: tuple[Input, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    serving: Serving | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    lookups: Callable[[Mapping[str, Any]], Mapping[str, "pa.Table"]] = field(default=lambda _: {})
    """Small tables made in Python of the values that SQL may name: parameters, as_of, since."""
    settings: tuple[str, ...] = ()
    """Settings that the rows depend on beside the time zone and the engine."""
    packages: tuple[str, ...] = ()
    """Python packages that the rows depend on: another version of one of them is another way of making them."""

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """The source tables, each once."""
        return tuple({i.table: i for group in self.extracts.values() for i in group}.values())

    @cached_property
    def can_reject(self) -> bool:
        """Whether it judges rows: one that is made of other datasets alone has none to reject."""
        return any(table.name == REJECTS.name for table in self.tables)

    @cached_property
    def published(self) -> tuple[Table, ...]:
        """The tables that a version has."""
        return tuple(table for table in self.tables if table.published)

    @cached_property
    def sql(self) -> Mapping[str, str]:
        """The query of each table and artifact by its name."""
        return sql_files.read_folder(self.folder / "tables", self.values)

    @cached_property
    def views(self) -> Mapping[str, str]:
        """The views that its queries may read by their names: those that all datasets share, and its own."""
        return sql_files.shared_views() | sql_files.read_folder(self.folder / "views", self.values)

    @cached_property
    def accounts(self) -> Mapping[str, str]:
        """For each source table a query of where its rows went: `kind` and `row_count`; rows without a kind were used.

        `accounts/<table>.sql`, where a dataset does not want all rows; by default those without a problem were used.
        """
        own = sql_files.read_folder(self.folder / "accounts", self.values)
        usual = "select cast(null as varchar) as kind, count(*) as row_count from judged_{} where problem is null"
        return {needed.table: own.get(needed.table, usual.format(needed.table)) for needed in self.inputs}

    def query(self, asked: "QueryCheck | Announcement | Measure") -> str:
        """The query of a check, an announcement or a measure."""
        if isinstance(asked, QueryCheck):
            path = asked.file or self.folder / "checks" / sql_files.file_name(asked.name)
            return sql_files.read(path, {**self.values, **asked.values})
        if isinstance(asked, Announcement):
            return sql_files.read(self.folder / "announcements" / f"{asked.asset}.sql", self.values)
        return sql_files.read(self.folder / "measures" / f"{asked.name}.sql", self.values)

    @cached_property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """Its own parameters, then the common ones for which it has no default of its own."""
        own = {parameter.name for parameter in self.parameters}
        return (*self.parameters, *(common for common in COMMON_PARAMETERS if common.name not in own))

    def table(self, name: str) -> Table:
        """The declaration of one table."""
        return next(table for table in self.tables if table.name == name)

    def artifact(self, name: str) -> Artifact:
        """The declaration of one artifact."""
        return next(artifact for artifact in self.artifacts if artifact.name == name)

    def parse_parameters(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """All parameters with their values: given ones parsed, the others by default."""
        known = {parameter.name: parameter for parameter in self.all_parameters}
        if unknown := sorted(set(given) - set(known)):
            raise InvalidInputError(
                f"{self.name} has no parameter {unknown[0]!r}; it has {', '.join(sorted(known))}."
                + did_you_mean(unknown[0], known)
            )
        return {name: p.parse(given[name]) if name in given else p.default for name, p in known.items()}
