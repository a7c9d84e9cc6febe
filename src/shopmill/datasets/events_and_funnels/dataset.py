"""Visits to the shop, how far they got on the way to a purchase, and what each customer did of late.

**User**: the customer, or the tracker's session when nobody was logged in (`user_id` says which: `customer:...` or
`visitor:...`). Who logs in half-way is two users.

**Session**: a user's events with at most 30 minutes (session_gap_minutes) from one to the next; exactly 30 minutes does
not split, a microsecond more does, midnight does not. A visit that lasts longer than 24 hours (max_session_hours) is cut
every 24 hours after its start: its parts are sessions, numbered by `part_number`, and each says `is_cut`. Of events at the
same instant the earlier step goes first: view, click, add_to_cart, remove_from_cart, checkout, purchase, any other; then
by event_id. `session_id` is an MD5 of the user and the first event_id, so it stays as long as the session's start stays.
A shop that uses an event_id again after duplicate_hours (warned about) may have two sessions of one id, on different days:
join by `session_id` and `session_day`.
Event types that are not known are kept in sessions (`other_count`), outside the funnel, and warned about.

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
(`n_late_events`), and for an id that a version published and that is gone (`superseded_by`) the session that now holds its
start. Join it by session_id; sessions that are not in it had no late events. Its rows stay for good. It is the one table
that a full rebuild from nothing does not have, for it has no arrivals to tell of. In a visit that was cut, late events are
counted with the part in which they fell when they came.

**Duplicates**: an event whose event_id was there in the 24 hours (duplicate_hours) before it was sent again: the first in
time is kept, the others are rejects and counted there. Events without event_id, time or user are rejects too.

**Windows** of `customer_behaviour` count the sessions that started in [as_of - w, as_of), each as a whole: the edge of a
window never parts a purchase from its views. Customers with no session in 30 days are not in it.

A run reads the days that changed and computes the sessions of users with new events, from the earliest of these on, and
the counts of customers with a session that came, changed or fell out of a window; all others are taken from the version
before, whole files of days where nothing can have changed.
"""

from datetime import timedelta
from pathlib import Path

from shopmill.declaration import (
    REJECTS,
    Column,
    Dataset,
    Incremental,
    Input,
    Measure,
    Parameter,
    Promise,
    QueryCheck,
    RowCheck,
    Table,
    Task,
)

EVENT_TYPES = ("view", "click", "add_to_cart", "remove_from_cart", "checkout", "purchase")
STEPS = ("view", "add_to_cart", "checkout", "purchase")
USED_TWICE = """
select count(*) as violations, count(*) || ' events have the event_id of another' as detail
from (
  select epoch_us(event_at) - epoch_us(lag(event_at) over (partition by event_id order by event_at)) as since_last_us
  from session_events
  where event_id in (select event_id from session_events group by event_id having count(*) > 1)
) as again
where since_last_us {rule} $duplicate_hours * 3600000000
"""


def _count(name: str, meaning: str, unit: str = "events") -> Column:
    return Column(name, "bigint", meaning, unit, minimum=0)


def _seconds(step: str) -> Column:
    meaning = f"from the start of the session to the step {step}, null when it was not reached"
    return Column(f"seconds_to_{step}", "decimal(18,6)", meaning, "seconds", required=False, minimum=0)


def _rate(name: str, meaning: str, maximum: float | None = 1) -> Column:
    return Column(name, "double", meaning, "share", required=False, minimum=0, maximum=maximum)


SESSION_KEY = (
    Column("session_id", "varchar", "MD5 of user and first event_id"),
    Column("session_day", "date", "day on which the session started, in the shop's time zone"),
    Column("user_id", "varchar", "customer:<customer_id>, or visitor:<tracker's session> when not logged in"),
)
CUSTOMER = Column("customer_id", "varchar", "customer as the shop names it, null when not logged in", required=False)

SESSIONS = Table(
    name="sessions",
    grain="one row per session, a user's events without a pause of more than session_gap_minutes",
    key=("session_id", "session_day"),
    partition_by="session_day",
    narrowed_by="session_days",
    columns=(
        *SESSION_KEY,
        CUSTOMER,
        Column("started_at", "timestamptz", "first event"),
        Column("ended_at", "timestamptz", "last event"),
        Column("duration_s", "decimal(18,6)", "ended_at minus started_at", "seconds", minimum=0),
        _count("event_count", "events of any type"),
        *(_count(f"{kind}_count", f"events of type {kind}") for kind in EVENT_TYPES),
        _count("other_count", "events of types that are not known"),
        _count("article_count", "distinct articles", "articles"),
        Column("purchase_value_sum", "decimal(38,6)", "event_value of the purchases", "the shop's currency"),
        Column("first_event_type", "varchar", "type of the first event"),
        Column("last_event_type", "varchar", "type of the last event"),
        Column("first_event_id", "varchar", "event_id of the first event"),
        Column("is_bounce", "boolean", "whether there was one event only"),
        Column("is_converted", "boolean", "whether there was a purchase"),
        Column("is_open", "boolean", "whether an event at as_of would join the session"),
        Column("is_cut", "boolean", "whether it is a part of a visit longer than max_session_hours"),
        Column("part_number", "integer", "number of the part, from 1", minimum=1),
        Column("visit_started_at", "timestamptz", "start of the visit that the session is or is a part of"),
    ),
    checks=(
        RowCheck("in order", "started_at <= ended_at and visit_started_at <= started_at", "times are in order"),
        RowCheck("nothing from the future", "ended_at < $as_of_at", "no event is dated at or after as_of"),
        RowCheck("not too long", "duration_s <= $max_session_hours * 3600", "long visits are cut"),
        RowCheck("has an event", "event_count > 0", "a session is there because of an event"),
        RowCheck(
            "counts add up",
            "event_count = " + " + ".join(f"{kind}_count" for kind in EVENT_TYPES) + " + other_count",
            "event_count is the sum of the counts by type",
        ),
        RowCheck("not too many events", "event_count <= $max_session_events", "a person, not a robot", "warn"),
    ),
)

SESSION_HISTORY = Table(
    name="session_history",
    grain="one row per session_id that a version published and that late events changed",
    key=("session_id", "session_day"),
    partition_by="session_day",
    narrowed_by="session_days",
    columns=(
        *SESSION_KEY,
        Column("started_at", "timestamptz", "first event of the session, of a superseded one as it was"),
        _count("n_late_events", "events that came after a version of a later as_of; 0 when superseded"),
        Column(
            "superseded_by",
            "varchar",
            "session that now holds its start; null while it is itself in sessions, or when its events were deleted",
            required=False,
        ),
    ),
    may_be_empty=True,
)

SESSION_FUNNEL = Table(
    name="session_funnel",
    grain="one row per session",
    key=("session_id", "session_day"),
    partition_by="session_day",
    narrowed_by="funnel_days",
    columns=(
        *SESSION_KEY,
        CUSTOMER,
        _count("event_count", "events of any type"),
        Column("furthest_step_number", "integer", "0 none, 1 view ... 4 purchase", minimum=0, maximum=4),
        Column("furthest_step", "varchar", "furthest step in funnel_mode", allowed=("none", *STEPS)),
        *(_seconds(step) for step in STEPS),
        Column("is_mature", "boolean", "whether no event within late_days can change it"),
    ),
    checks=(
        RowCheck(
            "steps in order",
            " and ".join(
                f"({late} is null or ({early} is not null and {early} <= {late}))"
                for early, late in zip(
                    [f"seconds_to_{step}" for step in STEPS], [f"seconds_to_{step}" for step in STEPS[1:]], strict=False
                )
            ),
            "no step is reached before the one before it",
        ),
    ),
)

FUNNEL_DAILY = Table(
    name="funnel_daily",
    grain="one row per day of start, mature sessions apart from those that may still change",
    key=("session_day", "is_mature"),
    narrowed_by="funnel_days",
    columns=(
        Column("session_day", "date", "day on which the sessions started, in the shop's time zone"),
        Column("is_mature", "boolean", "whether no event within late_days can change the sessions"),
        Column("session_count", "bigint", "sessions", "sessions", minimum=1),
        _count("event_count", "their events"),
        *(_count(f"{step}_session_count", f"sessions that reached {step} or more", "sessions") for step in STEPS),
        _rate("session_to_view_rate", "of the sessions, those that reached view"),
        _rate("view_to_cart_rate", "of those that reached view, those that reached add_to_cart"),
        _rate("cart_to_checkout_rate", "of those that reached add_to_cart, those that reached checkout"),
        _rate("checkout_to_purchase_rate", "of those that reached checkout, those that reached purchase"),
        _rate("session_to_purchase_rate", "of the sessions, those that reached purchase"),
    ),
    checks=(
        RowCheck(
            "never growing",
            "session_count >= view_session_count and view_session_count >= add_to_cart_session_count "
            "and add_to_cart_session_count >= checkout_session_count "
            "and checkout_session_count >= purchase_session_count",
            "no step has more sessions than the one before it",
        ),
    ),
)


def _behaviour(days: int) -> tuple[Column, ...]:
    counted = ("event", "view", "click", "add_to_cart", "checkout", "purchase")
    return (
        _count(f"session_count_{days}d", f"sessions that started in the last {days} days", "sessions"),
        *(
            _count(f"{kind}_count_{days}d", f"{kind} events in them".replace("event events", "events"))
            for kind in counted
        ),
        Column(f"purchase_value_sum_{days}d", "decimal(38,6)", "event_value of their purchases", "the shop's currency"),
        _count(f"converted_session_count_{days}d", "of them, those with a purchase", "sessions"),
        _rate(f"view_to_cart_rate_{days}d", "add_to_cart per view, null without a view", None),
        _rate(f"cart_to_purchase_rate_{days}d", "purchase per add_to_cart, null without one", None),
        _rate(f"conversion_rate_{days}d", "share of sessions with a purchase, null without a session"),
    )


CUSTOMER_BEHAVIOUR = Table(
    name="customer_behaviour",
    grain="one row per customer with a session that started in the last 30 days before as_of",
    key=("customer_id",),
    columns=(
        Column("customer_id", "varchar", "customer as the shop names it"),
        Column("last_event_at", "timestamptz", "last event of the customer"),
        *(column for days in (1, 7, 30) for column in _behaviour(days)),
    ),
    checks=(
        RowCheck(
            "windows nested",
            "event_count_1d <= event_count_7d and event_count_7d <= event_count_30d",
            "a longer window has no fewer events",
        ),
    ),
    may_be_empty=True,
)

EVENT = (
    Column("event_id", "varchar", "event"),
    Column("user_id", "varchar", "its user"),
    Column("event_at", "timestamptz", "its time"),
)
EVENT_DETAILS = (
    Column("customer_id", "varchar", "its customer", required=False),
    Column("article_id", "varchar", "its article", required=False),
    Column("event_type", "varchar", "its type"),
    Column("event_value", "decimal(18,6)", "its value", required=False),
)
ON_THE_WAY = (
    Table(
        name="altered_events",
        grain="one row per event before the as_of of the version that is continued which is new or gone",
        columns=(*EVENT, Column("change", "bigint", "how many came, negative when they went", "events")),
        published=False,
    ),
    Table(
        name="repeated_events",
        grain="one row per event whose event_id is there more than once, or was altered",
        columns=(
            *EVENT,
            *EVENT_DETAILS,
            Column("source_row", "varchar", "the row as JSON"),
            Column("is_duplicate", "boolean", "whether it follows another within duplicate_hours"),
        ),
        published=False,
    ),
    Table(
        name="touched_users",
        grain="one row per user whose sessions are computed",
        columns=(
            Column("user_id", "varchar", "user"),
            Column("from_at", "timestamptz", "from when on they are computed"),
        ),
        published=False,
    ),
    Table(
        name="session_events",
        grain="one row per event of a session that is computed",
        columns=(
            *EVENT,
            *EVENT_DETAILS,
            Column("visit_started_at", "timestamptz", "start of its visit"),
            Column("part_number", "integer", "part of the visit"),
            Column("event_number", "bigint", "its place among the user's events"),
        ),
        published=False,
    ),
    Table(
        name="session_days",
        grain="one row per day with a session that may differ from the version before",
        columns=(Column("day", "date", "the day on which it starts, or started"),),
        published=False,
    ),
    Table(
        name="funnel_days",
        grain="one row per day with a session whose funnel may differ from the version before",
        columns=(Column("day", "date", "the day on which it starts, or started"),),
        published=False,
    ),
)

DATASET = Dataset(
    name="events_and_funnels",
    title="Events and funnels",
    owner="ml-platform",
    promise=Promise(within=timedelta(minutes=30), age=timedelta(minutes=45)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    extracts={"ingest": (Input("events", fresh_days=1),)},
    tasks=(
        Task("sessionise", (*(table.name for table in ON_THE_WAY), "sessions", "session_history", "rejects")),
        Task("session_funnel", ("session_funnel", "funnel_daily")),
        Task("customer_behaviour", ("customer_behaviour",)),
    ),
    tables=(SESSIONS, SESSION_HISTORY, SESSION_FUNNEL, FUNNEL_DAILY, CUSTOMER_BEHAVIOUR, REJECTS, *ON_THE_WAY),
    parameters=(
        Parameter("session_gap_minutes", "integer", 30, "longest pause within a session, in minutes", 1, 240),
        Parameter("max_session_hours", "integer", 24, "hours after which a visit is cut", 1, 24),
        Parameter("duplicate_hours", "integer", 24, "hours within which an event_id sent again is a duplicate", 0, 24),
        Parameter("late_days", "integer", 3, "days that an event may come late", 0, 30),
        Parameter("funnel_mode", "text", "ordered", "how steps follow each other: ordered, strict or any"),
        Parameter("max_session_events", "integer", 10_000, "events beyond which a session is warned about", 1),
    ),
    checks=(
        QueryCheck(
            "no event lost",
            """
            select
              abs(found - expected) as violations,
              found || ' events in sessions or rejected, ' || expected || ' in the source' as detail
            from (
              select
                (select coalesce(sum(event_count), 0) from funnel_daily) + (select count(*) from rejects) as found,
                (select row_count from input_rows where table_name = 'events') as expected
            ) as counts
            """,
            "every event before as_of is in one session or rejected",
        ),
        QueryCheck(
            "funnel mode known",
            "select case when $funnel_mode in ('ordered', 'strict', 'any') then 0 else 1 end as violations",
            "funnel_mode is ordered, strict or any",
        ),
        QueryCheck(
            "event_id unique", USED_TWICE.format(rule="<="), "an event_id is in sessions once within duplicate_hours"
        ),
        QueryCheck(
            "event_id not used again", USED_TWICE.format(rule=">"), "no event_id comes again later", severity="warn"
        ),
        QueryCheck(
            "a funnel for each session",
            """
            select count(*) as violations
            from (select session_id, session_day, event_count from sessions) as one
            full join (
              select session_id, session_day, event_count
              from session_funnel
              where session_day in (select day from session_days)
            ) as other
              on one.session_id = other.session_id and one.session_day = other.session_day and one.event_count = other.event_count
            where one.session_id is null or other.session_id is null
            """,
            "session_funnel has the sessions of sessions, on the days whose sessions were computed",
        ),
        QueryCheck(
            "event types known",
            """
            select count(*) as violations, count(*) || ' new events of types that are not known, such as ' || min(event_type) as detail
            from session_events
            where event_type not in ('view', 'click', 'add_to_cart', 'remove_from_cart', 'checkout', 'purchase')
            """,
            "events are of a known type",
            severity="warn",
        ),
    ),
    measures=(
        Measure(
            "late_events",
            "select coalesce(sum(change), 0) as value from altered_events where change > 0",
            "events that the version before should have had",
        ),
    ),
    incremental=Incremental(
        facts=("events",),
        period="day",
        # A session that a changed event joins started at most max_session_hours and a pause before it: two days.
        reach_days=2,
        # Sessions that were not mature, or still open, may be now: they ended at most late_days and a pause before.
        settling_days=lambda parameters: int(parameters["late_days"]) + 2,
        # Duplicates are found by what came in the duplicate_hours before.
        warm_up_days=1,
    ),
)
