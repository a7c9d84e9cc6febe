"""From the SQL files of a dataset to one statement per table.

A file of `tables/` computes the table of its name. A file of `views/`, and of the views that all datasets share, becomes
a common table expression where a query reads it, so that nothing is written to disk that nobody reads.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp

from shopmill.declaration import Dataset, Table
from shopmill.engine.identifiers import quote
from shopmill.sql_files import SHARED_VIEWS, shared_parts


@dataclass(frozen=True)
class Names:
    """The names in a query: tables and views that it reads, its common table expressions, `$parameters`, and its columns.

    Of a query that does not name its columns, such as `select *`, there are none here.
    """

    tables: frozenset[str]
    ctes: tuple[str, ...]
    parameters: frozenset[str]
    columns: tuple[str, ...]


@cache
def names_in(sql: str) -> Names:
    """The names in a query, which is parsed once."""
    query = sqlglot.parse_one(sql, read="duckdb")
    nodes = list(query.walk())
    ctes = tuple(node.alias for node in nodes if isinstance(node, exp.CTE))
    tables = {node.name for node in nodes if isinstance(node, exp.Table)}
    parameters = {node.name for node in nodes if isinstance(node, (exp.Parameter, exp.Placeholder))}
    return Names(frozenset(tables - set(ctes)), ctes, frozenset(parameters), _columns(query))


def _columns(query: exp.Expr) -> tuple[str, ...]:
    names = () if query.is_star or not isinstance(query, exp.Query) else tuple(query.named_selects)
    return () if "" in names or "*" in names else names


def references(sql: str) -> frozenset[str]:
    """The tables that a query reads, without its own common table expressions."""
    return names_in(sql).tables


def columns_of(sql: str) -> tuple[str, ...]:
    """The columns that a query names, which need no planning; none where it takes them over from what it reads."""
    return names_in(sql).columns


def views_of(dataset: Dataset, sql: str, held: Collection[str] = ()) -> dict[str, str]:
    """The views that a query needs, directly or through others, each after those it needs itself.

    Those that an engine has `held` are tables to it: neither they nor what they are made of is needed.
    """
    found: dict[str, str] = {}
    for name in sorted(references(sql)):
        if name in dataset.views and name not in held:
            found |= views_of(dataset, dataset.views[name], held)
            found[name] = dataset.views[name]
    return found


def base_tables(dataset: Dataset, query: str) -> set[str]:
    """What a query reads in the end, when its views are resolved."""
    views = views_of(dataset, query)
    return {name for sql in (query, *views.values()) for name in references(sql)} - set(views)


def compose(dataset: Dataset, query: str, held: Collection[str] = ()) -> str:
    """The query with its views in front, but for those that an engine has `held`."""
    return f"{_views(dataset, query, held)}select * from (\n{query.strip()}\n) as result"


def statement(dataset: Dataset, table: Table, is_ordered: bool = True, held: Collection[str] = ()) -> str:
    """The query of a table, cast to its declared types and, where it `is_ordered`, put in its total order."""
    return _views(dataset, dataset.sql[table.name], held) + typed(table, dataset.sql[table.name], is_ordered)


def typed(table: Table, query: str, is_ordered: bool = True) -> str:
    """A query cast to the types of a table and, where it `is_ordered`, in its order; several files are ordered one by one."""
    columns = ",\n  ".join(f"cast({quote(c.name)} as {c.type}) as {quote(c.name)}" for c in table.columns)
    order = "\norder by " + ", ".join(quote(name) for name in table.order) if table.order and is_ordered else ""
    return f"select\n  {columns}\nfrom (\n{query.strip()}\n) as result{order}"


def _views(dataset: Dataset, query: str, held: Collection[str]) -> str:
    named = [f"{quote(name)} as (\n{sql.strip()}\n)" for name, sql in views_of(dataset, query, held).items()]
    return "with " + ",\n".join(named) + "\n" if named else ""


def sources(dataset: Dataset) -> dict[str, Path]:
    """The files that say what a dataset is: those of its folder, and the shared views that its tables are built on."""
    own = {str(path.relative_to(dataset.folder)): path for path in sorted(dataset.folder.rglob("*"))}
    read = {name for query in dataset.sql.values() for name in views_of(dataset, query)}
    needed = {name.replace("judged_changed_", "judged_").replace("judged_former_", "judged_") for name in read}
    shared = {f"shared/{path.name}": path for path in sorted(SHARED_VIEWS.glob("*.sql")) if path.stem in needed}
    texts = [path.read_text() for path in shared.values()]
    parts = {
        f"shared/parts/{path.name}": path
        for path in shared_parts()
        if any(f"{{{{ {path.stem} }}}}" in text for text in texts)
    }
    return {name: path for name, path in own.items() if path.suffix in {".sql", ".py"}} | shared | parts
