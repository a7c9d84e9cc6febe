"""How the rows of a table are split over files, as SQL: the label of a row names its file."""

from shopmill.engine.identifiers import quote

FILE = "_file"
"""The column with the label, where rows are written into a folder `_file=<label>` for each."""
FOLDER = f"{FILE}="


def by_period(column: str, period: str) -> str:
    """The first day of the day, week or month of a date column."""
    return f"cast(date_trunc('{period}', {quote(column)}) as date)"


def by_hash(column: str, files: int) -> str:
    """The first digits of a hash of a column: the bounds are fixed, so a row stays in its file whatever other rows there are."""
    digits = len(f"{files - 1:x}")
    return f"substr(md5(coalesce(cast({quote(column)} as varchar), '')), 1, {digits})"
