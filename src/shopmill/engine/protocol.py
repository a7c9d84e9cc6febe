"""What every engine can do. Nothing outside this package knows which engine it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from shopmill.declaration import Value
from shopmill.engine.splitting import Cut, Parts

Bound = Mapping[str, Any]
"""Values of `$name` in SQL: parameters of the dataset, and as_of, as_of_at, time_zone. Integers have 64 bits there."""


class Queries(Protocol):
    """Runs queries written in DuckDB's dialect over named views."""

    label: str
    """Name and version, for manifests."""
    has_statistics: bool
    """Whether counts and extremes of whole columns cost next to nothing, being read off the files' statistics."""
    rows_at_once: int | None
    """Rows of facts beyond which a table is better computed in spans; None where the engine spreads them itself."""

    def hold(self, name: str, query: str, bound: Bound) -> bool:
        """Computes a query and keeps its rows as the table `name`; gives whether it does such things."""

    def table(self, name: str, rows: pa.Table) -> None:
        """Makes a small Arrow table known as `name`."""

    def rows(self, query: str, bound: Bound) -> list[dict[str, Any]]:
        """The few rows of a query."""

    def columns(self, query: str, bound: Bound) -> list[str]:
        """The names of the columns that a query gives, without running it."""

    def duplicates(self, table: str, key: Sequence[str]) -> int:
        """How many rows of a view, which is ordered by `key`, have the key of another row before them."""


class Engine(Queries, Protocol):
    """An engine that reads and writes files of this machine."""

    def view(self, name: str, files: Sequence[Path], columns: Mapping[str, str], cut: Cut | None = None) -> None:
        """Makes Parquet files known as `name`, with `columns` (name to type); columns that the files lack are null.

        Without files it is an empty table. An engine may make use of a `cut`.
        """

    def write(self, query: str, bound: Bound, target: Path, columns: Mapping[str, str] | None = None) -> int:
        """Writes the ordered result of `query` as one Parquet file; returns its number of rows.

        An engine that is given the `columns` (name to type) need not find them out.
        """

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
        """Writes one ordered file for each value of the expression `label`: the value, path and rows.

        What is known of the files (`parts`) may let the engine do so in another way.
        """


@dataclass(frozen=True)
class Stored:
    """A file of an object store: its address, and its size."""

    address: str
    bytes: int


class StoreEngine(Queries, Protocol):
    """An engine whose cluster reads and writes an object store itself: no row comes to this machine."""

    def view_stored(self, name: str, files: Sequence[Stored], present: pa.Schema, columns: Mapping[str, str]) -> None:
        """Makes Parquet files, which have the columns `present`, known as `name`, with `columns`."""

    def write_below(self, query: str, bound: Bound, address: str) -> None:
        """Writes the ordered result of `query` as the only Parquet file of the folder at `address`."""

    def write_split_below(self, query: str, bound: Bound, address: str, label: str, order: Sequence[str]) -> None:
        """Writes one ordered file for each value of `label`, in folders `_file=<value>` of the folder at `address`."""

    def hashes(self, files: Sequence[Stored]) -> dict[str, str]:
        """The SHA-256 of the bytes of small files, by address."""


def bind(parameters: Mapping[str, Value], **fixed: object) -> Bound:
    """All values that SQL may name."""
    return {**parameters, **fixed}
