"""The commands with which Airflow's own backfill runs the as_ofs that are due."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.declaration import Dataset
from shopmill.errors import InvalidInputError
from shopmill.trust.backfill import Due, Reason
from shopmill.trust.due import DAY, WEEK

REPROCESS: dict[Reason, str] = {"missing": "none", "stale": "completed", "failed": "failed"}


def airflow_commands(dataset: Dataset, due: Sequence[Due], zone: ZoneInfo) -> Iterator[str]:
    """A command for each stretch of as_ofs that follow each other and are due for one reason."""
    if dataset.promise.every >= WEEK:
        raise InvalidInputError(
            f"{dataset.name} follows announcements, and Airflow refuses to backfill it: leave out --airflow."
        )
    stretch: list[Due] = []
    for one, following in pairwise([*due, None]):
        if one is not None:
            stretch.append(one)
            if following is None or not _follows(one, following, dataset.promise.every, zone):
                yield _command(dataset, stretch)
                stretch = []


def _follows(one: Due, other: Due, every: timedelta, zone: ZoneInfo) -> bool:
    first, second = AsOf.parse(one.as_of, zone), AsOf.parse(other.as_of, zone)
    gap = second.day(zone) - first.day(zone) if every >= DAY else second.instant - first.instant
    return one.reason == other.reason and gap == every


def _command(dataset: Dataset, stretch: Sequence[Due]) -> str:
    first, last = stretch[0].as_of, stretch[-1].as_of
    until = last if "T" in last else f"{last}T23:59:00"  # with a bare date Airflow leaves out that day's run
    return (
        f"airflow backfill create --dag-id {dataset.name} --from-date {first} --to-date {until} "
        f"--reprocess-behavior {REPROCESS[stretch[0].reason]}"
    )
