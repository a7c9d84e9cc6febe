"""Visits to the shop, how far they got on the way to a purchase, and what each customer did of late.

**Visitor**: whose events are followed: the visitor_id, else the tracker's session_id, else the customer (`visitor_key`
says which). **User**: the customer whose session it is, or the visitor while nobody is known (`user_id`: `customer:...`
or `visitor:...`). Who a visitor is, the parameter stitching says:

- `session`: a visit belongs to the customer who logged in during it, from its first event to its last, also after a
  logout. Where another customer logs in, another visit begins. A visit without a login belongs to nobody.
- `visitor`: besides, a visit without a login belongs to the customer who logged in last before it with the same
  visitor_id, however long ago. A later login says nothing of earlier visits. `identified_by` tells the two apart.
- `none`: the user is the customer, or the tracker's session (else the visitor_id) when nobody is logged in. A visitor who
  logs in half-way counts as two users.

Nothing that happens at or after as_of decides whose a session is. Until the login, a session that is still open belongs
to the visitor; its session_id stays. A visitor_id that many share ties strangers together: the run warns of one
that has most of the events, or more than 10 customers.

**Session**: a visitor's events with at most 30 minutes (session_gap_minutes) from one to the next; exactly 30 minutes
does not split, a microsecond more does, midnight does not. A visit that lasts longer than 24 hours (max_session_hours) is cut
every 24 hours after its start: its parts are sessions, numbered by `part_number`, and each says `is_cut`. Of events at the
same instant the earlier step goes first: view, click, add_to_cart, remove_from_cart, checkout, purchase, any other; then
by event_id. `session_id` is an MD5 of `visitor_key` and the first event_id, so it stays as long as the session's start
stays. Of a visit that was cut, a part belongs to the customer who logged in by its end.
A shop that uses an event_id again after duplicate_hours (warned about) may have two sessions of one id, on different days:
join by `session_id` and `session_day`.

**Event types** may be in any case and in the words of a tracker: SHOPMILL_EVENT_VOCABULARY and SHOPMILL_EVENT_TYPES say
which (see docs/trackers.md). Types that are not known are kept in sessions (`other_count`), outside the funnel, and
warned about with their numbers; when all are unknown, nothing is published.

**Bots**: a session `is_bot` when one of its events has a user_agent that the library crawlerdetect knows. Without any
user_agent it is one when its events of known types lie in more than 180 different minutes (bot_minutes), or more than 300
of them in one minute of the clock (bot_events_per_minute): nobody shops for hours without a pause. What follows a bot's
session in a visit that was cut is a bot's too. Bots are in `sessions` and `session_funnel`; `funnel_daily` and
`customer_behaviour` leave them out, unless include_bots.

**Funnel**: view > add_to_cart > checkout > purchase, in one of three modes (funnel_mode):

- `ordered`: a step is reached by the first event of its type after the event that reached the step before; whatever
  lies between does not matter. A purchase without a view reaches nothing.
- `strict`: the steps follow each other with no other step between them. A step that repeats at once counts as one, and
  what is no step (clicks, removals, unknown types) does not matter. Of several attempts the furthest counts, else the first.
- `any`: a step is reached once the session has had an event of it and of every step before it, in whatever order.

**Late events** may come up to 3 days (late_days) after they happened. They reopen, lengthen or merge the sessions they
belong to, and the tables are then what they would be had nothing come late: a version is a function of the events that the
shop has, not of when they came or how they were split into runs. A session `is_open` when an event at as_of would still
join it, and its funnel `is_mature` once no event within the limit can change it; `funnel_daily` counts the two apart.
SHOPMILL_LOOKBACK_DAYS must be no less than late_days, or late events are not read.

What depends on arrival is kept apart, in `session_history`: how many events joined a published session late
(`n_late_events`), and for an id that a version published and that no longer exists (`superseded_by`) the session that now holds its
start. Join it by session_id; sessions that are not in it had no late events. Its rows stay for good. It is the one table
that a full rebuild from nothing does not have, for it has no arrivals to report. In a visit that was cut, late events are
counted with the part in which they fell when they came.

**Duplicates**: an event whose event_id was there in the 24 hours (duplicate_hours) before it was sent again: the first in
time is kept, the others are rejects and counted there. Events without event_id, time or user are rejects too.

**Windows** of `customer_behaviour` count the sessions that started in [as_of - w, as_of), each as a whole: the edge of a
window never parts a purchase from its views. Customers with no session in 30 days are not in it.

A run reads the days that changed and computes the sessions of visitors with new events, from the earliest of these on, and
the counts of customers with a session that came, changed or fell out of a window; all others are taken from the version
before, whole files of days where nothing can have changed.
"""

from datetime import timedelta
from pathlib import Path

from shopmill.datasets.events_and_funnels.margins import margins, reach_days, warm_up_days
from shopmill.datasets.events_and_funnels.tables import (
    CUSTOMER_BEHAVIOUR,
    FUNNEL_DAILY,
    ON_THE_WAY,
    RATES,
    SESSION_FUNNEL,
    SESSION_HISTORY,
    SESSIONS,
    repeated_values,
)
from shopmill.declaration import REJECTS, Dataset, Incremental, Input, Measure, Parameter, Promise, QueryCheck, Task
from shopmill.source.currencies import one_currency

STITCHINGS = ("session", "visitor", "none")
FUNNEL_MODES = ("ordered", "strict", "any")

DATASET = Dataset(
    name="events_and_funnels",
    title="Events and funnels",
    owner="ml-platform",
    promise=Promise(within=timedelta(minutes=30), age=timedelta(minutes=45), every=timedelta(minutes=15)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    values=repeated_values(),
    extracts={"ingest": (Input("events", is_fresh=True), Input("exchange_rates", optional=True))},
    tasks=(
        Task("sessionise", (*(table.name for table in ON_THE_WAY), "sessions", "session_history", "rates", "rejects")),
        Task("session_funnel", ("session_funnel", "funnel_daily")),
        Task("customer_behaviour", ("customer_behaviour",)),
    ),
    tables=(SESSIONS, SESSION_HISTORY, SESSION_FUNNEL, FUNNEL_DAILY, CUSTOMER_BEHAVIOUR, RATES, REJECTS, *ON_THE_WAY),
    parameters=(
        Parameter("session_gap_minutes", "integer", 30, "longest pause within a session, in minutes", 1, 240),
        Parameter("max_session_hours", "integer", 24, "hours after which a visit is cut", 1, 24),
        Parameter("duplicate_hours", "integer", 24, "hours within which an event_id sent again is a duplicate", 0, 24),
        Parameter("fresh_days", "integer", 1, "age of the newest events in days above which a run warns", 0, 36500),
        Parameter("late_days", "integer", 3, "days that an event may come late", 0, 30),
        Parameter(
            "funnel_mode", "text", "ordered", "how the steps of a funnel follow each other", choices=FUNNEL_MODES
        ),
        Parameter(
            "stitching", "text", "session", "whose a session is when somebody logs in half-way", choices=STITCHINGS
        ),
        Parameter("include_bots", "boolean", False, "whether funnel_daily and customer_behaviour count bots as well"),
        Parameter(
            "bot_minutes", "integer", 180, "different minutes of one session beyond which it is a bot's", 10, 1440
        ),
        Parameter(
            "bot_events_per_minute", "integer", 300, "events of one minute beyond which a session is a bot's", 10
        ),
        Parameter("max_session_events", "integer", 10_000, "events beyond which a session is warned about", 1),
    ),
    checks=(
        one_currency("events", "event_value is not null"),
        QueryCheck(
            "no event lost",
            "every event before as_of is in one session or rejected",
        ),
        QueryCheck("event_id unique", "an event_id is in sessions once within duplicate_hours"),
        QueryCheck("event_id not used again", "no event_id comes again later", severity="warn"),
        QueryCheck(
            "a funnel for each session",
            "session_funnel has the sessions of sessions, on the days whose sessions were computed",
        ),
        QueryCheck("visitors told apart", "no visitor has most of the events or many customers", severity="warn"),
        QueryCheck("event types known", "new events are of a known type", severity="warn"),
        QueryCheck("a type that is known", "not all events are of types that are not known"),
    ),
    measures=(
        Measure(
            "late_events",
            "events that the previous version should have had",
        ),
    ),
    packages=("crawlerdetect",),
    incremental=Incremental(
        facts=("events",),
        period="day",
        reach_days=reach_days,
        # Sessions that were not mature, or still open, may be now: they ended at most late_days and a pause before.
        settling_days=lambda parameters: int(parameters["late_days"]) + reach_days(parameters),
        warm_up_days=warm_up_days,
        margins=margins,
        rebuild_when=QueryCheck("rates changed", "no exchange rate of the past changed"),
    ),
)
