"""How the rows of a table are split over files, as SQL: the label of a row names its file."""

from shopmill.engine.identifiers import quote

DIGITS = {16: 1, 256: 2}
"""How many digits of a hash tell so many files apart."""


def by_period(column: str, period: str) -> str:
    """The first day of the day, week or month of a date column."""
    return f"cast(date_trunc('{period}', {quote(column)}) as date)"


def by_hash(column: str, files: int) -> str:
    """The first digits of a hash of a column: the bounds are fixed, so a row stays in its file whatever other rows there are."""
    return f"substr(md5(coalesce(cast({quote(column)} as varchar), '')), 1, {DIGITS[files]})"
