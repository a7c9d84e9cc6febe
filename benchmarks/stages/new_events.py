"""One new day of events_and_funnels on top of the version of the day before, beside a full rebuild."""

from datetime import date, timedelta

from benchmarks.shop import AS_OF, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

DATASET = "events_and_funnels"


def one_new_day(place: Place, clock: Clock) -> Results:
    run_dataset(DATASET, place, Clock(), as_of=str(date.fromisoformat(AS_OF) - timedelta(days=1)))
    return run_dataset(DATASET, place, clock)


def all_of_it(place: Place, clock: Clock) -> Results:
    return run_dataset(DATASET, place, clock)


STAGE = Stage(
    name="new_events",
    what="`events_and_funnels`, one new day after two years",
    tables=("events",),
    contenders=(Contender("shopmill, one new day", one_new_day), Contender("shopmill, a full rebuild", all_of_it)),
    compared=(
        Compared("sessions", ("session_id", "session_day")),
        Compared("session_funnel", ("session_id", "session_day")),
        Compared("customer_behaviour", ("customer_id",)),
    ),
)
