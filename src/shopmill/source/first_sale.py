"""The day on which a shop's sales begin. A few that are dated long before all others do not decide it: they are mistakes,
and one of them would make years of empty series.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

FEW = 10  # at most one in so many rows


def first_sale(rows: Mapping[date, int], first_day: date, longest_gap_days: int) -> date:
    """The first day whose sales count, of the number of rows by day: `first_day`, or one after a gap that is too long.

    Only what comes before the gap and is few is taken as wrongly dated: a shop that really paused has more.
    """
    found, before, days = first_day, 0, sorted(day for day in rows if day >= first_day)
    total, gap = sum(rows[day] for day in days), timedelta(days=longest_gap_days)
    for day, following in pairwise(days):
        before += rows[day]
        if following - day > gap and before * FEW <= total:
            found = following
    return found
