"""The tables of events_and_funnels: what is published, then what is computed on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shopmill.declaration import Column, RowCheck, Table
from shopmill.vocabulary import EVENT_TYPES, STAND_INS

STEPS = ("view", "add_to_cart", "checkout", "purchase")


def _count(name: str, meaning: str, unit: str = "events") -> Column:
    return Column(name, "bigint", meaning, unit, minimum=0)


def _seconds(step: str) -> Column:
    meaning = f"from the start of the session to the step {step}, null when it was not reached"
    return Column(f"seconds_to_{step}", "decimal(18,6)", meaning, "seconds", required=False, minimum=0)


def _rate(name: str, meaning: str, maximum: float | None = 1) -> Column:
    return Column(name, "double", meaning, "share", required=False, minimum=0, maximum=maximum)


SESSION_KEY = (
    Column("session_id", "varchar", "MD5 of visitor_key and first event_id"),
    Column("session_day", "date", "day on which the session started, in the shop's time zone"),
    Column("user_id", "varchar", "customer:<customer_id>, or visitor:<visitor_id or tracker's session> when unknown"),
)
CUSTOMER = Column("customer_id", "varchar", "customer whose session it is, null when unknown", required=False)
VISITOR = Column(
    "visitor_key",
    "varchar",
    "as whom the events were followed: visitor_id:<visitor_id>, visitor:<tracker's session> or customer:<customer_id>",
)
IS_BOT = Column("is_bot", "boolean", "whether a program made the events, not a person")

SESSIONS = Table(
    name="sessions",
    grain="one row per session, a visitor's events without a pause of more than session_gap_minutes or another login",
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
        VISITOR,
        Column(
            "identified_by",
            "varchar",
            "how the customer is known: a login in the visit, or an earlier one of the visitor; null when unknown",
            required=False,
            allowed=("login", "visitor"),
        ),
        IS_BOT,
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
        VISITOR,
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
        IS_BOT,
        _count("other_count", "events of types that are not known"),
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
        Column("session_count", "bigint", "sessions, without those of bots unless include_bots", "sessions", minimum=0),
        _count("event_count", "their events"),
        *(_count(f"{step}_session_count", f"sessions that reached {step} or more", "sessions") for step in STEPS),
        _rate("session_to_view_rate", "of the sessions, those that reached view"),
        _rate("view_to_cart_rate", "of those that reached view, those that reached add_to_cart"),
        _rate("cart_to_checkout_rate", "of those that reached add_to_cart, those that reached checkout"),
        _rate("checkout_to_purchase_rate", "of those that reached checkout, those that reached purchase"),
        _rate("session_to_purchase_rate", "of the sessions, those that reached purchase"),
        _count("other_event_count", "of their events, those of types that are not known"),
        _count("bot_session_count", "sessions of bots that are not counted", "sessions"),
        _count("bot_event_count", "their events"),
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


RATES = Table(
    name="rates",
    grain="one row per currency and day of an exchange rate",
    key=("currency", "day"),
    columns=(
        Column("currency", "varchar", "currency of events"),
        Column("day", "date", "day from which on the rate counts"),
        Column("rate", "decimal(18,10)", "worth of one unit of it", "the shop's currency"),
    ),
    may_be_empty=True,
)

BEHAVIOUR_DAYS = (1, 7, 30)
COUNTED = ("event", "view", "click", "add_to_cart", "checkout", "purchase")


@dataclass(frozen=True)
class Window:
    """Days before as_of whose sessions are counted, in the units of the SQL."""

    days: int

    @property
    def name(self) -> str:
        """As columns are named after it."""
        return f"{self.days}d"

    @property
    def hours(self) -> int:
        """Its length: 24 hours a day, whatever the clocks do."""
        return self.days * 24

    @property
    def microseconds(self) -> int:
        """Its length."""
        return self.hours * 3_600_000_000


def repeated_values() -> Mapping[str, Any]:
    """What the SQL repeats: event types, and windows of customer_behaviour."""
    counts = tuple(f"{kind}_count" for kind in COUNTED)
    *shorter, longest = (Window(days) for days in sorted(BEHAVIOUR_DAYS))
    return {
        "windows": (*shorter, longest),
        "shorter_windows": shorter,
        "longest_window": longest,
        "counts": counts,
        "ordered_types": ordered_types(),
        "stand_ins": STAND_INS,
        "places": tuple(range(1, 11)),
        "measures": ("session_count", *counts, "purchase_value_sum", "converted_session_count"),
    }


def _behaviour(days: int) -> tuple[Column, ...]:
    return (
        _count(f"session_count_{days}d", f"sessions that started in the last {days} days", "sessions"),
        *(
            _count(f"{kind}_count_{days}d", f"{kind} events in them".replace("event events", "events"))
            for kind in COUNTED
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
    split_by="customer_id",
    columns=(
        Column("customer_id", "varchar", "customer as the shop names it"),
        Column("last_event_at", "timestamptz", "last event of the customer"),
        *(column for days in BEHAVIOUR_DAYS for column in _behaviour(days)),
    ),
    checks=(
        RowCheck(
            "windows nested",
            " and ".join(
                f"event_count_{short}d <= event_count_{long}d" for short, long in pairwise(sorted(BEHAVIOUR_DAYS))
            ),
            "a longer window has no fewer events",
        ),
    ),
    may_be_empty=True,
)

_LATER = ("user_id", "duration_s", "is_bounce", "is_converted", "is_open")
"""What sessions.sql derives from the other columns, and from as_of."""


@dataclass(frozen=True)
class Step:
    """An event type and its place among events of one instant."""

    name: str
    place: int


def ordered_types() -> tuple[Step, ...]:
    """The known event types in the order in which they count where they are of one instant."""
    return tuple(Step(name, place) for place, name in enumerate(EVENT_TYPES, 1))


EVENT = (
    Column("event_id", "varchar", "event"),
    VISITOR,
    Column("event_at", "timestamptz", "its time"),
)
TYPE_ORDER = Column("type_order", "integer", "place of its type among events of one instant")
EVENT_DETAILS = (
    Column("customer_id", "varchar", "its customer", required=False),
    Column("article_id", "varchar", "its article", required=False),
    Column("event_type", "varchar", "its type"),
    Column("event_value", "decimal(18,6)", "its value", required=False),
    Column("user_agent", "varchar", "what the browser calls itself", required=False),
)
VISIT = (
    Column("visit_number", "bigint", "visit of the visitor, 0 for one that goes on from before"),
    Column("visit_started_at", "timestamptz", "start of the visit"),
    Column("part_number", "integer", "part of the visit"),
)
ON_THE_WAY = (
    Table(
        name="altered_events",
        grain="one row per event before the as_of of the previous version which is new or no longer in the source",
        columns=(*EVENT, TYPE_ORDER, Column("change", "bigint", "how many came, negative when they went", "events")),
        published=False,
    ),
    Table(
        name="repeated_events",
        grain="one row per event whose event_id is there more than once, or was altered",
        columns=(
            *EVENT,
            *EVENT_DETAILS,
            TYPE_ORDER,
            Column("source_row", "varchar", "the row as JSON"),
            Column("is_duplicate", "boolean", "whether it follows another within duplicate_hours"),
        ),
        published=False,
    ),
    Table(
        name="touched_visitors",
        grain="one row per visitor whose sessions are computed by an incremental run",
        columns=(
            VISITOR,
            Column("from_at", "timestamptz", "from when on they are computed"),
            Column("from_place", "varchar", "from which event of that instant on"),
        ),
        published=False,
    ),
    Table(
        name="session_events",
        grain="one row per event of a session that is computed",
        split_by=VISITOR.name,
        columns=(
            *EVENT,
            *EVENT_DETAILS,
            *VISIT,
            Column("event_number", "bigint", "its place among the visitor's events"),
        ),
        published=False,
    ),
    Table(
        name="user_agents",
        grain="one row per user_agent of these events",
        columns=(
            Column("user_agent", "varchar", "what the browser calls itself"),
            Column("is_crawler", "boolean", "whether it is known for a crawler"),
        ),
        published=False,
        function="shopmill.datasets.events_and_funnels.crawlers:recognise",
    ),
    Table(
        name="computed_sessions",
        grain="one row per session that is computed",
        split_by=VISITOR.name,
        columns=(
            *(column for column in SESSIONS.columns if column.name not in _LATER),
            VISIT[0],
            Column("is_last", "boolean", "whether it is the visitor's last"),
        ),
        published=False,
    ),
    Table(
        name="session_days",
        grain="one row per day with a session that may differ from the previous version",
        columns=(Column("day", "date", "the day on which it starts, or started"),),
        published=False,
    ),
    Table(
        name="funnel_days",
        grain="one row per day with a session whose funnel may differ from the previous version",
        columns=(Column("day", "date", "the day on which it starts, or started"),),
        published=False,
    ),
)
