"""DuckDB: the engine of one machine."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.engine.duplicates import count_duplicates
from shopmill.engine.identifiers import quote
from shopmill.engine.limits import refuse_too_little_memory, rows_at_once, spill_bytes, spilled_too_much
from shopmill.engine.profile import profile_of_this_run
from shopmill.engine.protocol import Bound
from shopmill.engine.small_files import write_each
from shopmill.engine.splitting import FILE, FOLDER, ROW_GROUP, Cut, Parts
from shopmill.errors import InvalidInputError, StoreError
from shopmill.settings import Settings

PLACEHOLDER = re.compile(r"\$([a-z_]\w*)")
PARQUET = f"(format parquet, compression zstd, row_group_size {ROW_GROUP}, field_ids {{{{{{ids}}}}}})"
# DuckDB writes a column as `required` where its statistics know of no nulls: the same rows would give other bytes after
# another plan, and days of one table other schemas. A condition that nobody can foresee keeps all columns optional.
OPTIONAL = r'select case when never then null else columns(* exclude never) end as "\0" from (select *, random() < 0 as never from'
PARTED = f"(format parquet, compression lz4, partition_by ({FILE}))"
SMALL_PART_BYTES = 8 * 2**20
"""Of fewer bytes the rows of a file are sorted and written by one thread alone."""
R = TypeVar("R")


def connect(settings: Settings, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills to `scratch` and keeps within the settings' threads, memory and disk."""
    refuse_too_little_memory(settings)
    spill = scratch / "spill"
    connection = duckdb.connect(
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "TimeZone": "UTC",
        }
    )
    connection.execute(
        f"set max_temp_directory_size = '{spill_bytes(settings, spill)}B'"
    )  # as configuration it does nothing
    return connection


class DuckDBEngine:
    """One connection; views and tables live as long as it does."""

    label = f"duckdb {duckdb.__version__}"
    has_statistics = True

    def __init__(self, settings: Settings, scratch: Path):
        self._settings, self._spill = settings, scratch / "spill"
        self.rows_at_once: int | None = rows_at_once(settings)
        self._connection = connect(settings, scratch)
        self._files: dict[str, Sequence[Path]] = {}
        self._profile = profile_of_this_run()
        self._profiled(self._connection)

    def _profiled(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        if self._profile:
            connection.execute("pragma enable_profiling = 'no_output'")
            connection.execute("set profiling_coverage = 'ALL'")
        return connection

    def __enter__(self) -> "DuckDBEngine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def view(self, name: str, files: Sequence[Path], columns: Mapping[str, str], cut: Cut | None = None) -> None:
        """A view over Parquet files, in the order given. Of one that is cut a half that no row can be of is not planned."""
        present = set(pq.read_schema(files[0]).names) if files else set()
        names = ", ".join(quote(c) if c in present else f"null::{kind} as {quote(c)}" for c, kind in columns.items())
        rows = " union all ".join(f"select {names} {part}" for part in _parts_of(files, cut))
        self._connection.execute(f"create or replace view {quote(name)} as {rows}")
        self._files[name] = files

    def table(self, name: str, rows: pa.Table) -> None:
        """A view over an Arrow table."""
        self._connection.register(name, rows)

    def hold(self, name: str, query: str, bound: Bound) -> bool:
        """A temporary table: in memory, and in scratch space beyond the memory limit."""
        self._execute(f"create or replace temp table {quote(name)} as {query}", bound)
        return True

    def write(self, query: str, bound: Bound, target: Path, columns: Mapping[str, str] | None = None) -> int:
        """One ordered COPY into one file: the same bytes for any number of threads."""
        target.parent.mkdir(parents=True, exist_ok=True)
        return self._write_file(query, bound, target, _field_ids(columns or self._described(query, bound)))

    def _write_file(
        self,
        query: str,
        bound: Bound,
        target: Path,
        field_ids: str,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> int:
        optional = f"{OPTIONAL} (\n{query}\n))"
        form = PARQUET.format(ids=field_ids)
        copied = self._execute(f"copy ({optional}) to {_literal(target)} {form}", bound, connection).rows
        return int(copied[0][0]) if copied else 0

    def write_split(
        self,
        query: str,
        bound: Bound,
        folder: Path,
        label: str,
        order: Sequence[str],
        parts: Parts = Parts.MANY,
        columns: Mapping[str, str] | None = None,
    ) -> list[tuple[str, Path, int]]:
        """Computes the query once, then sorts file by file: bytes from PARTITION_BY alone vary with the threads."""
        folder.mkdir(parents=True, exist_ok=True)
        labelled = f"select *, cast({label} as varchar) as {FILE} from (\n{query}\n)"
        if parts is Parts.SMALL:
            with self._streamed(f"{labelled} order by {', '.join(map(quote, (FILE, *order)))}", bound) as rows:
                return write_each(rows, FILE, folder, self._settings.threads)
        ordered = " order by " + ", ".join(quote(name) for name in order) if order else ""
        field_ids = _field_ids(columns or self._described(query, bound))

        def write(part: _Part, connection: duckdb.DuckDBPyConnection | None = None) -> tuple[str, Path, int]:
            path = folder / f"{part.name}.parquet"
            return (
                part.name,
                path,
                self._write_file(f"{part.query}{ordered}", {}, path, field_ids, connection),
            )

        with (self._in_memory if parts is Parts.FEW else self._in_files)(labelled, bound, folder / "unsorted") as found:
            if all(part.is_small for part in found):
                return self._side_by_side(write, found)
            return [write(part) for part in found]

    def _side_by_side(self, action: Callable[["_Part", duckdb.DuckDBPyConnection], R], parts: list["_Part"]) -> list[R]:
        """The results of an action on each part, as many at a time as there are threads, each on a connection of its own."""

        def act(part: _Part) -> R:
            with self._connection.cursor() as connection:
                return action(part, self._profiled(connection))

        pool = ThreadPoolExecutor(self._settings.threads)
        try:  # in the context of this thread, which says what statements are noted for
            return [done.result() for done in [pool.submit(copy_context().run, act, part) for part in parts]]
        finally:
            pool.shutdown(cancel_futures=True)  # after an error, or Ctrl-C, no further one is begun

    @contextmanager
    def _in_files(self, query: str, bound: Bound, parted: Path) -> Iterator[list["_Part"]]:
        """The rows of each file, which lie in files of their own: to read, not to seek."""
        parted.mkdir()
        self._execute(f"copy ({query}) to {_literal(parted)} {PARTED}", bound)
        yield [
            _Part(
                folder.name.removeprefix(FOLDER),
                f"select * from read_parquet({_literal(folder / '*.parquet')}, hive_partitioning = false)",
                sum(file.stat().st_size for file in folder.iterdir()) < SMALL_PART_BYTES,
            )
            for folder in sorted(parted.iterdir())
        ]
        shutil.rmtree(parted)

    @contextmanager
    def _in_memory(self, query: str, bound: Bound, _parted: Path) -> Iterator[list["_Part"]]:
        """The same from one table, which spills to scratch beyond the memory limit: cheaper where files are few."""
        self._execute(f"create table _unsorted as {query}", bound)  # a temporary one no other connection sees
        labels = self.rows(f"select distinct {FILE} from _unsorted order by {FILE}", {})
        yield [
            _Part(
                str(row[FILE]),
                f"select * exclude {FILE} from _unsorted where {FILE} = '{row[FILE]}'",
                is_small=True,  # beside what all of them take
            )
            for row in labels
        ]
        self._connection.execute("drop table _unsorted")

    def rows(self, query: str, bound: Bound) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        result = self._execute(query, bound)
        return [dict(zip(result.types, row, strict=True)) for row in result.rows]

    def columns(self, query: str, bound: Bound) -> list[str]:
        """The planned query's columns."""
        return list(self._described(query, bound))

    def _described(self, query: str, bound: Bound) -> Mapping[str, str]:
        """The planned query's columns with their types: to plan over a year of files takes as long as many a query."""
        return self._execute(f"select * from (\n{query}\n) limit 0", bound).types

    def duplicates(self, table: str, key: Sequence[str]) -> int:
        """Compares each row with the one before it in file order."""
        return count_duplicates(self._files[table], key, self._settings.threads)

    @contextmanager
    def _streamed(self, query: str, bound: Bound) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query, as they are read."""
        begun = time.perf_counter()
        with _explained(self._settings, self._spill):
            yield self._connection.sql(query, params=_used(query, bound) or None).to_arrow_reader(ROW_GROUP)
        self._noted(query, begun, self._connection)

    def _execute(self, query: str, bound: Bound, connection: duckdb.DuckDBPyConnection | None = None) -> "_Result":
        """The few rows of a statement, read to the end: a SELECT is computed while its rows are."""
        begun, connection = time.perf_counter(), connection or self._connection
        with _explained(self._settings, self._spill):
            answer = connection.execute(query, _used(query, bound))
            result = _Result({name: str(kind) for name, kind, *_ in answer.description or ()}, answer.fetchall())
        self._noted(query, begun, connection)
        return result

    def _noted(self, query: str, begun: float, connection: duckdb.DuckDBPyConnection) -> None:
        if self._profile:
            found = json.loads(connection.get_profiling_information(format="json"))
            self._profile.add(query, time.perf_counter() - begun, found)


@dataclass(frozen=True)
class _Part:
    """The name of a file and the query of its rows; small ones may be written side by side."""

    name: str
    query: str
    is_small: bool


@dataclass(frozen=True)
class _Result:
    """What a statement gave: its columns with their types, and its rows."""

    types: Mapping[str, str]
    rows: list[tuple[Any, ...]]


@contextmanager
def _explained(settings: Settings, spill: Path) -> Iterator[None]:
    """What an operator can fix is said as such; a mistake in the SQL stays DuckDB's own error."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        if "max_temp_directory_size" in str(error):
            raise StoreError(spilled_too_much(settings, spill)) from error
        raise InvalidInputError(
            f"The engine needs more than SHOPMILL_MEMORY_LIMIT={settings.memory_limit}: {_first_line(error)}. "
            "Raise it, or give scratch space."
        ) from error
    except (duckdb.IOException, OSError) as error:
        raise StoreError(
            f"Scratch or store cannot be written: {_first_line(error)}. Check free space and rights."
        ) from error


def _field_ids(columns: Mapping[str, str]) -> str:
    """A number for each column, as Iceberg gives them: columns from 1 in their order, then the elements of lists.

    Some readers of Iceberg tables find columns by these alone.
    """
    lists = [name for name, kind in columns.items() if kind.endswith("[]")]
    elements = {name: place for place, name in enumerate(lists, len(columns) + 1)}
    return ", ".join(
        f"{quote(name)}: "
        + (f"{{__duckdb_field_id: {place}, element: {elements[name]}}}" if name in elements else str(place))
        for place, name in enumerate(columns, 1)
    )


def _parts_of(files: Sequence[Path], cut: Cut | None) -> list[str]:
    if not files:
        return ["where false"]
    if not cut:
        return [_reading(files)]
    column = quote(cut.column)
    return [
        f"{_reading(files[: cut.files])} where {column} < date '{cut.day}'",
        f"{_reading(files[cut.files :])} where {column} >= date '{cut.day}'",
    ]


def _reading(files: Sequence[Path]) -> str:
    """All columns are in the files: to look for more in the names of their folders takes longer than the rest of planning."""
    return f"from read_parquet([{', '.join(_literal(path) for path in files)}], hive_partitioning = false)"


def _used(query: str, bound: Bound) -> dict[str, Any]:
    """The bound values that a query names."""
    return {name: _value(bound[name]) for name in PLACEHOLDER.findall(query) if name in bound}


def _value(value: Any) -> Any:
    """A bound value as DuckDB takes it, which by itself would give an integer as few bits as it needs."""
    return duckdb.Value(value, duckdb.sqltypes.BIGINT) if type(value) is int else value


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
