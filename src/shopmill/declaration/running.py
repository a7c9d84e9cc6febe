"""How a dataset is made: what it reads, in which tasks, what it takes over, and what it promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shopmill.declaration.parameters import Value
from shopmill.declaration.tables import QueryCheck, Severity


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
