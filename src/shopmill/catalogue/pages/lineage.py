"""Where the columns of a dataset come from, drawn: one graph per table, read from the SQL."""

from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from shopmill.catalogue.drawings import Node, graph
from shopmill.catalogue.pages import Page, dataset_path
from shopmill.catalogue.reader import NotThereError, Reader
from shopmill.lineage.dataset_lineage import DatasetLineage, Origin, TableLineage


@dataclass(frozen=True)
class TableGraph:
    """A table's graph, and the same as a list."""

    name: str
    graph: Markup
    columns: list[tuple[str, str, str]]


@dataclass(frozen=True)
class LineagePage:
    """The page's content."""

    name: str
    tables: list[TableGraph]


def build(reader: Reader, name: str) -> Page:
    """The lineage of all published tables of a dataset that this package declares."""
    reader.need(name)
    if reader.declared(name) is None:
        raise NotThereError(f"The SQL of {name} is not in this package, so its lineage cannot be read.")
    tables = [_graph(name, table, found) for table, found in _lineage(name).items()]
    crumbs = (("Catalogue", "index.html"), (name, dataset_path(name)))
    return Page(
        "lineage.html", f"Lineage of {name}", LineagePage(name, tables), crumbs, name, dataset_path(name, "lineage")
    )


@cache
def _lineage(name: str) -> dict[str, TableLineage]:
    from shopmill import datasets

    declared = datasets.load(name)
    lineage = DatasetLineage(declared)
    return {table.name: lineage.table(table.name) for table in declared.published}


def _graph(name: str, table: str, found: TableLineage) -> TableGraph:
    direct = {column: [o for o in line.origins if o.is_direct] for column, line in found.columns.items()}
    origins = sorted({origin for line in direct.values() for origin in line}, key=_place)
    by_table: dict[str, list[str]] = {}
    for origin in origins:
        by_table.setdefault(_table(origin, name), []).append(origin.column)
    left = [Node(place, tuple(dict.fromkeys(columns)), "source") for place, columns in by_table.items()]
    right = [Node(table, tuple(found.columns), "published")]
    edges = sorted(
        {(f"{_table(o, name)}.{o.column}", f"{table}.{column}") for column, line in direct.items() for o in line}
    )
    return TableGraph(table, graph(left, right, edges, f"Where the columns of {table} come from"), _listed(name, found))


def _listed(name: str, found: TableLineage) -> list[tuple[str, str, str]]:
    """Each column with the columns whose values it takes, and those that decide about it."""
    listed = []
    for column, line in found.columns.items():
        values = sorted({f"{_table(o, name)}.{o.column}" for o in line.origins if o.is_direct})
        deciding = sorted({f"{_table(o, name)}.{o.column}" for o in line.origins} - set(values))
        listed.append((column, ", ".join(values) or ", ".join(line.besides), ", ".join(deciding)))
    return listed


def _table(origin: Origin, name: str) -> str:
    if origin.dataset == name:
        return f"previous version: {origin.table}"
    return f"{origin.dataset}: {origin.table}" if origin.dataset else f"shop: {origin.table}"


def _place(origin: Origin) -> tuple[str, str, str]:
    return origin.dataset, origin.table, origin.column
