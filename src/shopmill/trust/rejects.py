"""`shopmill rejects`: the rows of the shop that a version could not use, and why. What is of a person is masked."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shopmill import datasets
from shopmill.declaration import REJECTS
from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.personal import masked_json
from shopmill.settings import Settings
from shopmill.trust.naming import version_named
from shopmill.versions.load import Version
from shopmill.versions.manifest import Manifest
from shopmill.versions.scanning import own_connection
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions


@dataclass(frozen=True)
class Rejected:
    """A row that was rejected, as others may see it."""

    source_table: str
    reason: str
    source_day: str | None
    source_row: Mapping[str, Any]


@dataclass(frozen=True)
class Reason:
    """Why rows of a table were rejected, and how many."""

    source_table: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Rejects:
    """The rejected rows of a version: all reasons with their numbers, and some rows."""

    manifest: Manifest
    reasons: tuple[Reason, ...]
    rows: tuple[Rejected, ...]

    @property
    def count(self) -> int:
        """How many rows were rejected for these reasons."""
        return sum(reason.rows for reason in self.reasons)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        made = self.manifest
        found = {"dataset": made.dataset, "as_of": made.as_of, "version": made.version, "rejected": self.count}
        return {**found, "reasons": [asdict(one) for one in self.reasons], "rows": [asdict(one) for one in self.rows]}


def rejects_of(
    dataset: str, settings: Settings, as_of: str | None = None, version: str = "", reason: str = "", limit: int = 20
) -> Rejects:
    """The rejected rows of a version whose reason has these words; by default of the current version, for any reason."""
    if not datasets.load(dataset).can_reject:
        raise InvalidInputError(f"{dataset} rejects no rows: it is made of other datasets alone.")
    found = _version(dataset, settings, as_of, version)
    with_words = _condition(reason)
    rows = found.to_duckdb(REJECTS.name, own_connection(), where=with_words)
    counts = rows.aggregate("source_table, reason, count(*) as n").order("n desc, source_table, reason").fetchall()
    if reason and not counts:
        raise InvalidInputError(_unknown(found, reason))
    shown = rows.order("source_table, reason, source_day, source_row").limit(limit).fetchall() if limit else []
    return Rejects(
        found.manifest,
        tuple(Reason(*count) for count in counts),
        tuple(Rejected(table, why, _day(day), _masked(row)) for table, why, day, row in shown),
    )


def _version(dataset: str, settings: Settings, as_of: str | None, version: str) -> Version:
    if as_of and version:
        raise InvalidInputError("--as-of and --version exclude each other: give one of them.")
    if not version:
        return Version(dataset, as_of, settings)
    named = version_named(Versions(Store(settings.store), dataset, settings.zone), version)
    return Version(dataset, named.as_of, settings, version=named.version)


def _condition(reason: str) -> str | None:
    quoted = reason.replace("'", "''")
    return f"contains(lower(reason), lower('{quoted}'))" if reason else None


def _unknown(found: Version, reason: str) -> str:
    known = [
        str(row[0])
        for row in found.to_duckdb(REJECTS.name, own_connection()).aggregate("reason").order("reason").fetchall()
    ]
    made = found.manifest
    listed = f" Reasons are: {'; '.join(known)}." if known else " It rejected none at all."
    return f"{made.dataset} as of {made.as_of} rejected no row with {reason!r}.{listed}{did_you_mean(reason, known)}"


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _masked(text: str) -> dict[str, Any]:
    shown = masked_json(text)
    try:
        row = json.loads(shown)
    except ValueError:
        return {"row": shown}
    return row if isinstance(row, dict) else {"row": shown}
