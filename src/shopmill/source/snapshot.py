"""Which raw files a table consists of at an as_of: the snapshot document, and the plan of what must be read for it.

A snapshot is written once and names immutable files, so every dataset of one as_of is made of the same rows.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf, midnight
from shopmill.errors import DamagedError
from shopmill.source.contract import SourceTable
from shopmill.versions.proof import faults, refuse
from shopmill.versions.store import Store, to_json

log = logging.getLogger(__name__)
UNDATED = "undated"
FIRST_DAY = date(1, 1, 2)
"""Rows dated earlier (-infinity among them) are taken as rows without a time. A day later than Python's first: zones."""
STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class RawFile:
    """A Parquet file of one day (or '' for a dimension, 'undated' for rows without a time)."""

    day: str
    key: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """The files of one table at one as_of. `read_as_of` is when a dimension was really read, `key` where this is kept."""

    table: str
    as_of: str
    read_as_of: str
    files: tuple[RawFile, ...]
    key: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Snapshot":
        """The snapshot in a JSON document."""
        return cls(**{**document, "files": tuple(RawFile(**file) for file in document["files"])})

    @property
    def days(self) -> dict[str, str]:
        """What each day holds, as the hash of its file."""
        return {file.day: file.sha256 for file in self.files}

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def sha256(self) -> str:
        """A hash of the content: the same rows give the same hash, wherever their files lie."""
        return hashlib.sha256("\n".join(f"{f.day} {f.sha256}" for f in self.files).encode()).hexdigest()

    @property
    def newest_day(self) -> str | None:
        """The last day with rows."""
        return max((file.day for file in self.files if file.day not in {"", UNDATED}), default=None)


@dataclass(frozen=True)
class Plan:
    """What makes a snapshot: files that are carried from another one, and the days that must be read."""

    carried: tuple[RawFile, ...] = ()
    read: bool = True
    read_from: date | None = None
    read_as_of: str = ""


class SnapshotCatalogue:
    """The snapshots of one table in the store, under one mapping."""

    def __init__(self, store: Store, table: SourceTable, fingerprint: str):
        self.store, self.table = store, table
        self.folder = f"raw/{table.name}/source={fingerprint}"

    def find(self, as_of: AsOf) -> Snapshot | None:
        """The newest snapshot of exactly this as_of."""
        return self._at(as_of.instant)

    def _at(self, instant: datetime) -> Snapshot | None:
        readable = (self._readable(key) for key in reversed(self._keys(instant)))
        return next((snapshot for snapshot in readable if snapshot), None)

    def _keys(self, instant: datetime) -> list[str]:
        """The documents of an as_of, oldest first: each refresh adds one."""
        return self.store.keys(f"{self.folder}/snapshots/{instant:{STAMP}}")

    def _readable(self, key: str) -> Snapshot | None:
        """The snapshot of a document; None, and a warning, where it or a file that it names is damaged."""
        try:
            found = Snapshot.from_document({**self.store.read_json(key), "key": key})
            self.store.stay_inside([file.key for file in found.files], self.folder)
            self._refuse_damage(found)
        except (AttributeError, DamagedError, KeyError, TypeError) as error:
            log.warning("%s cannot be used and counts as absent: %s", self.store.uri(key), error)
            return None
        return found

    def _refuse_damage(self, snapshot: Snapshot) -> None:
        """In a local folder, where looking costs nothing; what an object store has lost is named by who reads it."""
        if self.store.root:
            refuse(self.store, faults(self.store, snapshot.files, self.folder), "It is read from the shop again.")

    def known(self) -> list[datetime]:
        """The instants of all snapshots, ascending."""
        stamps = {key.split("/")[-2] for key in self.store.keys(f"{self.folder}/snapshots")}
        return sorted(datetime.strptime(stamp, STAMP).replace(tzinfo=UTC) for stamp in stamps)

    def _first(self, instants: Iterable[datetime]) -> Snapshot | None:
        """The first of these snapshots that can be read."""
        return next((found for instant in instants if (found := self._at(instant))), None)

    def plan(self, as_of: AsOf, zone: ZoneInfo, lookback_days: int, refresh: bool = False) -> Plan:
        """Reads as little as possible: what a snapshot before or after already holds is carried from it.

        With `refresh` a fact is read from its first day on, whatever the store holds.
        """
        known = self.known()
        earlier = self._first(reversed([instant for instant in known if instant <= as_of.instant]))
        later = self._first(instant for instant in known if instant > as_of.instant)
        if not self.table.is_fact:
            # The source shows today's rows: for a past as_of, what was read nearest to it is the truth that is left.
            nearest = (earlier or later) if later else None
            return (
                Plan(read=False, carried=nearest.files, read_as_of=nearest.read_as_of)
                if nearest
                else Plan(read_as_of=as_of.label)
            )
        if refresh:
            return Plan(read_as_of=as_of.label)
        day = as_of.day(zone)
        if later:
            return _carry(later, day, as_of, read=as_of.instant > midnight(day, zone))
        if earlier:
            since = AsOf.parse(earlier.as_of, zone).day(zone) - timedelta(days=lookback_days)
            return _carry(earlier, since, as_of, read=True)
        return Plan(read_as_of=as_of.label)

    def save(self, as_of: AsOf, snapshot: Snapshot) -> Snapshot:
        """Writes the snapshot; where another run was quicker with the same as_of, its snapshot is the one."""
        self.store.flush(file.key for file in snapshot.files)
        last = max((int(key[-9:-5]) for key in self._keys(as_of.instant)), default=-1)
        key = f"{self.folder}/snapshots/{as_of.instant:{STAMP}}/{last + 1:04d}.json"
        created = self.store.create(key, to_json(asdict(snapshot)))
        return replace(snapshot, key=key) if created else self.find(as_of) or snapshot


def _carry(base: Snapshot, before: date, as_of: AsOf, read: bool) -> Plan:
    """The days of `base` before `before`; rows without a day are read again whenever anything is."""
    kept = tuple(f for f in base.files if (f.day == UNDATED and not read) or f.day < str(before))
    return Plan(carried=kept, read=read, read_from=before, read_as_of=as_of.label)
