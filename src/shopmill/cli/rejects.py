"""`shopmill rejects`: which rows of the shop a version could not use, and why."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from shopmill.cli.options import MOST_ROWS, AsOfOption, DatasetName, Json
from shopmill.cli.output import print_json, print_lines, print_table


def rejects(
    context: typer.Context,
    dataset: DatasetName,
    as_of: AsOfOption = None,
    version: Annotated[str, typer.Option(help="a version's id, or how it begins")] = "",
    reason: Annotated[str, typer.Option(help="only reasons with these words")] = "",
    limit: Annotated[int, typer.Option(min=0, max=MOST_ROWS, help="how many rows to show")] = 20,
    as_json: Json = False,
) -> None:
    """Show the rows that were rejected, with reasons; personal columns are masked."""
    from shopmill.trust.rejects import rejects_of

    found = rejects_of(dataset, context.obj, as_of, version, reason, limit)
    if as_json:
        print_json(found.document())
        return
    made = found.manifest
    print_lines(f"{made.dataset} as of {made.as_of}, version {made.version}: {found.count:,} rows were rejected.")
    if found.count:
        print_table([asdict(one) for one in found.reasons], ("rows", "source_table", "reason"))
    for one in found.rows:
        print_lines(
            f"{one.source_table} {one.source_day or 'undated'}: {json.dumps(one.source_row, ensure_ascii=False)}"
        )
    if 0 < len(found.rows) < found.count:
        print_lines(f"{found.count - len(found.rows):,} more: raise --limit, or choose a --reason.")
