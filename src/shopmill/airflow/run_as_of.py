"""Which as_of a DAG run is for: the one that a person gave, its partition, that of the event, or the shop's day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shopmill.asof import AsOf
from shopmill.settings import load_settings

AS_OF = (
    "{{ params.as_of or partition_key or announced_as_of(triggering_asset_events) "
    "or shop_day(dag_run.logical_date or dag_run.run_after) }}"
)
"""The as_of as a template, which each task renders."""


def announced_as_of(events: Mapping[Any, Any]) -> str | None:
    """The newest as_of of the asset events that started a run; None for a run that no event started."""
    zone = load_settings().zone
    found = [event.extra["as_of"] for of_asset in events.values() for event in of_asset if "as_of" in event.extra]
    return max(AsOf.parse(label, zone) for label in found).label if found else None


def shop_day(moment: datetime) -> str:
    """The shop's day on which a moment falls."""
    return str(moment.astimezone(load_settings().zone).date())


MACROS = {"announced_as_of": announced_as_of, "shop_day": shop_day}
"""What the template calls."""
