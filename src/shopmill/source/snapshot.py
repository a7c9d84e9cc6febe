"""Which raw files a table consists of at an as_of: the snapshot document, and the plan of what must be read for it.

A snapshot is written once and names immutable files, so every dataset of one as_of is made of the same rows.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.errors import DamagedError
from shopmill.source.contract import SourceTable
from shopmill.versions.layout import is_snapshot, raw_under, snapshots_in
from shopmill.versions.proof import faults, refuse
from shopmill.versions.shapes import well_typed
from shopmill.versions.snapshot_documents import base_of, difference, read_snapshot
from shopmill.versions.store import Store, to_json
from shopmill.zones import midnight

log = logging.getLogger(__name__)
UNDATED = "undated"
FIRST_DAY = date(1, 1, 2)
"""Rows dated earlier (-infinity among them) are taken as rows without a time. A day later than Python's first: zones."""
LAST_DAY = date(9999, 12, 31)
"""Dates at it or later (infinity among them) do not fit. A day earlier than Python's last: zones."""
NEVER = "10000-01-01"
"""Rows dated at it or later (infinity among them) are taken as rows without a time. Those before it are of the future."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
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
    """The files of one table at one as_of. `read_as_of` is when a dimension was really read, `key` where this is kept.

    `taken_at` is the database's time when it was read, empty where nothing was; `columns` the types of the columns that
    the shop had. `misfits` and `lossy` count by column, among the rows that were read for it, the values that did not
    fit and those that lost digits. `not_read` says what was not looked at, and why.
    """

    table: str
    as_of: str
    read_as_of: str
    files: tuple[RawFile, ...]
    key: str = ""
    taken_at: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    misfits: Mapping[str, int] = field(default_factory=dict)
    lossy: Mapping[str, int] = field(default_factory=dict)
    not_read: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Snapshot":
        """The snapshot in a JSON document; DamagedError where it is none."""
        try:
            files = tuple(well_typed(RawFile(**file)) for file in document["files"])
            found = well_typed(cls(**{**document, "files": files}))
            if not found.taken_at or datetime.fromisoformat(found.taken_at).tzinfo:
                return found
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        raise DamagedError("It is not a snapshot: it is damaged.")

    @property
    def days(self) -> dict[str, str]:
        """What each day holds, as the hash of its file."""
        return {file.day: file.sha256 for file in self.files}

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def is_absent(self) -> bool:
        """Whether the shop had no such table."""
        return not self.files and not self.columns

    @property
    def sha256(self) -> str:
        """A hash of the content: the same rows give the same hash, wherever their files lie."""
        return hashlib.sha256("\n".join(f"{f.day} {f.sha256}" for f in self.files).encode()).hexdigest()

    @property
    def instant(self) -> datetime:
        """The as_of, as the folder of its document says it."""
        return datetime.strptime(self.key.split("/")[-2], STAMP).replace(tzinfo=UTC)

    @property
    def reach(self) -> datetime:
        """Until when it can have all rows: what is dated after it was taken was not there yet."""
        if self.taken_at:
            return min(self.instant, datetime.fromisoformat(self.taken_at))
        return self.instant if self.instant <= datetime.now(UTC) else LONG_AGO

    @property
    def is_complete(self) -> bool:
        """Whether its as_of was over when it was taken."""
        return self.reach == self.instant

    @property
    def newest_day(self) -> str | None:
        """The last day with rows."""
        return max((file.day for file in self.files if file.day not in {"", UNDATED}), default=None)


@dataclass(frozen=True)
class Plan:
    """What makes a snapshot: the snapshot that files are carried from, and the days that must be read.

    Carried are the days before `read_from`. Without a base everything is read; with one, older days as well that had a
    change since it was taken.
    """

    base: Snapshot | None = None
    read: bool = True
    read_from: date = FIRST_DAY
    days: frozenset[date] = frozenset()

    def carried(self, also_read: Collection[date] = ()) -> tuple[RawFile, ...]:
        """The files of the base that are not read again; rows without a day are read whenever anything is."""
        if self.base is None:
            return ()
        read = {str(day) for day in (*self.days, *also_read)}
        files = (file for file in self.base.files if file.day not in read)
        return tuple(
            file for file in files if (file.day == UNDATED and not self.read) or file.day < str(self.read_from)
        )


def snapshot_key(raw_folder: str, instant: datetime, number: int) -> str:
    """The key of a snapshot document: `number` counts those of one as_of from 0, as each refresh adds one."""
    return f"{snapshots_in(raw_folder)}/{instant:{STAMP}}/{number:04d}.json"


class SnapshotCatalogue:
    """The snapshots of one table in the store, under one mapping."""

    def __init__(self, store: Store, table: SourceTable, fingerprint: str):
        self.store, self.table = store, table
        self.folder = raw_under(table.name, fingerprint)

    def find(self, as_of: AsOf) -> Snapshot | None:
        """The newest snapshot of exactly this as_of, if it was over when that was taken."""
        found = self._at(as_of.instant)
        return found if found and found.is_complete else None

    def newest(self) -> Snapshot | None:
        """The snapshot with the newest as_of."""
        return self._first(reversed(self.known()), LONG_AGO)

    def _at(self, instant: datetime, hashes: bool = False) -> Snapshot | None:
        readable = (self._readable(key, hashes) for key in reversed(self._keys(instant)))
        return next((snapshot for snapshot in readable if snapshot), None)

    def _keys(self, instant: datetime) -> list[str]:
        """The documents of an as_of, oldest first: each refresh adds one."""
        return self._documents(f"/{instant:{STAMP}}")

    def _documents(self, below: str = "") -> list[str]:
        """The keys of all documents, or of those below a folder; a copy that somebody made of one is none."""
        return list(filter(is_snapshot, self.store.keys(f"{snapshots_in(self.folder)}{below}")))

    def newest_keys(self) -> set[str]:
        """The newest document of each as_of: what a run for it would look at first."""
        return set({key.rsplit("/", 1)[0]: key for key in self._documents()}.values())

    def _readable(self, key: str, hashes: bool = False) -> Snapshot | None:
        """The snapshot of a document; None, and a warning, where it or a file that it names is damaged."""
        try:
            found = Snapshot.from_document({**read_snapshot(self.store, key), "key": key})
            self.store.stay_inside([file.key for file in found.files], self.folder)
            self._refuse_damage(found, hashes)
        except (DamagedError, TypeError) as error:
            log.warning("%s cannot be used and counts as absent: %s", self.store.uri(key), error)
            return None
        return found

    def _refuse_damage(self, snapshot: Snapshot, hashes: bool) -> None:
        """In a local folder, where looking at sizes costs nothing; what an object store has lost is named by who reads it."""
        if self.store.root or hashes:
            found = faults(self.store, snapshot.files, self.folder, hashes)
            refuse(self.store, found, "It is read from the shop again.")

    def known(self) -> list[datetime]:
        """The instants of all snapshots, ascending."""
        stamps = {key.split("/")[-2] for key in self._documents()}
        return sorted(datetime.strptime(stamp, STAMP).replace(tzinfo=UTC) for stamp in stamps)

    def _first(self, instants: Iterable[datetime], reach: datetime, hashes: bool = False) -> Snapshot | None:
        """The first of these snapshots that can be read and reaches beyond a moment."""
        found = (self._at(instant, hashes) for instant in instants)
        return next((snapshot for snapshot in found if snapshot and snapshot.reach > reach), None)

    def plan(self, as_of: AsOf, zone: ZoneInfo, lookback_days: int, refresh: bool = False) -> Plan:
        """Reads as little as possible: what a snapshot before or after already holds is carried from it.

        With `refresh` a fact is read from its first day on, whatever the store holds, and every byte of another table that is
        carried is looked at.
        """
        known, hashes = self.known(), refresh and not self.table.is_fact
        earlier = self._first(reversed([instant for instant in known if instant <= as_of.instant]), LONG_AGO, hashes)
        later = self._first((instant for instant in known if instant > as_of.instant), as_of.instant, hashes)
        if not self.table.is_fact:
            # The source shows today's rows: for a past as_of, what was read nearest to it is the truth that is left.
            nearest = (earlier or later) if later else None
            return Plan(nearest, read=False, read_from=date.max) if nearest else Plan()
        if refresh:
            return Plan()
        day = as_of.day(zone)
        if later:
            return Plan(later, as_of.instant > midnight(day, zone), day)
        if earlier:
            return Plan(earlier, True, earlier.reach.astimezone(zone).date() - timedelta(days=lookback_days))
        return Plan()

    def save(self, as_of: AsOf, snapshot: Snapshot) -> Snapshot:
        """Writes the snapshot; where another run was quicker with the same as_of, its snapshot is the one."""
        self.store.flush(file.key for file in snapshot.files)
        last = max((int(key[-9:-5]) for key in self._keys(as_of.instant)), default=-1)
        key = snapshot_key(self.folder, as_of.instant, last + 1)
        created = self.store.create(key, to_json(self._document(as_of, snapshot)))
        return replace(snapshot, key=key) if created else self.find(as_of) or snapshot

    def _document(self, as_of: AsOf, snapshot: Snapshot) -> dict[str, Any]:
        """What is written: the difference against the whole document that the one of an earlier as_of rests on, if it is small."""
        document = asdict(snapshot)
        for instant in [known for known in self.known() if known < as_of.instant][-1:]:
            for key in self._keys(instant)[-1:]:
                try:
                    base = base_of(self.store, key) or key
                    return difference(document, self.store.read_json(base), base) or document
                except (AttributeError, DamagedError, FileNotFoundError, KeyError, TypeError):
                    log.warning("%s cannot be read: the snapshot is written as a whole.", self.store.uri(key))
        return document
