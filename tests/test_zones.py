"""Days are cut in Python, in PostgreSQL and in DuckDB: where one has older rules of a time zone, a run says so."""

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import pytest

from shopmill import zones
from shopmill.engine.clocks import refuse_other_rules
from shopmill.engine.duckdb_engine import DuckDBEngine
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.settings import Settings
from shopmill.source.clocks import refuse_other_rules as refuse_those_of_the_database
from shopmill.source.database import open_source
from shopmill.source.mapping import load_mapping
from shopmill.zones import zone_of

LATEST = date(2027, 6, 1)
"""A year that a release of DuckDB has the rules of; a country may change those of the time after at any moment."""
ODD = ("Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Atlantic/Azores", "America/Vancouver", "Antarctica/Troll",
       "Australia/Lord_Howe", "America/Asuncion", "Asia/Beirut", "Asia/Gaza", "America/Nuuk", "Pacific/Kiritimati")  # fmt: skip


def test_zones_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vancouver's clocks no longer change from 2026 on; systems that are older believe that they do."""
    vancouver = zone_of("America/Vancouver")
    assert datetime(2026, 12, 1, tzinfo=vancouver).utcoffset() == timedelta(hours=-7)
    assert pickle.loads(pickle.dumps(vancouver)) is vancouver
    assert datetime(2026, 1, 1, tzinfo=zone_of("UTC")).utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", ""])
def test_what_is_no_zone_is_none(name: str) -> None:
    with pytest.raises((ZoneInfoNotFoundError, ValueError, OSError)):
        zone_of(name)


def test_all_zones_of_the_package_can_be_read() -> None:
    assert all(zone_of(name).key == name for name in available_timezones() if not name.startswith("posix"))


@pytest.mark.parametrize("name", ODD)
def test_duckdb_has_the_rules_of_the_package(settings: Settings, tmp_path: Path, name: str) -> None:
    with DuckDBEngine(settings, tmp_path) as engine:
        refuse_other_rules(engine, zone_of(name), settings.first_day, LATEST)


def older(monkeypatch: pytest.MonkeyPatch, name: str, hours: int) -> None:
    """Rules that are not those of the others: the zone is always so many hours from UTC."""

    class Older(ZoneInfo):
        def utcoffset(self, _moment: Any) -> timedelta:
            return timedelta(hours=hours)

        def fromutc(self, moment: Any) -> Any:
            return moment + timedelta(hours=hours)

    monkeypatch.setattr("shopmill.settings.zone_of", lambda _name: Older.no_cache(name))


def test_an_engine_of_other_rules_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(monkeypatch, "America/Vancouver", -8)
    chosen = settings.model_copy(update={"time_zone": "America/Vancouver"})
    with DuckDBEngine(chosen, tmp_path) as engine, pytest.raises(InvalidInputError) as refused:
        refuse_other_rules(engine, chosen.zone, date(2025, 12, 1), date(2026, 12, 1))
    assert "duckdb" in str(refused.value)
    assert "America/Vancouver: here 2026-03-09 begins at 08:00 UTC, there it does not" in str(refused.value)


def test_a_database_of_other_rules_is_refused(
    settings: Settings, made: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    older(monkeypatch, "Asia/Kathmandu", 5)
    changes = {"time_zone": "Asia/Kathmandu"}
    chosen = settings.model_copy(update=changes)
    words = r"The shop's database .*Asia/Kathmandu: here 2000-01-01 begins at 19:00 UTC"
    with open_source(chosen, load_mapping(chosen)) as source, pytest.raises(ShopmillError, match=words):
        refuse_those_of_the_database(source, date(2026, 1, 1))


@pytest.mark.parametrize("name", ODD)
def test_this_database_has_the_rules_of_the_package(settings: Settings, name: str) -> None:
    chosen = settings.model_copy(update={"time_zone": name})
    with open_source(chosen, load_mapping(chosen)) as source:
        refuse_those_of_the_database(source, date(2026, 11, 1))


@pytest.mark.parametrize(("first", "last"), [(date.min, date(1, 1, 3)), (date(9999, 12, 29), date.max)])
def test_the_ends_of_the_calendar_have_days(first: date, last: date) -> None:
    assert [day.day for day, _ in zones.begins(first, last, zone_of("UTC"))] in ([2, 3], [29, 30])


def test_a_day_that_never_was_has_no_length() -> None:
    """Samoa went over the date line: it had no 2011-12-30."""
    apia = zone_of("Pacific/Apia")
    assert zones.midnight(date(2011, 12, 31), apia) == datetime(2011, 12, 30, 10, tzinfo=UTC)
