"""Spark: the engine beyond one machine. Only this module and `spark_store` know pyspark.

The engine here reads and writes paths: those of this machine, or of a folder that the whole cluster shares. With a store
on s3:// a cluster uses the one of `spark_store`.
"""

import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from shopmill.engine.identifiers import quote
from shopmill.engine.protocol import Bound
from shopmill.engine.spark_dialect import columns_by_text, to_spark, without_order
from shopmill.engine.splitting import FILE, FOLDER, Cut, Parts
from shopmill.errors import EngineUnavailableError, InvalidInputError
from shopmill.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

INSTALL = "Install it with: pip install 'shopmill[spark]' and Java 17 (Debian: openjdk-17-jre-headless), or set SHOPMILL_ENGINE=duckdb."
BYTES_PER_PARTITION = 32 * 2**20
"""Compressed input per shuffle partition, about 200 MB in memory. Spark's default of 200 is far too many for a day."""
SMALL = 2**20
"""A table of fewer bytes is one partition: tables that are need no shuffle between them."""

MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.enabled": "true",  # overflow and bad casts raise
    "spark.sql.jsonGenerator.ignoreNullFields": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.fieldId.write.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
"""What results depend on, whatever the cluster's own defaults are."""


QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
CONNECT = "sc://"
FIELD_ID = "parquet.field.id"
LISTING = "spark.sql.sources.parallelPartitionDiscovery.threshold"


def label() -> str:
    """Name and version of the engine; InvalidInputError where it is not installed."""
    try:
        return f"spark {version('pyspark')}"
    except PackageNotFoundError:
        raise InvalidInputError(f"SHOPMILL_ENGINE=spark needs PySpark, which is not installed. {INSTALL}") from None


def connect(settings: Settings, scratch: Path) -> "SparkSession":
    """A session of its own on this process's Spark, which starts with the first one and ends with the process."""
    label()
    warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")  # it is wary of pandas 3, unused here
    from pyspark.sql import SparkSession

    with _explained(settings):
        if settings.spark_master.startswith(CONNECT):
            session = SparkSession.builder.remote(settings.spark_master).create()
        else:
            session = _application(settings, scratch).getOrCreate().newSession()
        for name, value in MEANING.items():
            session.conf.set(name, value)
    return session


def _application(settings: Settings, scratch: Path) -> "SparkSession.Builder":
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("shopmill").master(settings.spark_master)
    builder = builder.config("spark.driver.memory", _java_size(settings.memory_limit))
    for name, value in QUIET.items():
        builder = builder.config(name, value)
    builder = builder.config(LISTING, "100000")  # a job to look at a few hundred files takes longer than to look
    if settings.spark_master.startswith("local"):
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.local.dir", str(scratch.parent))  # outlives one step
    return builder


def _java_size(memory_limit: str) -> str:
    """`4GB` and `4GiB` as Java writes them: 4g."""
    return memory_limit.replace(" ", "").lower().removesuffix("b").removesuffix("i")


class SparkEngine:
    """A session whose temporary views nobody else sees; the Spark behind it is shared by the process."""

    def __init__(self, settings: Settings, scratch: Path):
        self.label = label()
        self.has_statistics = False
        self.rows_at_once: int | None = None
        self._settings = settings
        self._session = connect(settings, scratch)
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._settings.spark_master.startswith(CONNECT):
            self._session.stop()  # elsewhere it would stop the Spark that the whole process shares

    def view(
        self,
        name: str,
        files: Sequence[Path],
        columns: Mapping[str, str],
        cut: Cut | None = None,  # noqa: ARG002
    ) -> None:
        """A view over Parquet files."""
        present = pq.read_schema(files[0]) if files else pa.schema([])  # to ask Spark would be a job
        size = sum(path.stat().st_size for path in files)
        self._show(name, [_uri(path) for path in files], size, present, columns)

    def _show(
        self, name: str, addresses: Sequence[str], size: int, present: pa.Schema, columns: Mapping[str, str]
    ) -> None:
        missing = {
            column: to_spark(f"select cast(null as {kind}) as {quote(column)}").removeprefix("SELECT ")
            for column, kind in columns.items()
            if column not in present.names
        }
        if not addresses:
            frame = self._session.sql(f"select {', '.join(missing.values())} where false")
        elif missing or present.names != list(columns):
            frame = self._read(addresses, size, present)
            frame = frame.selectExpr(*[missing.get(name, _name(name)) for name in columns])
        else:
            frame = self._read(addresses, size, present)
        frame.createOrReplaceTempView(name)

    def _read(self, addresses: Sequence[str], size: int, arrow: pa.Schema) -> "DataFrame":
        from pyspark.sql.pandas.types import from_arrow_schema

        self._bytes += size
        self._session.conf.set("spark.sql.shuffle.partitions", str(max(1, self._bytes // BYTES_PER_PARTITION)))
        schema = from_arrow_schema(arrow, prefer_timestamp_ntz=True)
        frame = self._session.read.schema(schema).parquet(*map(_exactly, addresses))
        return frame.coalesce(1) if size < SMALL else frame

    def table(self, name: str, rows: pa.Table) -> None:
        """A view over a small Arrow table, which travels to the cluster.

        A client of Spark Connect does not know the types of a table without rows.
        """
        from pyspark.sql.pandas.types import from_arrow_schema

        schema = None if rows.num_rows else from_arrow_schema(rows.schema)
        self._session.createDataFrame(rows, schema).coalesce(1).createOrReplaceTempView(name)

    def write(
        self,
        query: str,
        bound: Bound,
        target: Path,
        columns: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> int:
        """Sorted by one task, which writes one file: several parts would be cut at random places."""
        folder = target.with_suffix(".writing")
        self._write(query, bound, _uri(folder))
        return _take_only_part(folder, target)

    def _write(self, query: str, bound: Bound, address: str) -> None:
        unordered, order = without_order(query)
        names = _nullable(self.columns(query, bound))
        frame = self._sql(f"select /*+ repartition(1) */ {names} from (\n{unordered}\n){_sort_by(order)}", bound)
        _numbered(frame).write.mode("overwrite").parquet(address)

    def write_split(
        self,
        query: str,
        bound: Bound,
        folder: Path,
        label: str,
        order: Sequence[str],
        parts: Parts = Parts.MANY,  # noqa: ARG002
        columns: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> list[tuple[str, Path, int]]:
        """Each file is sorted and written by one task, all of them at once."""
        writing = folder / "writing"
        self._write_split(query, bound, _uri(writing), label, order)
        names = sorted(path.name.removeprefix(FOLDER) for path in writing.glob(f"{FOLDER}*"))
        files = [(name, folder / f"{name}.parquet", writing / f"{FOLDER}{name}") for name in names]
        written = [(name, path, _take_only_part(part, path)) for name, path, part in files]
        shutil.rmtree(writing)
        return written

    def _write_split(self, query: str, bound: Bound, address: str, label: str, order: Sequence[str]) -> None:
        names = _nullable(self.columns(query, bound))
        labelled = to_spark(f"select {label} as {FILE}").removeprefix("SELECT ")
        split = f"select *, {labelled} from (select {names} from (\n{without_order(query)[0]}\n)) distribute by {FILE}"
        frame = self._sql(split + _sort_by((FILE, *order)), bound)
        _numbered(frame).write.mode("overwrite").partitionBy(FILE).parquet(address)

    def hold(self, name: str, query: str, bound: Bound) -> bool:  # noqa: ARG002
        """Not done: what is read again is computed again, by as many executors as there are."""
        return False

    def rows(self, query: str, bound: Bound) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        found: list[dict[str, Any]] = self._frame(query, bound).toArrow().to_pylist()
        return found

    def columns(self, query: str, bound: Bound) -> list[str]:
        """The query's columns: by its text where that says, else Spark analyses it."""
        return list(columns_by_text(query) or self._frame(query, bound).columns)

    def duplicates(self, table: str, key: Sequence[str]) -> int:
        """Rows beyond the first of their group."""
        keys = ", ".join(quote(column) for column in key)
        query = f"select coalesce(sum(n - 1), 0) as n from (select count(*) as n from {quote(table)} group by {keys})"
        return int(self.rows(query, {})[0]["n"])

    def _frame(self, query: str, bound: Bound) -> "DataFrame":
        return self._sql(to_spark(query), bound)

    def _sql(self, query: str, bound: Bound) -> "DataFrame":
        used = {name: _literal(value) for name, value in bound.items() if re.search(rf":{name}\b", query)}
        return self._session.sql(query, args=used)


def _uri(path: Path) -> str:
    """A path on a file system, and not on the cluster's default one. Spark expects no percent encoding."""
    return f"file://{path}"


def _exactly(address: str) -> str:
    """The address of one file to read, where Spark would expand patterns."""
    return re.sub(r"([*?{}\[\]\\])", r"\\\1", address)


def _literal(value: Any) -> Any:
    """A bound value as Spark takes it. Dates go as SQL text, for pyspark cannot write the year 1, and so do integers.

    By itself pyspark would give these as few bits as they need.
    """
    from pyspark.sql import functions

    if type(value) is date:
        return functions.expr(f"date '{value.isoformat()}'")
    return functions.expr(f"{value}L") if type(value) is int else value


def _name(column: str) -> str:
    """A column's name, quoted as Spark does."""
    return "`" + column.replace("`", "``") + "`"


def _nullable(columns: Sequence[str]) -> str:
    """Columns that Spark knows to have no nulls would be `required` in Parquet, and their type another than DuckDB's."""
    return ", ".join(f"if(spark_partition_id() < 0, null, {name}) as {name}" for name in map(_name, columns))


def _numbered(frame: "DataFrame") -> "DataFrame":
    """Gives columns the field ids that Iceberg gives them: from 1 in their order. The label of files comes last, and to no file.

    Spark gives none to the elements of lists. Readers that go by ids would find such a list empty, so a table with lists
    has no ids at all, and is read by its names.
    """
    from pyspark.sql import functions

    if any(kind.startswith("array") for _, kind in frame.dtypes):
        return frame
    numbered = [
        functions.col(_name(column)).alias(column, metadata={FIELD_ID: place})
        for place, column in enumerate(frame.columns, 1)
    ]
    return frame.select(numbered)


def _sort_by(columns: Sequence[str]) -> str:
    """The order within each task."""
    return " sort by " + ", ".join(f"{_name(column)} asc nulls last" for column in columns) if columns else ""


def _take_only_part(folder: Path, target: Path) -> int:
    """Moves the one file that Spark wrote to `folder` to its place; gives its number of rows."""
    (part,) = folder.glob("part-*.parquet")
    part.replace(target)
    shutil.rmtree(folder)
    return int(pq.read_metadata(target).num_rows)


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    """Why Spark cannot be had, and the way out."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException, PySparkRuntimeError

    where = f"SHOPMILL_SPARK_MASTER={settings.spark_master}"
    try:
        yield
    except PySparkRuntimeError as error:
        raise InvalidInputError(f"Spark cannot start with {where}: {str(error).rstrip('.')}. {INSTALL}") from error
    except (Py4JError, PySparkException) as error:
        raise EngineUnavailableError(
            f"Spark does not answer at {where}. Check that it runs and can be reached."
        ) from error
