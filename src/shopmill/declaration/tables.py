"""What a version has: tables with their columns and rules, and files that are no tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warn"]


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
    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


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
    With `in_spans` the rows of a period depend on facts of its days, on those of `warm_up_days` before them, and on
    facts that are read whole: the query gives the rows from `$since` on that are before `$until`, and an engine of one
    machine computes a long history in several spans.

    With `split_by` (a column with many values, of the key) a shop may have the rows split over several files by a hash of
    it, so that several executors write them: SHOPMILL_SPLIT_INTO. Within each file they are ordered.

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
    split_by: str = ""
    warm_up_days: int | None = None
    narrowed_by: str = ""
    in_spans: bool = False
    published: bool = True
    reads_all: bool = False
    """Whether its query reads every row of the inputs, also where a run of an incremental dataset computes few days."""
    function: str = ""
    """Where the function is: `package.module:name`. Text, so that reading a declaration imports nothing."""

    @property
    def types(self) -> dict[str, str]:
        """The type of each column, by name."""
        return {column.name: column.type for column in self.columns}

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
