"""`shopmill export`: a version in the shape that another library loads."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from shopmill.cli.options import pairs

out = Console()


def export(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a dataset, such as user_item_interactions")],
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", help="the consumer, such as implicit; see docs/consumers.md")
    ],
    output: Annotated[Path, typer.Option(help="a new or empty folder")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="the version of this as_of; default: the newest")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", "-o", help="name=value; repeat for more")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, for scripts")] = False,
) -> None:
    """Write a version for a consumer: recommenders, forecasts, features, vectors, tables."""
    from shopmill.exports.export import export as write

    done = write(dataset, to, output, as_of, pairs("--option", option or []), context.obj)
    if as_json:
        out.print_json(json.dumps(asdict(done)))
        return
    out.print(f"{done.dataset} as of {done.as_of}, version [bold]{done.version}[/], for {done.consumer}:")
    for name, rows in done.rows.items():
        counted = f" ({rows:,} rows)" if rows else ""
        out.print(f"{escape(str(output))}/{escape(name)}{counted}", soft_wrap=True, highlight=False)
