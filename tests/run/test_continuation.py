"""Periods of tables that continue from the previous version."""

from datetime import date, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shopmill.declaration import Incremental
from shopmill.run.continuation import start_of_period


@pytest.mark.parametrize(
    ("period", "day", "start"),
    [
        ("day", date(2020, 2, 29), date(2020, 2, 29)),
        ("week", date(2020, 3, 1), date(2020, 2, 24)),
        ("week", date(2020, 3, 2), date(2020, 3, 2)),
        ("month", date(2020, 2, 29), date(2020, 2, 1)),
    ],
)
def test_a_period_starts(period: Literal["day", "week", "month"], day: date, start: date) -> None:
    assert start_of_period(day, Incremental((), period)) == start


@hypothesis_settings(max_examples=50, deadline=None)
@given(day=st.dates(date(1970, 1, 1), date(2100, 1, 1)), period=st.sampled_from(["day", "week", "month"]))
def test_a_day_is_in_its_period_and_starts_agree(day: date, period: Literal["day", "week", "month"]) -> None:
    incremental = Incremental((), period)
    start = start_of_period(day, incremental)
    assert start <= day < start + timedelta(days=31)
    assert start_of_period(start, incremental) == start
    assert start_of_period(start - timedelta(days=1), incremental) < start
