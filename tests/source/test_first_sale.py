"""A few wrong dates decide nothing about the day on which a shop's sales begin, and what really was sold does."""

from datetime import date, timedelta

import pytest

from shopmill.source.first_sale import first_sale

FIRST_DAY, GAP = date(2000, 1, 1), 366
OPENED = date(2020, 3, 1)
REAL = {OPENED + timedelta(days=n): 10 for n in range(60)}


@pytest.mark.parametrize(
    ("others", "begin"),
    [
        ({}, FIRST_DAY),
        ({date(2001, 1, 1): 1}, OPENED),
        ({date(2001, 1, 1): 1, date(2003, 5, 7): 2, date(2010, 1, 1): 3}, OPENED),
        ({date(1970, 1, 1): 500}, FIRST_DAY),  # rejected anyway, and no part of the total
        ({OPENED - timedelta(days=366): 1}, FIRST_DAY),
        ({OPENED - timedelta(days=367): 1}, OPENED),
        ({date(2001, 1, 1): 60}, OPENED),
        ({date(2001, 1, 1): 90}, FIRST_DAY),  # the shop was there, and paused
        ({date(2001, 1, 1): 1, date(2018, 1, 1): 200}, date(2018, 1, 1)),
        ({date(2022, 1, 1): 1}, FIRST_DAY),  # the newest sale, after a pause
    ],
)
def test_the_day_on_which_sales_begin(others: dict[date, int], begin: date) -> None:
    assert first_sale({**REAL, **others}, FIRST_DAY, GAP) == begin


def test_a_shop_without_sales_begins_on_its_first_day() -> None:
    assert first_sale({}, FIRST_DAY, GAP) == FIRST_DAY


def test_a_longer_pause_may_be_allowed() -> None:
    assert first_sale({**REAL, date(2001, 1, 1): 1}, FIRST_DAY, 10_000) == FIRST_DAY
