"""When a DAG runs: by the clock of the shop, or when another dataset announces something.

Where the setting `schedules` is off only people, backfills and asset events start runs: a daily schedule then has its days
and no clock, and a weekly one, which has nothing to fill in, is None.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetOrTimeSchedule, CronPartitionTimetable, CronTriggerTimetable

from shopmill.airflow.assets import announced_asset
from shopmill.settings import load_settings

if TYPE_CHECKING:
    from shopmill.airflow.timetables import PartitionsOff, TriggersOff

    Schedule = CronPartitionTimetable | CronTriggerTimetable | PartitionsOff | TriggersOff

NOT_AT_ONCE = timedelta(0)
"""Airflow's own `False` still runs a DAG at once when its time was a short while ago."""


def daily(clock: str) -> "Schedule":
    """Every day at a time of the shop's day, such as `02:00`; the run's partition key is that day, its as_of."""
    return _partitioned(_at(clock), load_settings().time_zone, "%Y-%m-%d")


def daily_announcing(clock: str) -> "Schedule":
    """As `daily`, for a dataset with announcements: its runs have no partition key, and their as_of is the shop's day.

    Airflow lets an event of a run with a partition key start only partitioned DAGs, and no weekly schedule is one.
    """
    if not load_settings().schedules:
        from shopmill.airflow.timetables import TriggersOff

        return TriggersOff(_at(clock), timezone=load_settings().time_zone)
    return _by_clock(_at(clock))


def every_minutes(minutes: int) -> "Schedule":
    """Every so many minutes; the run's partition key is that moment in UTC, its as_of."""
    return _partitioned(f"*/{minutes} * * * *", "UTC", "%Y-%m-%dT%H:%M:%SZ")


def weekly(clock: str, weekday: str = "0") -> CronTriggerTimetable | None:
    """Every week at a time of the shop's day; weekday 0 is Sunday."""
    return _unpartitioned(_at(clock, weekday))


def weekly_or_announced(clock: str, asset: str) -> AssetOrTimeSchedule | list[Asset]:
    """Every Sunday at a time of the shop's day, and whenever another dataset announces `asset`."""
    weekly, announced = _unpartitioned(_at(clock, weekday="0")), [announced_asset(asset)]
    return AssetOrTimeSchedule(timetable=weekly, assets=announced) if weekly else announced


def _at(clock: str, weekday: str = "*") -> str:
    hour, minute = clock.split(":")
    return f"{minute} {hour} * * {weekday}"


def _partitioned(cron: str, zone: str, key_format: str) -> "Schedule":
    if not load_settings().schedules:
        from shopmill.airflow.timetables import PartitionsOff

        return PartitionsOff(cron, timezone=zone, key_format=key_format)
    return CronPartitionTimetable(cron, timezone=zone, key_format=key_format, run_immediately=NOT_AT_ONCE)


def _unpartitioned(cron: str) -> CronTriggerTimetable | None:
    return _by_clock(cron) if load_settings().schedules else None


def _by_clock(cron: str) -> CronTriggerTimetable:
    return CronTriggerTimetable(cron, timezone=load_settings().time_zone, run_immediately=NOT_AT_ONCE)
