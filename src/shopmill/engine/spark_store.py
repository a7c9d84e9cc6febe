"""Spark on a cluster that shares nothing with this machine but an object store: executors read and write that themselves.

They do so by the Hadoop connector that the cluster has, with the credentials that it has, or those of this process's
environment, which Spark's driver hands to its executors. None of them goes into a setting of Spark, a plan or a log.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from shopmill.engine.protocol import Bound, Stored
from shopmill.engine.spark_engine import CONNECT, SparkEngine
from shopmill.errors import StoreError
from shopmill.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMES = {"s3": "s3a"}
"""What Hadoop calls an address that begins otherwise; gs:// is the same there."""
NO_SUCCESS_FILE = ("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
CAUSES = (
    (
        r"No FileSystem for scheme|ClassNotFoundException: Class (org\.apache\.hadoop\.fs|com\.google)|"
        r"NoClassDefFoundError: (software/amazon|org/apache/hadoop/fs)",
        "the cluster lacks the connector for it, or a part of that. Name its packages in spark.jars.packages (docs/spark.md)",
    ),
    (
        r"NoA[Ww][Ss]CredentialsException|NoAuthWithAWSException|CredentialInitializationException|"
        r"Unable to load (AWS )?credentials",
        "the cluster has no credentials. Give its executors a role, or start shopmill with AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|Status Code: 401",
        "the server does not accept the cluster's credentials. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        r"AccessDenied|Status Code: 403",
        "the cluster's credentials do not permit it (403). Check the policy of their role",
    ),
    (r"NoSuchBucket|UnknownStoreException", "there is no such bucket. Check SHOPMILL_STORE and AWS_ENDPOINT_URL"),
    (
        r"UnknownHostException|ConnectException|Unable to execute HTTP request|Connect to .* failed",
        "the cluster gets no answer from {endpoint}. Check AWS_ENDPOINT_URL and the network of its nodes",
    ),
)
"""What Spark's and Hadoop's errors say, and the one sentence instead."""


def address_of(url: str) -> str:
    """The address of a file as Hadoop writes it."""
    scheme, _, rest = url.partition("://")
    return f"{SCHEMES.get(scheme, scheme)}://{rest}"


class SparkStoreEngine(SparkEngine):
    """A session whose views and tables lie in the store."""

    def __init__(self, settings: Settings, scratch: Path):
        super().__init__(settings, scratch)
        _point(self._session, settings)

    def view_stored(self, name: str, files: Sequence[Stored], present: pa.Schema, columns: Mapping[str, str]) -> None:
        """A view over Parquet files of the store."""
        addresses = [address_of(file.address) for file in files]
        with self._explained():
            self._show(name, addresses, sum(file.bytes for file in files), present, columns)

    def write_below(self, query: str, bound: Bound, address: str) -> None:
        """Sorted and written by one executor."""
        with self._explained():
            self._write(query, bound, address_of(address))

    def write_split_below(self, query: str, bound: Bound, address: str, label: str, order: Sequence[str]) -> None:
        """Each file is sorted and written by one executor, all of them at once."""
        with self._explained():
            self._write_split(query, bound, address_of(address), label, order)

    def rows(self, query: str, bound: Bound) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        with self._explained():
            return super().rows(query, bound)

    def columns(self, query: str, bound: Bound) -> list[str]:
        """The query's columns."""
        with self._explained():
            return super().columns(query, bound)

    def hashes(self, files: Sequence[Stored]) -> dict[str, str]:
        """Each file is read whole by one executor."""
        if not files:
            return {}
        named = {address_of(file.address): file.address for file in files}
        with self._explained():
            frame = self._session.read.format("binaryFile").load(list(named))
            found = frame.selectExpr("path", "sha2(content, 256) as sha256").toArrow().to_pylist()
        return {named[row["path"]]: row["sha256"] for row in found}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What an operator can fix is said in a sentence; a mistake in the SQL stays Spark's own error."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            yield
        except (Py4JError, PySparkException) as error:
            if not (cause := cause_of(str(error))):
                raise
            raise StoreError(f"Spark cannot use the store {self._settings.store}: {cause}.") from error


def cause_of(said: str) -> str | None:
    """What an operator can do about an error of Spark or Hadoop; None for one that is about the work itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or "the address of AWS"
    return next((cause.format(endpoint=endpoint) for pattern, cause in CAUSES if re.search(pattern, said)), None)


def _point(session: "SparkSession", settings: Settings) -> None:
    """Sets where the store is, as the environment has it; a Spark Connect server knows that by itself."""
    for name, value in options(settings):
        session.conf.set(name, value)


def options(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings of a session, nothing secret among them."""
    yield NO_SUCCESS_FILE
    if settings.spark_master.startswith(CONNECT) or not settings.store.startswith("s3://"):
        return
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        yield "fs.s3a.endpoint", endpoint
        yield "fs.s3a.path.style.access", "true"
        yield "fs.s3a.connection.ssl.enabled", str(endpoint.startswith("https")).lower()
    if region := os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
        yield "fs.s3a.endpoint.region", region
