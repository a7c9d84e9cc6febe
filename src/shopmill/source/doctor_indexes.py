"""Whether the database finds the rows of some days by an index: of the time itself, not of a join or of something else."""

from shopmill.source.database import Source
from shopmill.source.selection import Selection

MOMENT = "1907-07-07"
"""A day of which nothing else in a plan could speak."""
NARROWS = ("Index Cond:", "Recheck Cond:")


def is_served(source: Source, selection: Selection) -> bool:
    """Whether the bound on the time narrows what is read: by an index, or because partitions are left out."""
    time = f'mapped."{selection.table.time}"'
    bound = f"date '{MOMENT}'" if selection.has_dates else f"timestamptz '{MOMENT} 11:00Z'"
    plan = source.plan(selection.table, f"select * from {selection.mapped} where {time} < {bound}")
    speaking = [line.strip() for line in plan.splitlines() if MOMENT in line]
    narrowed = [line for line in speaking if line.startswith(NARROWS)]
    return len(narrowed) == len(speaking)
