"""What an error of the shop's database means: which of our errors it is, of which table, and what a person can do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from adbc_driver_manager.dbapi import Error as DatabaseError

from shopmill.errors import InvalidInputError, SchemaDriftError, ShopmillError, SourceUnavailableError
from shopmill.personal import shape_of

UNDEFINED = {"42703": "a column", "42P01": "the table"}
INSUFFICIENT_PRIVILEGE = "42501"
TIMEOUTS = {
    "57014": "Let the source role take longer (alter role … set statement_timeout = 0), or run again when it is idle.",
    "55P03": "Another session holds a lock on the table: run again when it has ended.",
    "25P03": "Raise idle_in_transaction_session_timeout for the source role.",
    "25P04": "Raise transaction_timeout for the source role.",
    "40001": "A standby ends reads that its replay waits for: run again, and if it ends again set hot_standby_feedback = on "
    "or raise max_standby_streaming_delay there, or read the primary.",
    "55000": "If it is a materialized view, fill it (refresh materialized view), then run again.",
    "57P01": "The server was stopped, or an administrator ended the session: run again.",
    "53300": "It has no connection left: raise max_connections, or run fewer tasks at once.",
}
"""What a person can do about errors of the server that have nothing to do with the SELECT."""
CONFLICT = "conflict with recovery"
IN_MID_STREAM = {
    "statement timeout": "57014",
    "idle-in-transaction timeout": "25P03",
    "transaction timeout": "25P04",
    CONFLICT: "40001",
    "administrator command": "57P01",
    "invalid byte sequence": "22021",
    "has no equivalent in encoding": "22P05",
    "division by zero": "22012",
    "invalid input syntax": "22P02",
    "out of range": "22003",
    "overflow": "22003",
    "Unicode escape sequence": "22P05",
    "Unicode surrogate": "22P05",
    "cannot cast": "22023",
    "cannot extract": "22023",
    "value too long": "22001",
    "more than one row returned by a subquery": "21000",
    "permission denied": "42501",
}
THE_DATABASE = "the database"
"""What an error is about that comes before any table is read."""
WRONG_VALUES = ("22", "23")
"""Classes of SQLSTATE whose messages quote values, which may be of a person: their shape says as much."""
QUOTED = re.compile('".*"')
WRONG_BYTES = {"22021", "22P05"}
WRONG_SQL = ("0A", "21", "22", "42", "P0")
"""Classes of SQLSTATE: the SELECT is wrong, or cannot be computed from the values there are."""


class UnreadableTextError(InvalidInputError):
    """Text of some column cannot be brought into UTF-8."""


@contextmanager
def explained(table: str) -> Iterator[None]:
    """Database errors inside the block as ours."""
    try:
        yield
    except DatabaseError as error:
        raise explain(table, error) from None


def explain(table: str, error: Exception) -> ShopmillError:
    """A database error as ours, with the table that it concerns."""
    reason = first_line(error)
    state = state_of(reason, getattr(error, "sqlstate", None) or "")
    if state.startswith(WRONG_VALUES) and table != THE_DATABASE:
        reason = QUOTED.sub(lambda found: f"a value like {shape_of(found[0])}", reason)
    if state in UNDEFINED:
        return SchemaDriftError(
            f"{table}: {UNDEFINED[state]} that the mapping reads is missing: {reason}. Change {table}.sql of the mapping."
        )
    if state in WRONG_BYTES and "Unicode" not in reason:
        return UnreadableTextError(f"{table} has text that is not in the encoding of its database: {reason}.")
    if state.startswith(WRONG_SQL):
        return InvalidInputError(_wrong(table, reason, state))
    return SourceUnavailableError(_ended(table, reason, state))


def _ended(table: str, reason: str, state: str) -> str:
    if state in TIMEOUTS:
        return f"Reading {table} was ended by the shop's database: {reason}. {TIMEOUTS[state]}"
    return (
        f"Reading {table} failed: {reason}. Run again; if it fails again, change what {table}.sql of the mapping makes of its "
        "values, or look into the log of the shop's database server."
    )


def state_of(reason: str, state: str = "") -> str:
    """The SQLSTATE. An error in the middle of a stream comes as words alone, and one of a standby with the state of others."""
    if state and CONFLICT not in reason:
        return state
    return next((state for words, state in IN_MID_STREAM.items() if words in reason), "")


def _wrong(table: str, reason: str, state: str) -> str:
    if state == INSUFFICIENT_PRIVILEGE:
        return _not_allowed(table, reason)
    if state in WRONG_BYTES:
        return _no_text(table, reason)
    if table == THE_DATABASE:
        return f"The shop's database cannot be read with these settings: {reason}. Check SHOPMILL_TIME_ZONE."
    return f"{table} cannot be read: {reason}. Change {table}.sql of the mapping."


def _no_text(table: str, reason: str) -> str:
    return (
        f"{table} cannot be read: {reason}, which JSON may hold and no text can. In {table}.sql of the mapping, leave it out: "
        r"regexp_replace(column::text, '\\u(0000|d[89a-f]..)', '', 'gi')::json ->> 'key'."
    )


def _not_allowed(table: str, reason: str) -> str:
    if "row-level security" in reason:
        return (
            f"{table} cannot be read whole: {reason}. Let the source role see all rows (alter role … bypassrls), or set "
            "SHOPMILL_ROW_SECURITY=allow where the policy is what makes this shop."
        )
    if "for schema" in reason:
        return f"{table} cannot be read: {reason}. Grant the source role usage on that schema."
    return f"{table} cannot be read: {reason}. Grant the source role SELECT on it."


def first_line(error: Exception) -> str:
    """What the server said, where it said something: the driver may repeat the whole query before it."""
    text = str(error)
    said = re.search("(?:ERROR|FATAL):  (.+)", text)
    lines = [said[1]] if said else [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
