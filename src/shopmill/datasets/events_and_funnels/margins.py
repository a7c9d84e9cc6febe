"""How far back a changed event reaches: what an incremental run must read and compute again, by the parameters."""

from collections.abc import Mapping

from shopmill.declaration import Value

SPARE_HOURS = 1
"""A local day may have 23 hours."""


def margins(parameters: Mapping[str, Value]) -> Mapping[str, int]:
    """What SQL may name.

    A session that a changed event joins started at most max_session_hours and a pause before it. Whether an event in such
    a session is a duplicate depends on those of the duplicate_hours before.
    """
    pause_hours = -(-int(parameters["session_gap_minutes"]) // 60)
    session = int(parameters["max_session_hours"]) + pause_hours + SPARE_HOURS
    event = session + int(parameters["duplicate_hours"])
    return {"session_reach_hours": session, "event_reach_hours": event, "reach_days": _days(session)}


def reach_days(parameters: Mapping[str, Value]) -> int:
    """The days before a changed one whose sessions may change with it."""
    return margins(parameters)["reach_days"]


def warm_up_days(parameters: Mapping[str, Value]) -> int:
    """The days before these whose events are read, to know duplicates."""
    return _days(margins(parameters)["event_reach_hours"]) - reach_days(parameters)


def _days(hours: int) -> int:
    return -(-hours // 24)
