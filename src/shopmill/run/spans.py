"""A long table in spans of whole periods, so that an engine of one machine need not hold all of it at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Span:
    """The days from `since` on that are before `until`."""

    since: date
    until: date


ALL_DAYS = Span(date.min, date.max)


def spans(whole: Span, rows: Mapping[date, int], begin_of: Callable[[date], date], at_once: int) -> Iterator[Span]:
    """Cuts `whole` between periods, so that each span has at most `at_once` rows, or is one period.

    `rows` are those of each day, and `begin_of` gives the first day of the period of a day.
    """
    since, held = whole.since, 0
    for period, count in sorted(_by_period(rows, begin_of).items()):
        if held and held + count > at_once:
            yield Span(since, period)
            since, held = period, 0
        held += count
    yield Span(since, whole.until)


def _by_period(rows: Mapping[date, int], begin_of: Callable[[date], date]) -> dict[date, int]:
    found: dict[date, int] = {}
    for day, count in rows.items():
        found[begin_of(day)] = found.get(begin_of(day), 0) + count
    return found
