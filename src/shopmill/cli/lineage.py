"""`shopmill lineage`: where the columns of a dataset come from."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from shopmill import datasets

if TYPE_CHECKING:
    from shopmill.lineage.dataset_lineage import Origin, TableLineage

out = Console()


def lineage(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a dataset, such as user_item_interactions")],
    table: Annotated[str | None, typer.Option(help="one of its tables; default: all that are published")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with the conditions on rows too")] = False,
) -> None:
    """Show which columns of the shop each column of a dataset comes from, read from its SQL."""
    from shopmill.errors import InvalidInputError
    from shopmill.lineage.dataset_lineage import DatasetLineage

    declared = datasets.load(dataset)
    names = [published.name for published in declared.published]
    if table and table not in names:
        raise InvalidInputError(f"{dataset} has no table {table!r}; it has {', '.join(names)}.")
    found = {name: DatasetLineage(declared).table(name) for name in ([table] if table else names)}
    if as_json:
        out.print_json(json.dumps({name: _document(lineage_of) for name, lineage_of in found.items()}))
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
    headers = [Column(header, overflow="fold") for header in ("column", "values of", "decided by", "and")]
    shown = Table(*headers, title=name, title_justify="left", box=None, pad_edge=False)
    for column, found in lineage_of.columns.items():
        values = {str(origin) for origin in found.origins if origin.is_direct}
        deciding = {str(origin) for origin in found.origins} - values
        shown.add_row(column, *(escape("\n".join(sorted(cell))) for cell in (values, deciding, set(found.besides))))
    out.print(shown)
