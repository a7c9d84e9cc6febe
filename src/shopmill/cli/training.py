"""`shopmill training-set`: features of several as_ofs with what happened next, as one Parquet file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from shopmill.cli.options import DatasetName, Json
from shopmill.cli.output import print_json, print_lines
from shopmill.errors import InvalidInputError


def training_set(
    context: typer.Context,
    dataset: DatasetName,
    label: Annotated[str, typer.Option(help="a label of training_labels, such as churn_90d")],
    output: Annotated[Path, typer.Option(help="Parquet file to write; what it is made of is written beside it")],
    as_of: Annotated[
        list[str] | None, typer.Option("--as-of", help="an as_of of the features; repeat for more")
    ] = None,
    train: Annotated[list[str] | None, typer.Option(help="one to train with, in place of --as-of")] = None,
    validation: Annotated[list[str] | None, typer.Option(help="one to validate with")] = None,
    test: Annotated[list[str] | None, typer.Option(help="one to test with")] = None,
    backfill: Annotated[bool, typer.Option("--backfill", help="run what is missing")] = False,
    as_json: Json = False,
) -> None:
    """Join features with the labels of the same origins, split by time, from published versions."""
    import pyarrow.parquet as pq

    from shopmill.training.training_set import training_set as make

    parts = {"train": train or [], "validation": validation or [], "test": test or []}
    if as_of and any(parts.values()):
        raise InvalidInputError("Give --as-of, which is split by time, or --train, --validation and --test, not both.")
    made = make(dataset, label, as_of or parts, backfill=backfill, settings=context.obj)
    table = made.to_arrow()
    output.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, output, compression="zstd")
    described = {"id": made.id, "line": made.line, **made.document}
    output.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")
    if as_json:
        print_json(described)
    else:
        print_lines(made.line, f"{output}: {table.num_rows:,} rows")
