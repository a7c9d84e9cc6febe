"""`shopmill report`: the catalogue as a folder of HTML files."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shopmill.cli.options import Json, SomeDataset
from shopmill.cli.output import err, print_json, print_lines
from shopmill.cli.progress import ProgressLine

if TYPE_CHECKING:
    from shopmill.settings import Settings
    from shopmill.versions.manifest import Manifest


def report(
    context: typer.Context,
    dataset: SomeDataset = None,
    output: Annotated[Path, typer.Option(help="folder for the pages")] = Path("report"),
    versions: Annotated[int, typer.Option(min=1, help="newest versions of each dataset that get a page")] = 50,
    as_json: Json = False,
) -> None:
    """Write the catalogue as HTML pages: a folder that opens from disk, and needs no server and no network."""
    from shopmill.catalogue.reader import Reader
    from shopmill.catalogue.report import write_report

    reader = Reader(context.obj, datetime.now(UTC))
    names = [reader.need(dataset)] if dataset else None
    with ProgressLine(err, "report") as progress:
        written = write_report(
            reader,
            output,
            names,
            os.environ.get("AIRFLOW__API__BASE_URL", ""),
            versions,
            lambda done, total: progress.step(f"{done:,} of {total:,} pages"),
        )
    if reader.silence:
        err.print("warning", reader.silence, markup=False, soft_wrap=True, highlight=False)
    first = output.resolve() / "index.html"
    if as_json:
        print_json({"pages": len(written), "index": str(first)})
    else:
        print_lines(f"{len(written)} pages: {first}")


def write_version(settings: "Settings", manifest: "Manifest", file: Path) -> None:
    """Writes a version as one file that has everything in it: `shopmill show --html`."""
    from shopmill.catalogue.pages import version_path
    from shopmill.catalogue.reader import Reader
    from shopmill.catalogue.site import Site
    from shopmill.catalogue.summaries import summarized

    reader = Reader(settings, datetime.now(UTC))
    address = version_path(manifest.dataset, summarized(manifest).key)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(Site(whole=True).open(reader, address))
    print_lines(file.resolve())
