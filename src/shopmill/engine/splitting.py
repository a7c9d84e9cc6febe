"""How the rows of a table are split over files, as SQL: the label of a row names its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from shopmill.engine.identifiers import quote

FILE = "_file"
"""The column with the label, where rows are written into a folder `_file=<label>` for each."""
FOLDER = f"{FILE}="

ROW_GROUP = 122_880
"""Rows of a row group of every Parquet file, whoever writes it: what DuckDB takes by default."""


class Parts(Enum):
    """What is known of the files of a table before its rows are: an engine may write them accordingly.

    `SMALL` is said of a table once and for all, as other ways of writing give other bytes. The other two give the same.
    """

    MANY = "many, of any size"
    FEW = "few, of any size"
    SMALL = "any number, each with the rows of a day"


RECENT = 40
"""Files of the last days that are known apart from those of all days before: more than any window of days."""


@dataclass(frozen=True)
class Cut:
    """Where the files of a table are cut in two: in the first `files` of them `column` is before `day`, in the others not.

    Queries ask for the last days by that column. An engine that knows it opens the files of these days alone, where it
    would look into each of years to find that it has none of their rows.
    """

    column: str
    day: date
    files: int


def cut_of(column: str, periods: Sequence[str]) -> Cut | None:
    """The cut before the last RECENT of the periods that files are named by; None where there are no more, or no days."""
    if len(periods) <= RECENT or list(periods) != sorted(periods):
        return None
    try:
        days = [date.fromisoformat(period) for period in periods]
    except ValueError:
        return None
    return Cut(column, days[-RECENT], len(days) - RECENT)


def label_of(path: str) -> str:
    """The label that a file is named by."""
    return path.rpartition("/")[2].removesuffix(".parquet")


def by_period(column: str, period: str) -> str:
    """The first day of the day, week or month of a date column."""
    return f"cast(date_trunc('{period}', {quote(column)}) as date)"


def by_hash(column: str, files: int) -> str:
    """The first digits of a hash of a column: the bounds are fixed, so a row stays in its file whatever other rows there are."""
    digits = len(f"{files - 1:x}")
    return f"substr(md5(coalesce(cast({quote(column)} as varchar), '')), 1, {digits})"
