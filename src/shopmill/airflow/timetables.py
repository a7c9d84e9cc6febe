"""Schedules of an Airflow whose clock starts nothing: they say which days there are, and a backfill runs them.

Airflow asks for the next run of a DAG without `catchup`; only a backfill asks for every day between two.
"""

from typing import Any

from airflow.timetables.trigger import CronPartitionTimetable, CronTriggerTimetable


class _Off:
    """A schedule by cron that says that it is off."""

    _expression: str

    @property
    def summary(self) -> str:
        """What the UI shows in the column Schedule."""
        return f"{self._expression} (off)"


class PartitionsOff(_Off, CronPartitionTimetable):
    """The days of a partitioned DAG, which a backfill asks for by themselves."""

    def next_dagrun_info_v2(self, **_: Any) -> None:
        """The clock starts nothing."""


class TriggersOff(_Off, CronTriggerTimetable):
    """The days of a DAG without partitions."""

    def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
        """The next day for a backfill; the clock starts nothing."""
        if not restriction.catchup:
            return None
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
