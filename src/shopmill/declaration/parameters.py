"""The numbers and texts that change what a dataset computes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from shopmill.errors import InvalidInputError, did_you_mean

Value = str | int | Decimal | bool
MOST_PLACES = 18


@dataclass(frozen=True)
class Parameter:
    """A number or text that changes what is computed; bound in SQL as `$name`, recorded in every manifest."""

    name: str
    type: Literal["integer", "decimal", "text", "boolean"]
    default: Value
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    """The only values that a text may have; none for any."""
    is_list: bool = False
    """Whether a text names any number of the choices, with commas between."""

    def parse(self, given: Any) -> Value:
        """The value as its type, from JSON or a command line; InvalidInputError when it is not one or not allowed."""
        try:
            value = _PARSE[self.type](given)
        except (ValueError, ArithmeticError, KeyError, TypeError):
            raise InvalidInputError(
                f"Parameter {self.name}={given!r} is not of type {self.type} ({self.meaning})."
            ) from None
        if reason := _unheld(value):
            raise InvalidInputError(f"Parameter {self.name}={given!r} is too {reason}.")
        below = self.minimum is not None and not isinstance(value, str) and value < self.minimum
        above = self.maximum is not None and not isinstance(value, str) and value > self.maximum
        if below or above:
            raise InvalidInputError(f"Parameter {self.name}={given!r} must be in [{self.minimum}, {self.maximum}].")
        return self._chosen(str(value)) if self.choices else value

    def _chosen(self, value: str) -> str:
        """The value, a list of choices sorted, so that one choice is one version."""
        items = sorted({item.strip() for item in value.split(",") if item.strip()}) if self.is_list else [value]
        for item in items:
            if item not in self.choices:
                one = "a list of" if self.is_list else "one of"
                raise InvalidInputError(
                    f"Parameter {self.name}={value!r} must be {one} {', '.join(self.choices)}."
                    + did_you_mean(item, self.choices)
                )
        return ",".join(items)


def _unheld(value: Value) -> str | None:
    """Why no engine holds a number: neither has integers of more than 64 bits, or decimals of more than 38 digits."""
    if isinstance(value, Decimal):
        if value and value.adjusted() >= MOST_PLACES:
            return f"large: it has more than {MOST_PLACES} digits before the point"
        is_fine = int(value.as_tuple().exponent) < -MOST_PLACES
        return f"fine: it has more than {MOST_PLACES} digits after the point" if is_fine else None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "large: it has more than 64 bits"
    return None


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(value)
    return value


_PARSE: Mapping[str, Callable[[Any], Value]] = {
    "integer": lambda given: int(str(given)),
    "decimal": lambda given: _finite(Decimal(str(given))),
    "text": str,
    "boolean": lambda given: {"true": True, "false": False}[str(given).lower()],
}


COMMON_PARAMETERS = (
    Parameter(
        "max_reject_share", "decimal", Decimal("0.01"), "share of the rows of a source table that may be rejected", 0, 1
    ),
    Parameter(
        "max_unmatched_share",
        "decimal",
        Decimal("0.99"),
        "share of the ids of a table that may be missing in the table that should have them, such as the catalogue",
        0,
        1,
    ),
    Parameter("fresh_days", "integer", 3, "age of the newest rows in days above which a run warns", 0, 36500),
    Parameter(
        "stale_days",
        "integer",
        14,
        "age of the newest rows of the main table in days above which nothing is published",
        0,
        36500,
    ),
    Parameter(
        "max_row_drop", "decimal", Decimal("0.5"), "share of rows a table may lose against the previous version", 0, 1
    ),
    Parameter(
        "warn_drift",
        "decimal",
        Decimal("0.1"),
        "how far rows, nulls, means and categories may be from those of this weekday in earlier weeks before a run warns",
        0,
    ),
    Parameter("max_drift", "decimal", Decimal(0), "the same, before nothing is published; 0: a run only warns", 0),
)
