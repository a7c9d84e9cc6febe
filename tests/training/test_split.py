"""Parts by time: between two of them lies the horizon of the label."""

from datetime import date, timedelta

import pytest

from shopmill.errors import InvalidInputError
from shopmill.training.split import as_given, by_time

MONTHS = [date(2017, month, 1) for month in range(1, 10)]


def test_the_last_tests_and_a_horizon_lies_between_parts() -> None:
    split = by_time(MONTHS, timedelta(days=90))
    assert split.test == (date(2017, 9, 1),)
    assert split.validation == (date(2017, 6, 1),)
    assert split.train == (date(2017, 1, 1), date(2017, 2, 1), date(2017, 3, 1))
    assert split.left_out == (date(2017, 4, 1), date(2017, 5, 1), date(2017, 7, 1), date(2017, 8, 1))
    assert "left out, within 90 days of a later part: 2017-04-01" in str(split)


def test_a_window_may_end_where_the_next_part_begins() -> None:
    days = [date(2017, 1, 1), date(2017, 1, 31), date(2017, 3, 2)]
    assert by_time(days, timedelta(days=30)).parts == {
        "train": (days[0],),
        "validation": (days[1],),
        "test": (days[2],),
    }
    assert by_time(days, timedelta(days=31)).parts == {"train": (days[0],), "test": (days[2],)}


def test_few_as_ofs_have_no_validation_and_one_only_trains() -> None:
    assert by_time([MONTHS[0], MONTHS[-1]], timedelta(days=90)).parts == {"train": (MONTHS[0],), "test": (MONTHS[-1],)}
    assert by_time([MONTHS[0], MONTHS[0]], timedelta(days=90)).parts == {"train": (MONTHS[0],)}


def test_as_ofs_that_overlap_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match=r"2017-08-01 and 2017-09-01 overlap.*Give an as_of of 2017-06-03 or before"
    ):
        by_time(MONTHS[-2:], timedelta(days=90))
    given = {"train": [date(2017, 5, 1), date(2017, 7, 1)], "test": [date(2017, 9, 1)]}
    with pytest.raises(
        InvalidInputError, match=r"2017-07-01 \(train\) and 2017-09-01 \(test\) overlap.*reach to 2017-09-29"
    ):
        as_given(given, timedelta(days=90))
    assert as_given(given, timedelta(days=62)).train == tuple(given["train"])
    with pytest.raises(InvalidInputError, match="no part 'tset'"):
        as_given({"train": MONTHS, "tset": MONTHS}, timedelta(days=1))
    with pytest.raises(InvalidInputError, match="no as_of to train with"):
        as_given({"test": MONTHS}, timedelta(days=1))
