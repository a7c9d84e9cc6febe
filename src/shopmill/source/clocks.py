"""Whether the shop's database cuts days where shopmill does: both know the rules of a time zone, of one age or of two."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from shopmill.engine.identifiers import literal
from shopmill.source.findings import Finding
from shopmill.source.session import Session
from shopmill.zones import EPOCH, SECONDS_OF_A_DAY, begins, other_rules

BEGINS = """
with begin as (
  select day::date as day, extract(epoch from day)::bigint - extract(epoch from day at time zone {zone})::bigint as ahead
  from generate_series(timestamp '{first}', timestamp '{last}', interval '1 day') as day
),
beside as (
  select day, ahead, lag(ahead) over (order by day) as ahead_before
  from begin
)
select day::text, ahead
from beside
where ahead is distinct from ahead_before
order by day
"""
"""How many seconds the zone is ahead of UTC when a day begins: on the first day, and on each on which that has changed."""
DATABASE = "The shop's database"
WAY_OUT = "PostgreSQL's newest minor release or the server's package tzdata"


def refuse_other_rules(source: Session, last: date) -> None:
    """InvalidInputError where a day from SHOPMILL_FIRST_DAY to the last begins at another moment in the database."""
    settings = source.settings
    query = BEGINS.format(zone=literal(settings.time_zone), first=settings.first_day, last=last)
    changes = [(date.fromisoformat(str(day)), int(str(ahead))) for day, ahead in source.answers(query)]
    number = 0
    for day, moment in begins(settings.first_day, last, settings.zone):
        while number + 1 < len(changes) and changes[number + 1][0] <= day:
            number += 1
        if (day.toordinal() - EPOCH) * SECONDS_OF_A_DAY - moment != changes[number][1]:
            raise other_rules(DATABASE, settings.zone, day, WAY_OUT)


def examine_clocks(source: Session) -> Iterator[Finding]:
    """What doctor says of it, for a run of today."""
    today = datetime.now(UTC).astimezone(source.settings.zone).date()
    refuse_other_rules(source, max(today, source.settings.first_day))
    yield Finding("time zone", "ok", f"days of {source.settings.time_zone} begin in the database when they do here")
