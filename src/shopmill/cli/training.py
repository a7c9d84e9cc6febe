"""`shopmill training-set`: features of several as_ofs with what happened next, as one Parquet file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from shopmill.cli.options import DatasetName, Json
from shopmill.cli.output import err, print_json, print_lines
from shopmill.cli.progress import ProgressLine
from shopmill.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa


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
    from shopmill.exports.place import local_path
    from shopmill.training.training_set import training_set as make

    parts = {"train": train or [], "validation": validation or [], "test": test or []}
    if bool(as_of) == any(parts.values()):
        raise InvalidInputError("Give either --as-of, which is split by time, or --train, --validation and --test.")
    output = local_path(output)
    if output.suffix == ".json" or output.is_dir():
        raise InvalidInputError(f"{output} is no place for rows: name a file such as {output.with_suffix('.parquet')}.")
    with ProgressLine(err, f"training set of {dataset} with {label}"):
        made = make(dataset, label, as_of or parts, backfill=backfill, settings=context.obj)
        table, described = made.to_arrow(), {"id": made.id, "line": made.line, **made.document}
    try:
        _write(output, table, described)
    except OSError as error:
        raise InvalidInputError(f"{output} cannot be written: {os.strerror(error.errno or 0)}.") from error
    if as_json:
        print_json(described)
    else:
        print_lines(made.line, f"{output}: {table.num_rows:,} rows")


def _write(output: Path, table: "pa.Table", described: Mapping[str, Any]) -> None:
    """The file is there whole or not at all."""
    import pyarrow.parquet as pq

    output.parent.mkdir(parents=True, exist_ok=True)
    draft = output.with_name(f".{uuid4().hex}")
    try:
        pq.write_table(table, draft, compression="zstd")
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    output.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")
