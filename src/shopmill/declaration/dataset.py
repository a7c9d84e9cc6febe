"""Everything that is declared about one dataset, and the SQL of its folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill import sql_files
from shopmill.declaration.parameters import COMMON_PARAMETERS, Parameter, Value
from shopmill.declaration.running import Announcement, Incremental, Input, Join, Measure, Promise, Serving, Task
from shopmill.declaration.tables import REJECTS, Artifact, QueryCheck, Table
from shopmill.errors import InvalidInputError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


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
    held: tuple[str, ...] = ()
    """Views that DuckDB computes one by one, and keeps for the queries that read them: together they would take more memory."""
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
