"""Where a long history is cut."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shopmill.run.spans import ALL_DAYS, Span, spans

JANUARY, FEBRUARY, MARCH, APRIL = (date(2020, month, 1) for month in (1, 2, 3, 4))


def month(day: date) -> date:
    return day.replace(day=1)


def cut(rows: dict[date, int], at_once: int, whole: Span = ALL_DAYS) -> list[Span]:
    return list(spans(whole, rows, month, at_once))


def test_what_fits_is_not_cut() -> None:
    assert cut({JANUARY: 4, MARCH: 6}, 10) == [ALL_DAYS]
    assert cut({}, 10) == [ALL_DAYS]


def test_it_is_cut_between_months_before_there_are_too_many_rows() -> None:
    rows = {JANUARY: 4, date(2020, 1, 31): 4, FEBRUARY: 2, MARCH: 9, APRIL: 1}
    assert cut(rows, 10) == [Span(date.min, MARCH), Span(MARCH, date.max)]


def test_a_month_of_too_many_rows_is_a_span_of_its_own() -> None:
    rows = {JANUARY: 1, FEBRUARY: 50, MARCH: 1}
    assert cut(rows, 10) == [
        Span(date.min, FEBRUARY),
        Span(FEBRUARY, MARCH),
        Span(MARCH, date.max),
    ]


def test_it_begins_and_ends_where_the_whole_does() -> None:
    whole = Span(FEBRUARY, date(2020, 5, 1))
    assert cut({FEBRUARY: 6, MARCH: 6}, 10, whole) == [Span(FEBRUARY, MARCH), Span(MARCH, date(2020, 5, 1))]


DAYS = st.integers(0, 400).map(lambda days: JANUARY + timedelta(days=days))


@given(st.dictionaries(DAYS, st.integers(1, 100), max_size=40), st.integers(1, 300))
def test_every_day_is_in_one_span_and_none_is_longer_than_needed(rows: dict[date, int], at_once: int) -> None:
    found = cut(rows, at_once)
    assert [found[0].since, found[-1].until] == [date.min, date.max]
    assert all(one.until == following.since for one, following in pairwise(found))
    for one in found:
        of_months: dict[date, int] = {}
        for day, count in rows.items():
            if one.since <= day < one.until:
                of_months[month(day)] = of_months.get(month(day), 0) + count
        assert sum(of_months.values()) <= at_once or len(of_months) == 1
