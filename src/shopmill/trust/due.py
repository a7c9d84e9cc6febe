"""Which as_ofs a dataset should have by its schedule, and which of them are due."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf
from shopmill.declaration import Promise

DAY, WEEK = timedelta(days=1), timedelta(days=7)
SUNDAY = 6


def due_between(promise: Promise, first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[AsOf]:
    """The as_ofs of a schedule from one moment to another, both included, ascending."""
    if promise.every < DAY:
        yield from _moments(promise.every, first, last, zone)
        return
    day = first.astimezone(zone).date()
    while (as_of := AsOf.parse(str(day), zone)).instant <= last:
        if as_of.instant >= first and _is_of_schedule(promise, day):
            yield as_of
        day += DAY


def _moments(every: timedelta, first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[AsOf]:
    midnight = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + -((midnight - first) // every) * every
    while moment <= last:
        yield AsOf.parse(f"{moment:%Y-%m-%dT%H:%M:%SZ}", zone)
        moment += every


def _is_of_schedule(promise: Promise, day: date) -> bool:
    return promise.every < WEEK or day.weekday() == SUNDAY


def newest_due(promise: Promise, now: datetime, zone: ZoneInfo) -> AsOf:
    """The newest as_of whose version should be there by now: its run has had the time that was promised."""
    latest = now - (promise.age - promise.every)
    return _newest(promise, latest, zone)


def newest_begun(promise: Promise, now: datetime, zone: ZoneInfo) -> AsOf:
    """The newest as_of that is over: what the next run by hand would be for."""
    return _newest(promise, now, zone)


def _newest(promise: Promise, until: datetime, zone: ZoneInfo) -> AsOf:
    longest = (
        promise.every + DAY
    )  # the days on which clocks are changed have up to 25 hours, and once a zone left one out
    return list(due_between(promise, until - longest, until, zone))[-1]
