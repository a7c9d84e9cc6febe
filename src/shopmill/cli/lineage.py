"""`shopmill lineage`: where the columns of a dataset come from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shopmill.cli.options import DatasetName
from shopmill.cli.output import print_json, print_table

if TYPE_CHECKING:
    from shopmill.lineage.dataset_lineage import Origin, TableLineage


def lineage(
    dataset: DatasetName,
    table: Annotated[str | None, typer.Option(help="one of its tables; default: all that are published")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with the conditions on rows too")] = False,
) -> None:
    """Show which columns of the shop each column of a dataset comes from, read from its SQL."""
    from shopmill import datasets
    from shopmill.errors import no_table
    from shopmill.lineage.dataset_lineage import DatasetLineage

    declared = datasets.load(dataset)
    names = [published.name for published in declared.published]
    if table and table not in names:
        raise no_table(dataset, table, names)
    found = {name: DatasetLineage(declared).table(name) for name in ([table] if table else names)}
    if as_json:
        print_json({name: _document(lineage_of) for name, lineage_of in found.items()})
        return
    for name, lineage_of in found.items():
        _print(name, lineage_of)


def _document(lineage_of: "TableLineage") -> dict[str, Any]:
    return {
        "columns": {
            name: {"origins": [_origin(o) for o in column.origins], "besides": list(column.besides)}
            for name, column in lineage_of.columns.items()
        },
        "conditions": [_origin(origin) for origin in lineage_of.conditions],
    }


def _origin(origin: "Origin") -> dict[str, str]:
    return {"dataset": origin.dataset, "table": origin.table, "column": origin.column, "role": origin.role}


def _print(name: str, lineage_of: "TableLineage") -> None:
    rows = []
    for column, found in lineage_of.columns.items():
        values = {str(origin) for origin in found.origins if origin.is_direct}
        deciding = {str(origin) for origin in found.origins} - values
        cells = {"values of": values, "decided by": deciding, "and": set(found.besides)}
        rows.append({"column": column, **{header: "\n".join(sorted(cell)) for header, cell in cells.items()}})
    print_table(rows, ("column", "values of", "decided by", "and"), name)
