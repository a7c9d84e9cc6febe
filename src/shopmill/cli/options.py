"""What commands share in reading their options."""

from collections.abc import Sequence

from shopmill.errors import InvalidInputError


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """name=value, as often as it is given."""
    split = [pair.partition("=") for pair in given]
    if wrong := next((name for name, equals, _ in split if not equals), None):
        raise InvalidInputError(f"{option} {wrong!r} is not of the form name=value.")
    return {name: value for name, _, value in split}
