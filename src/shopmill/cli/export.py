"""`shopmill export`: a version in the shape that another library loads."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from shopmill.cli.options import DatasetName, Json, pairs
from shopmill.cli.output import err, out, print_json
from shopmill.cli.progress import ProgressLine


def export(
    context: typer.Context,
    dataset: DatasetName,
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", help="the consumer, such as implicit; see docs/consumers.md")
    ],
    output: Annotated[Path, typer.Option(help="a new or empty folder")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="the version of this as_of; default: the newest")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", "-o", help="name=value; repeat for more")] = None,
    as_json: Json = False,
) -> None:
    """Write a version for a consumer: recommenders, forecasts, features, vectors, tables."""
    from shopmill.exports.export import export as write

    with ProgressLine(err, f"export of {dataset} to {to}"):
        done = write(dataset, to, output, as_of, pairs("--option", option or []), context.obj)
    if as_json:
        print_json(asdict(done))
        return
    out.print(f"{done.dataset} as of {done.as_of}, version [bold]{done.version}[/], for {done.consumer}:")
    for name, rows in done.rows.items():
        counted = f" ({rows:,} rows)" if rows else ""
        out.print(f"{escape(str(output))}/{escape(name)}{counted}", soft_wrap=True, highlight=False)
