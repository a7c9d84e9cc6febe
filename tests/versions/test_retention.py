"""Which as_ofs a rule keeps."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shopmill.asof import AsOf
from shopmill.versions.retention import Retention

UTC = ZoneInfo("UTC")


def daily(first: date, days: int) -> list[AsOf]:
    return [AsOf.parse(str(first + timedelta(days=day)), UTC) for day in range(days)]


def labels(rule: Retention, as_ofs: list[AsOf]) -> list[str]:
    return [as_of.label for as_of in sorted(rule.kept(as_ofs, UTC))]


def test_the_newest_ones() -> None:
    assert labels(Retention(2, 0, 0), daily(date(2020, 9, 1), 10)) == ["2020-09-09", "2020-09-10"]


def test_the_newest_of_each_week_by_the_last_day_it_sees() -> None:
    # As of a Monday the last day seen is a Sunday: the week is whole.
    assert labels(Retention(1, 3, 0), daily(date(2020, 9, 1), 21)) == ["2020-09-07", "2020-09-14", "2020-09-21"]


def test_the_newest_of_each_month() -> None:
    assert labels(Retention(1, 0, 2), daily(date(2020, 8, 1), 61)) == ["2020-09-01", "2020-09-30"]


def test_the_newest_of_all_is_kept_whatever_the_rule() -> None:
    assert labels(Retention(0, 0, 0), daily(date(2020, 9, 1), 3)) == ["2020-09-03"]
    assert labels(Retention(0, 0, 0), []) == []


@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), st.sets(st.integers(0, 400), max_size=40))
def test_a_larger_rule_keeps_no_less(last: int, weekly: int, monthly: int, days: set[int]) -> None:
    as_ofs = [AsOf.parse(str(date(2020, 1, 1) + timedelta(days=day)), UTC) for day in days]
    kept = Retention(last, weekly, monthly).kept(as_ofs, UTC)
    assert kept <= set(as_ofs)
    assert kept <= Retention(last + 1, weekly + 1, monthly + 1).kept(as_ofs, UTC)
    assert len(kept) <= last + weekly + monthly
