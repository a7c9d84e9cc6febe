"""Whether an engine cuts days where shopmill does: DuckDB and Java bring rules of time zones of their own."""

from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pyarrow as pa

from shopmill.engine.protocol import Queries
from shopmill.zones import begins, other_rules

EDGES = "edges_of_days"
DIFFERENT = f"""
select cast(min(begun) as varchar) as day
from {EDGES}
where cast(moment at time zone $time_zone as date) <> day
"""
WAY_OUT = "the newest release of DuckDB, or of Java's time zone data (tzupdater)"
_agreed: set[tuple[str, str, date]] = set()


def refuse_other_rules(engine: Queries, zone: ZoneInfo, first: date, last: date) -> None:
    """InvalidInputError where a day from the first to the last begins at another moment for the engine; looks once."""
    if (engine.label, zone.key, last) in _agreed:
        return
    engine.table(EDGES, _edges(zone, first, last))
    [found] = engine.rows(DIFFERENT, {"time_zone": zone.key})
    if found["day"]:
        raise other_rules(engine.label, zone, date.fromisoformat(found["day"]), WAY_OUT)
    _agreed.add((engine.label, zone.key, last))


@lru_cache(maxsize=4)
def _edges(zone: ZoneInfo, first: date, last: date) -> pa.Table:
    """The first moment of each day, and the one before, with the day that each is of and the day that begins."""
    begun = begins(first, last, zone)
    yesterday = timedelta(days=1)
    return pa.table(
        {
            "moment": pa.array(
                [begin - 1 for _, begin in begun] + [begin for _, begin in begun], pa.timestamp("s", "UTC")
            ),
            "day": pa.array([day - yesterday for day, _ in begun] + [day for day, _ in begun], pa.date32()),
            "begun": pa.array([day for day, _ in begun] * 2, pa.date32()),
        }
    )
