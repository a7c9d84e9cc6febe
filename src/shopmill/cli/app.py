"""The command `shopmill`."""

import json
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich
import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from shopmill import datasets
from shopmill.cli.airflow import airflow_setup
from shopmill.cli.export import export
from shopmill.cli.gc import gc
from shopmill.cli.gx import export_gx
from shopmill.cli.lineage import lineage
from shopmill.cli.options import pairs
from shopmill.cli.report import report, write_version
from shopmill.cli.source import moved, reconcile
from shopmill.cli.training import training_set
from shopmill.datasets.faults import refuse_faults
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.settings import Settings, load_settings

if TYPE_CHECKING:
    from shopmill.run.published import Published
    from shopmill.text.index_search import Neighbour

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
rich.reconfigure(stderr=True)  # where others show progress
out, err = Console(), rich.get_console()

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="a dataset, such as user_item_interactions")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="2020-09-23, or 2020-09-23T10:15:00Z; default: the newest")
]
Json = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]
LEVELS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "error": "[red]error[/]"}


@app.callback()
def settings_of(
    context: typer.Context,
    store: Annotated[str | None, typer.Option(help="folder or s3:// address; default: SHOPMILL_STORE")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="log every step, and show tracebacks")] = False,
) -> None:
    """Turns a shop's PostgreSQL into versioned, checked, reproducible machine-learning datasets."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(message)s" if err.is_terminal else "%(levelname)s: %(message)s",
        handlers=[RichHandler(console=err, show_path=False) if err.is_terminal else logging.StreamHandler()],
    )
    context.obj = load_settings(**({"store": store} if store else {}))


@app.command()
def run(
    context: typer.Context,
    dataset: DatasetName,
    as_of: Annotated[str, typer.Option("--as-of", help="the moment that the version is true for")],
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value; repeat for more")] = None,
    refresh: Annotated[bool, typer.Option(help="read the source again although this as_of was read before")] = False,
    as_json: Json = False,
) -> None:
    """Run a dataset here and now: the same steps as its DAG, without Airflow."""
    from shopmill.run import steps
    from shopmill.run.run import Run

    refuse_faults(declared := datasets.load(dataset))
    started = Run.create(declared, as_of, context.obj, pairs("--param", param or []), refresh=refresh)
    with err.status(f"{dataset} as of {as_of}") as status:

        def tell(step: str, detail: str = "") -> None:
            status.update(f"{dataset} as of {as_of}: {step} {detail}")

        rows: dict[str, int] = {}

        def count(table: str, more: int) -> None:
            rows[table] = rows.get(table, 0) + more
            tell("extract", f"{table} {rows[table]:,} rows")

        published = steps.run_all(started, tell, count)
    _print_run(published, as_json)


def _print_run(published: "Published", as_json: bool) -> None:
    if as_json:
        out.print_json(json.dumps(published.document()))
        return
    out.print(
        f"{published.dataset} as of {published.as_of}: version [bold]{published.version}[/] {published.status}, "
        f"{published.rows:,} rows, {published.rejected:,} rejected, {published.bytes:,} bytes"
    )
    for name in published.warned:
        out.print(f"[yellow]warning[/] {escape(name)}")
    out.print(published.path, soft_wrap=True, highlight=False, markup=False)


@app.command()
def versions(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="[DATASET]", help="one dataset; default: all")] = None,
    as_json: Json = False,
) -> None:
    """List the published versions."""
    from shopmill.versions.store import Store
    from shopmill.versions.versions import Versions

    chosen: Settings = context.obj
    store = Store(chosen.store)
    wanted = [datasets.load(dataset).name] if dataset else datasets.names()
    found = [
        (versions_of, manifest)
        for name in wanted
        for versions_of in [Versions(store, name, chosen.zone)]
        for manifest in versions_of.all()
    ]
    rows = [
        {**asdict(manifest.summary), "current": versions_of.is_current(manifest)} for versions_of, manifest in found
    ]
    if as_json:
        out.print_json(json.dumps(rows))
    elif not rows:
        out.print(f"No version in {store.url} yet: run [bold]shopmill run DATASET --as-of DATE[/].")
    else:
        _print_table(rows, ("dataset", "as_of", "version", "rows", "rejected", "bytes", "current"))


def _print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str], title: str | None = None) -> None:
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    out.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:,}" if isinstance(value, int) else "" if value is None else escape(str(value))


@app.command()
def show(
    context: typer.Context,
    dataset: DatasetName,
    as_of: AsOfOption = None,
    table: Annotated[str | None, typer.Option(help="a table of the dataset; default: its main one")] = None,
    rows: Annotated[int, typer.Option(min=0, help="how many rows of sample")] = 5,
    html: Annotated[Path | None, typer.Option("--html", help="write it as one HTML file instead")] = None,
    as_json: Json = False,
) -> None:
    """Show a version: columns, checks, a sample of its rows."""
    from shopmill.versions.load import Version

    found = Version(datasets.load(dataset).name, as_of, context.obj)
    manifest = found.manifest
    if html:
        write_version(context.obj, manifest, html)
        return
    name = manifest.need(table or manifest.content["main_table"])
    described = manifest.content["tables"][name]
    sample = found.to_duckdb(name).limit(rows).fetchall()
    columns = [column["name"] for column in described["columns"]]
    if as_json:
        rows_out = [{n: v if v is None else str(v) for n, v in zip(columns, row, strict=True)} for row in sample]
        out.print_json(
            json.dumps(
                {
                    **asdict(manifest.summary),
                    "path": found.path,
                    "tables": manifest.content["tables"],
                    "checks": manifest.checks,
                    "sample": rows_out,
                }
            )
        )
        return
    out.print(f"[bold]{dataset}[/] as of {manifest.as_of}, version {manifest.version}")
    out.print(f"{name}: {described['grain']}; {manifest.rows(name):,} rows. Tables: {', '.join(manifest.tables)}\n")
    _print_table(described["columns"], ("name", "type", "unit", "meaning"))
    out.print()
    _print_table(
        [
            {**c, "result": "passed" if c["passed"] else f"{c['severity']}: {c['detail'] or c['violations']}"}
            for c in manifest.checks
        ],
        ("table", "name", "result"),
        "Checks",
    )
    out.print()
    for column, *values in zip(columns, *sample, strict=True):
        out.print(
            f"{column:<28} " + "  ".join(str(value)[:24].ljust(24) for value in values),
            highlight=False,
            soft_wrap=True,
            markup=False,
        )


@app.command()
def path(
    context: typer.Context,
    dataset: DatasetName,
    as_of: AsOfOption = None,
    table: Annotated[str | None, typer.Option(help="a table of it")] = None,
) -> None:
    """Print where a version is, for other programs: a folder of Parquet files per table."""
    from shopmill.versions.load import Version

    found = Version(datasets.load(dataset).name, as_of, context.obj)
    print(found.path if table is None else f"{found.path}/{found.manifest.need(table)}")


@app.command()
def similar(
    context: typer.Context,
    article_id: Annotated[str, typer.Argument(metavar="ARTICLE_ID", help="an article, as the shop names it")],
    number: Annotated[int, typer.Option("-k", help="how many")] = 10,
    as_json: Json = False,
) -> None:
    """List the articles nearest to an article, from the vector index."""
    from shopmill.embeddings import neighbours

    _print_neighbours(context.obj, neighbours.similar(article_id, number, context.obj), as_json)


@app.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what to look for, in words")],
    number: Annotated[int, typer.Option("-k", help="how many")] = 10,
    as_json: Json = False,
) -> None:
    """List the articles nearest to a text, from the vector index."""
    from shopmill.embeddings import neighbours

    _print_neighbours(context.obj, neighbours.search(text, number, context.obj), as_json)


def _print_neighbours(settings: Settings, found: Sequence["Neighbour"], as_json: bool) -> None:
    from shopmill.embeddings.neighbours import texts_of

    texts = texts_of([neighbour.id for neighbour in found], settings)
    rows = [{"article_id": n.id, "similarity": round(n.similarity, 4), "text": texts.get(n.id, "")} for n in found]
    if as_json:
        out.print_json(json.dumps(rows))
    else:
        _print_table(rows, ("article_id", "similarity", "text"))


@app.command()
def embed(
    context: typer.Context,
    source: Annotated[str, typer.Option("--input", metavar="URI", help="Parquet file with a column `text`")],
    target: Annotated[str, typer.Option("--output", metavar="URI", help="store whose cache gets the vectors")],
    shard: Annotated[str, typer.Option(metavar="I/N", help="the part to do, 0/1 to (N-1)/N")] = "0/1",
    as_json: Json = False,
) -> None:
    """Encode the texts of one shard that a store's cache lacks; doing it again encodes nothing."""
    from shopmill.embeddings.embeddings import embed_shard

    encoded, cached = embed_shard(source, target, shard, context.obj)
    if as_json:
        out.print_json(json.dumps({"encoded": encoded, "cached": cached, "shard": shard}))
    else:
        out.print(f"shard {shard}: {encoded:,} texts encoded, {cached:,} were in the cache")


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Examine the shop's database against the contract; exit code 1 when something is missing."""
    from shopmill.source.doctor import examine

    findings = list(examine(context.obj, datasets.load_all()))
    if as_json:
        out.print_json(json.dumps([finding.document() for finding in findings]))
    else:
        for finding in findings:
            suffers = f" [dim]({', '.join(finding.suffers)})[/]" if finding.level != "ok" and finding.suffers else ""
            out.print(
                f"{LEVELS[finding.level]:<5} [bold]{finding.subject}[/] {escape(finding.text)}{suffers}", soft_wrap=True
            )
            if finding.fix:
                out.print(f"      {finding.fix}", soft_wrap=True, markup=False)
    raise typer.Exit(int(any(finding.level == "error" for finding in findings)))


@app.command()
def runs(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Argument()] = None,
    limit: int = 20,
    as_json: Json = False,
) -> None:
    """List the newest runs in the registry."""
    from shopmill.registry import Registry

    found = Registry(context.obj.registry_dsn.get_secret_value()).runs(dataset, limit)
    if as_json:
        out.print_json(json.dumps(found, default=str))
    else:
        _print_table(found, ("dataset", "as_of", "status", "version", "rows", "started_at", "error"))


@app.command(name="docs")
def write_docs(check: Annotated[bool, typer.Option("--check", help="only say which pages are stale")] = False) -> None:
    """Write docs/datasets/ from the declarations."""
    from shopmill.exports import documentation

    changed = documentation.stale() if check else documentation.write()
    if check and changed:
        raise InvalidInputError(f"docs/datasets is stale: {', '.join(changed)}. Run `make docs` and commit.")
    for name in changed:
        out.print(f"{documentation.FOLDER / name}")


@app.command()
def demo(
    exit: Annotated[bool, typer.Option("--exit", help="end when all is published, stopping everything")] = False,  # noqa: A002
    port: Annotated[int, typer.Option(help="port of Airflow's UI")] = 8080,
    shop: Annotated[str, typer.Option(help="complete-journey (real) or synthetic")] = "complete-journey",
    scale: Annotated[float, typer.Option(help="size of the synthetic shop; 1.0 is H&M's")] = 0.01,
    dataset: Annotated[list[str] | None, typer.Option(help="only this dataset; repeat for more")] = None,
    cluster: Annotated[bool, typer.Option("--cluster", help="with Celery, Redis and S3; a worker is killed")] = False,
) -> None:
    """Start a database with a real shop and Airflow, publish the datasets, and show them."""
    from shopmill.demo.demo import run_demo

    code = run_demo(console=out, exit=exit, port=port, shop=shop, scale=scale, datasets=dataset, cluster=cluster)
    raise typer.Exit(code)


for command in (
    lineage,
    report,
    export,
    training_set,
    export_gx,
    gc,
    airflow_setup,
    moved,
    reconcile,
):  # each in a module of its own
    app.command()(command)


@contextmanager
def _told(verbose: bool) -> Iterator[None]:
    try:
        yield
    except ShopmillError as error:
        if verbose:
            raise
        err.print(f"[red]error[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> None:
    """The entry point: errors are one sentence and exit code 1, with -v a traceback."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # a run that is ended says so in its row
    with _told("-v" in sys.argv or "--verbose" in sys.argv):
        app()


if __name__ == "__main__":
    main()
