"""Commands that work on the shop: run, doctor, embed, demo."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from shopmill.cli.options import DatasetName, Json, pairs
from shopmill.cli.output import err, out, print_json, print_lines
from shopmill.cli.progress import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopmill.run.published import Published
    from shopmill.run.run import Run
    from shopmill.settings import Settings
    from shopmill.source.findings import Finding

LEVELS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "error": "[red]error[/]"}


def run(
    context: typer.Context,
    dataset: DatasetName,
    as_of: Annotated[str, typer.Option("--as-of", help="the moment that the version is true for")],
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value; repeat for more")] = None,
    refresh: Annotated[bool, typer.Option(help="read the source again although this as_of was read before")] = False,
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write what each SQL statement cost, as JSON, and show the longest"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a dataset here and now: the same steps as its DAG, without Airflow."""
    from shopmill import datasets
    from shopmill.datasets.faults import refuse_faults
    from shopmill.run import steps
    from shopmill.run.run import Run

    refuse_faults(declared := datasets.load(dataset))
    started = Run.create(declared, as_of, context.obj, pairs("--param", param or []), refresh=refresh)
    with ProgressLine(err, f"{dataset} as of {as_of}") as progress:
        if profile is None:
            published = steps.run_all(started, progress.step, progress.count)
        else:
            published = _profiled(started, progress, profile, as_json)
    _print_run(published, _not_read(started), as_json)


def _not_read(run: "Run") -> list[str]:
    """What of the shop the run did not look at, and why: where a number is doubted, it is the first thing to know."""
    return [f"{name}: {snapshot.not_read}" for name, snapshot in run.inputs.items() if snapshot.not_read]


def _profiled(started: "Run", progress: ProgressLine, path: Path, as_json: bool) -> "Published":
    """The run, whose statements are noted: also those of a run that fails."""
    from shopmill.cli.profile import refuse_unusable, show_profile, write_profile
    from shopmill.engine.profile import profiling
    from shopmill.run import steps

    refuse_unusable(path, started.settings)
    with profiling() as found:

        def begin(step: str) -> None:
            found.step = step
            progress.step(step)

        try:
            published = steps.run_all(started, begin, progress.count)
        finally:
            write_profile(path, found)
    if not as_json:
        show_profile(path, found)
    return published


def _print_run(published: "Published", not_read: list[str], as_json: bool) -> None:
    if as_json:
        print_json(published.document())
        return
    out.print(
        f"{published.dataset} as of {published.as_of}: version [bold]{published.version}[/] {published.status}, "
        f"{published.rows:,} rows, {published.rejected:,} rejected, {published.bytes:,} bytes"
    )
    for name in published.warned:
        out.print(f"[yellow]warning[/] {escape(name)}")
    print_lines(*published.accounts, *not_read, published.path)


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
        print_json({"encoded": encoded, "cached": cached, "shard": shard})
    else:
        out.print(f"shard {shard}: {encoded:,} texts encoded, {cached:,} were in the cache")


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Examine the shop's database against the contract; exit code 1 when something is missing."""
    findings = examined(context.obj)
    if as_json:
        print_json([finding.document() for finding in findings])
    else:
        print_findings(findings)
    raise typer.Exit(int(any(finding.level == "error" for finding in findings)))


def examined(settings: "Settings") -> "list[Finding]":
    """What doctor finds in the shop's database."""
    from shopmill import datasets
    from shopmill.source.doctor import examine

    found = []
    with ProgressLine(err, "doctor looks at the shop") as progress:
        for finding in examine(settings, datasets.load_all()):
            progress.step(finding.subject)
            found.append(finding)
    return found


def print_findings(findings: "Iterable[Finding]") -> None:
    """What doctor found, a line each and how to fix it below."""
    for finding in findings:
        suffers = f" [dim]({', '.join(finding.suffers)})[/]" if finding.level != "ok" and finding.suffers else ""
        out.print(
            f"{LEVELS[finding.level]:<5} [bold]{finding.subject}[/] {escape(finding.text)}{suffers}", soft_wrap=True
        )
        if finding.fix:
            out.print(f"      {finding.fix}", soft_wrap=True, markup=False)


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
