"""Parameters and settings that cannot all be meant: refused in one sentence, before a row is read."""

from collections.abc import Mapping
from decimal import Decimal

from shopmill.asof import AsOf
from shopmill.declaration import Dataset, Value
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings

# What may not be more than what, in how many parts of its unit, and what would be so if it were.
ORDERED = (
    ("fresh_days", "stale_days", 1, "nothing is published before anybody is warned"),
    ("warn_drift", "max_drift", 1, "nothing is published before anybody is warned"),
    ("session_gap_minutes", "max_session_hours", 60, "every visit is cut before such a pause ends"),
)


def refuse_contradictions(dataset: Dataset, as_of: AsOf, parameters: Mapping[str, Value], settings: Settings) -> None:
    """InvalidInputError for the first contradiction, with the way out."""
    _refuse_later_than_read(parameters, settings)
    _refuse_before_first_day(as_of, settings)
    for low, high, parts, otherwise in ORDERED:
        _refuse_more(parameters, low, high, parts, otherwise)
    day = as_of.day(settings.zone)
    dataset.lookups({**parameters, "as_of": day, "since": day})  # what it makes of its parameters is refused by itself


def _refuse_later_than_read(parameters: Mapping[str, Value], settings: Settings) -> None:
    """What comes later than the lookback is never read, so no dataset can wait for it."""
    late = parameters.get("late_days", 0)
    if int(late) > settings.lookback_days:
        raise InvalidInputError(
            f"late_days={late} is more than SHOPMILL_LOOKBACK_DAYS={settings.lookback_days}: later events would not be read. "
            "Raise the setting, or lower the parameter."
        )


def _refuse_before_first_day(as_of: AsOf, settings: Settings) -> None:
    if as_of.day(settings.zone) <= settings.first_day:
        raise InvalidInputError(
            f"as_of {as_of.label} is not after SHOPMILL_FIRST_DAY={settings.first_day}: every row before it would be rejected. "
            "Give a later as_of, or set first_day to the day of the shop's first sale."
        )


def _refuse_more(parameters: Mapping[str, Value], low: str, high: str, parts: int, otherwise: str) -> None:
    if low not in parameters or high not in parameters:
        return
    least, most = Decimal(parameters[low]), Decimal(parameters[high])
    never_blocks = high == "max_drift" and not most
    if least > most * parts and not never_blocks:
        raise InvalidInputError(
            f"{low}={parameters[low]} is more than {high}={parameters[high]}: {otherwise}. Raise {high}, or lower {low}."
        )
