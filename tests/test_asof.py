"""as_of: what may be written, which instant and which day it is."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shopmill.asof import AsOf, midnight
from shopmill.errors import InvalidInputError

STOCKHOLM, NEW_YORK, UTC_ZONE = ZoneInfo("Europe/Stockholm"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
HAVANA, BEIRUT = ZoneInfo("America/Havana"), ZoneInfo("Asia/Beirut")
zones = st.sampled_from([STOCKHOLM, NEW_YORK, UTC_ZONE, HAVANA, BEIRUT, ZoneInfo("Asia/Kathmandu")])


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2020-09-23", UTC_ZONE, datetime(2020, 9, 23, tzinfo=UTC)),
        ("2020-09-23", STOCKHOLM, datetime(2020, 9, 22, 22, tzinfo=UTC)),
        ("2018-01-02", NEW_YORK, datetime(2018, 1, 2, 5, tzinfo=UTC)),
        ("2020-09-23T10:15:00Z", STOCKHOLM, datetime(2020, 9, 23, 10, 15, tzinfo=UTC)),
        ("2020-09-23T10:15:00+02:00", UTC_ZONE, datetime(2020, 9, 23, 8, 15, tzinfo=UTC)),
        ("2020-09-23T10:15:00.000Z", UTC_ZONE, datetime(2020, 9, 23, 10, 15, tzinfo=UTC)),  # as a browser writes it
    ],
)
def test_an_as_of_is_an_instant(text: str, zone: ZoneInfo, instant: datetime) -> None:
    assert AsOf.parse(text, zone).instant == instant


@pytest.mark.parametrize(
    "text",
    ["", "today", "2020-13-01", "2020-02-30", "20200923", "2020-09-23T10:15:00", "2020-09-23 ", "23.09.2020", "../../../x",
     "2020-W39-3", "2020-09-23T10:15:00.5Z"],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError, match="as_of"):
        AsOf.parse(text, STOCKHOLM)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", [STOCKHOLM, NEW_YORK], ids=str)
def test_the_ends_of_the_calendar_are_refused_or_read(text: str, zone: ZoneInfo) -> None:
    with suppress(InvalidInputError):
        assert AsOf.parse(text, zone).label == text


@hypothesis_settings(max_examples=100, deadline=None)
@given(day=st.dates(date(1970, 1, 2), date(2037, 1, 1)), zone=zones)
def test_a_day_begins_where_the_day_before_ends(day: date, zone: ZoneInfo) -> None:
    begin = midnight(day, zone)
    assert begin.astimezone(zone).date() == day
    assert (begin - timedelta(microseconds=1)).astimezone(zone).date() == day - timedelta(days=1)
    as_of = AsOf.parse(day.isoformat(), zone)
    assert as_of.day(zone) == day
    assert as_of.last_day(zone) == day - timedelta(days=1)


@hypothesis_settings(max_examples=50, deadline=None)
@given(moment=st.datetimes(datetime(1970, 1, 2), datetime(2037, 1, 1)), zone=zones, whole=st.booleans())  # noqa: DTZ001
def test_a_folder_name_is_read_back(moment: datetime, zone: ZoneInfo, whole: bool) -> None:
    text = moment.date().isoformat() if whole else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    as_of = AsOf.parse(text, zone)
    assert as_of.label == text
    assert AsOf.from_path(as_of.path, zone) == as_of
    assert ":" not in as_of.path


@pytest.mark.parametrize(("day", "hours"), [(date(2021, 3, 28), 23), (date(2021, 10, 31), 25), (date(2021, 6, 1), 24)])
def test_days_of_23_and_25_hours(day: date, hours: int) -> None:
    assert midnight(day + timedelta(days=1), STOCKHOLM) - midnight(day, STOCKHOLM) == timedelta(hours=hours)
