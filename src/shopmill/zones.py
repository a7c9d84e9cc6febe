"""Time zones as the package tzdata has them, the same on every machine, and whether others know the same rules.

Governments change their clocks, and what a system knows of it is as old as the system. A day is cut in Python, in the
shop's database and in the engine: who has older rules than the others would put an hour of sales into another day.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from shopmill.errors import InvalidInputError

CLOCK_CHANGE = timedelta(hours=3)
DAY, NONE = timedelta(days=1), timedelta(0)
EPOCH, SECONDS_OF_A_DAY = date(1970, 1, 1).toordinal(), 86_400


class PinnedZone(ZoneInfo):
    """A zone from the package; another process finds it by its name."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return zone_of, (self.key,)


@lru_cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name, of the system where the package is not installed; ZoneInfo's errors where it is none."""
    of_the_system = ZoneInfo(name)
    try:
        data = files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb")
    except (OSError, ModuleNotFoundError):
        return of_the_system
    with data:
        return PinnedZone.from_file(data, key=name)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` begins in the shop's zone, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def clocks_change_near(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a day may come back for some minutes after the next one has begun: clocks that fall back over midnight."""
    before, after = ((moment + hours).astimezone(zone).utcoffset() for hours in (-CLOCK_CHANGE, CLOCK_CHANGE))
    return before != after


@lru_cache(maxsize=8)
def begins(first: date, last: date, zone: ZoneInfo) -> tuple[tuple[date, int], ...]:
    """When each day begins, in seconds since 1970, from the first to the last, but those next to a change of clocks."""
    first, last = max(first, date.min + DAY), min(last, date.max - DAY)
    days = [first + number * DAY for number in range(-1, (last - first).days + 2)]
    offsets = [datetime.combine(day, time(), zone).utcoffset() or NONE for day in days]
    return tuple(
        (day, (day.toordinal() - EPOCH) * SECONDS_OF_A_DAY - round(there.total_seconds()))
        for day, before, there, after in zip(days[1:], offsets, offsets[1:], offsets[2:], strict=False)
        if before == there == after
    )


def other_rules(who: str, zone: ZoneInfo, day: date, way_out: str) -> InvalidInputError:
    """The error where a day begins at another moment for somebody else than here."""
    return InvalidInputError(
        f"{who} and shopmill have other rules for the time zone {zone.key}: here {day} begins at "
        f"{midnight(day, zone):%H:%M} UTC, there it does not, and rows in between would be of two days. Update whichever is "
        f"older: `pip install --upgrade tzdata` here, {way_out} there. Or set SHOPMILL_TIME_ZONE to a zone of which both "
        "know the same, such as Etc/GMT+7."
    )
