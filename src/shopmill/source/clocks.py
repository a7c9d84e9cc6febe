"""Whether the shop's database cuts days where shopmill does: both know the rules of a time zone, of one age or of two."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from shopmill.engine.identifiers import literal
from shopmill.source.findings import Finding
from shopmill.source.session import Session
from shopmill.zones import begins, other_rules

BEGINS = """
select day::date::text, extract(epoch from day at time zone {zone})::bigint
from generate_series(timestamp '{first}', timestamp '{last}', interval '1 day') as day
"""
DATABASE = "The shop's database"
WAY_OUT = "PostgreSQL's newest minor release or the server's package tzdata"


def refuse_other_rules(source: Session, last: date) -> None:
    """InvalidInputError where a day from SHOPMILL_FIRST_DAY to the last begins at another moment in the database."""
    settings = source.settings
    query = BEGINS.format(zone=literal(settings.time_zone), first=settings.first_day, last=last)
    theirs = {str(day): int(str(moment)) for day, moment in source.answers(query)}
    for day, moment in begins(settings.first_day, last, settings.zone):
        if theirs[str(day)] != moment:
            raise other_rules(DATABASE, settings.zone, day, WAY_OUT)


def examine_clocks(source: Session) -> Iterator[Finding]:
    """What doctor says of it, for a run of today."""
    today = datetime.now(UTC).astimezone(source.settings.zone).date()
    refuse_other_rules(source, max(today, source.settings.first_day))
    yield Finding("time zone", "ok", f"days of {source.settings.time_zone} begin in the database when they do here")
