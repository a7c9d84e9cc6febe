"""`shopmill export-gx`: a version's checks as suites of Great Expectations."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from shopmill.cli.options import DatasetName, Json
from shopmill.cli.output import out, print_json

if TYPE_CHECKING:
    from shopmill.exports.great_expectations import LeftOut, Suite


def export_gx(
    context: typer.Context,
    dataset: DatasetName,
    as_of: Annotated[str | None, typer.Option("--as-of", help="the version of this as_of; default: the newest")] = None,
    output: Annotated[Path, typer.Option(help="folder for the suites, such as gx/expectations")] = Path("expectations"),
    sql: Annotated[str, typer.Option("--sql", help="rules on rows in this SQL dialect, such as postgres, spark")] = "",
    as_json: Json = False,
) -> None:
    """Write the checks of a version as Great Expectations suites, one JSON file per table."""
    from shopmill import datasets
    from shopmill.asof import AsOf
    from shopmill.exports.great_expectations import Exporter
    from shopmill.versions.store import Store, to_json
    from shopmill.versions.versions import Versions

    declared, zone = datasets.load(dataset), context.obj.zone
    versions = Versions(Store(context.obj.store), dataset, zone)
    manifest = versions.need(AsOf.parse(as_of, zone) if as_of else None)
    exporter = Exporter(declared, manifest, versions.previous_of(manifest), context.obj, _dialect(sql))
    output.mkdir(parents=True, exist_ok=True)
    written = {output / f"{suite.name}.json": suite for suite in exporter.suites()}
    for path, suite in written.items():
        path.write_bytes(to_json(suite.document()))
    if as_json:
        print_json(_summary(written, exporter.left_out()))
    else:
        _tell(written, exporter.left_out())


def _summary(written: "Mapping[Path, Suite]", left_out: "Iterable[LeftOut]") -> dict[str, object]:
    of_tables = [{"table": suite.table, **asdict(one)} for suite in written.values() for one in suite.left_out]
    return {
        "files": {str(path): len(suite.expectations) for path, suite in written.items()},
        "not_exported": [*of_tables, *({"table": None, **asdict(one)} for one in left_out)],
    }


def _tell(written: "Mapping[Path, Suite]", left_out: "Iterable[LeftOut]") -> None:
    for path, suite in written.items():
        out.print(f"{path}: {len(suite.expectations)} expectations", soft_wrap=True, highlight=False)
        for missing in suite.left_out:
            _say_missing(f"{suite.table} {missing.check}", missing.reason)
    for missing in left_out:
        _say_missing(missing.check, missing.reason)


def _say_missing(check: str, reason: str) -> None:
    out.print(f"[yellow]not exported[/] {escape(check)}: {escape(reason)}", soft_wrap=True, highlight=False)


def _dialect(name: str) -> str:
    from sqlglot.dialects.dialect import Dialect

    from shopmill.errors import InvalidInputError

    if name and name not in Dialect.classes:
        raise InvalidInputError(f"--sql {name!r} is no SQL dialect that is known, such as postgres, spark, snowflake.")
    return name
