"""One new day of timeseries on top of the version of the day before, beside a full rebuild."""

from datetime import date, timedelta

from benchmarks.shop import AS_OF, run_dataset
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

DATASET = "timeseries"


def one_new_day(place: Place, clock: Clock) -> Results:
    run_dataset(DATASET, place, Clock(), as_of=str(date.fromisoformat(AS_OF) - timedelta(days=1)))
    return run_dataset(DATASET, place, clock)


def all_of_it(place: Place, clock: Clock) -> Results:
    return run_dataset(DATASET, place, clock)


STAGE = Stage(
    name="new_day",
    what="`timeseries`, one new day after two years",
    tables=("transactions", "articles", "promotions"),
    contenders=(Contender("shopmill, one new day", one_new_day), Contender("shopmill, a full rebuild", all_of_it)),
    compared=tuple(
        Compared(f"{level}_{step}", ("unique_id", "ds"))
        for level in ("article", "category")
        for step in ("daily", "weekly")
    ),
)
