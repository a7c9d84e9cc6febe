"""Which versions a rule keeps: the last few, then one a week, then one a month. By as_of, so without a clock."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from shopmill.asof import AsOf


@dataclass(frozen=True)
class Retention:
    """Keep the newest `last` as_ofs, and the newest of each of the newest `weekly` weeks and `monthly` months.

    The newest as_of of all is kept whatever the numbers.
    """

    last: int = 14
    weekly: int = 8
    monthly: int = 24

    def kept(self, as_ofs: Iterable[AsOf], zone: ZoneInfo) -> set[AsOf]:
        """The as_ofs to keep."""
        newest_first = sorted(as_ofs, reverse=True)
        return {
            *newest_first[: max(1, self.last)],
            *_first_of_each(newest_first, lambda as_of: as_of.last_day(zone).isocalendar()[:2], self.weekly),
            *_first_of_each(newest_first, lambda as_of: as_of.last_day(zone).timetuple()[:2], self.monthly),
        }


def _first_of_each(as_ofs: Iterable[AsOf], period: Callable[[AsOf], Hashable], count: int) -> Iterable[AsOf]:
    found: dict[Hashable, AsOf] = {}
    for as_of in as_ofs:
        found.setdefault(period(as_of), as_of)
    return islice(found.values(), count)
