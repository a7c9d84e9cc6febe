"""Whether the database finds the rows of some days by an index: of the time itself, not of a join or of something else."""

import re
from collections.abc import Iterator

from shopmill.engine.identifiers import literal
from shopmill.source.database import Source
from shopmill.source.selection import Selection

MOMENT = "1907-07-07"
"""A day of which nothing else in a plan could speak."""
INDEX = re.compile(r'(?:using|Bitmap Index Scan on) ("(?:[^"]|"")+"|\S+)')
OF_A_DOMAIN = re.compile(r'\(("(?:[^"]|"")+"|\w+)\)::[a-z ]+(?= <)')
"""A column whose type is a domain, as a plan writes it."""
BY_INDEX, AGAIN = "Index Cond:", "Recheck Cond:"
FIRST_COLUMNS = """
select quote_ident(relname::text), pg_get_indexdef(pg_class.oid, 1, true)
from pg_class join pg_am on pg_am.oid = relam
where amname = 'btree' and quote_ident(relname::text) in ({names})
"""
"""What a B-tree is sorted by first: only that narrows what is read of it. Of other kinds any column does."""


def is_served(source: Source, selection: Selection) -> bool:
    """Whether the bound on the time narrows what is read: by an index, or because partitions are left out."""
    time = f'mapped."{selection.table.time}"'
    bound = f"date '{MOMENT}'" if selection.has_dates else f"timestamptz '{MOMENT} 11:00Z'"
    plan = source.plan(selection.table, f"select * from {selection.mapped} where {time} < {bound}")
    speaking = list(_speaking(plan))
    first = _first_columns(source, {index for index, _ in speaking if index})
    return all(line.startswith(BY_INDEX) and f"{first.get(index, '')} <" in line for index, line in speaking)


def _speaking(plan: str) -> Iterator[tuple[str, str]]:
    """The lines of a plan that speak of the bound, each with the index that it is about. What is looked at again was narrowed before."""
    index = ""
    for line in map(str.strip, plan.splitlines()):
        if found := INDEX.search(line):
            index = found[1]
        if MOMENT in line and not line.startswith(AGAIN):
            yield index, OF_A_DOMAIN.sub(r"\1", line)


def _first_columns(source: Source, indexes: set[str]) -> dict[str, str]:
    names = ", ".join(map(literal, sorted(indexes))) or "null"
    return {str(name): str(column) for name, column in source.answers(FIRST_COLUMNS.format(names=names))}
