"""Commands that look at what there is: versions, show, path, runs, status, similar, search."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from shopmill.cli.options import MOST_ROWS, AsOfOption, DatasetName, Json, SomeDataset
from shopmill.cli.output import cell, out, print_json, print_lines, print_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from shopmill.settings import Settings
    from shopmill.text.index_search import Group, Neighbour
    from shopmill.versions.load import Version
    from shopmill.versions.statistics import TableStatistics
    from shopmill.versions.versions import Versions

COLUMNS = ("dataset", "as_of", "version", "rows", "rejected", "bytes", "current")
COLUMN_COLUMNS = ("name", "type", "nulls", "distinct", "values", "unit", "meaning")
RUN_COLUMNS = ("dataset", "as_of", "status", "version", "rows", "started_at", "error")
STATUS_COLUMNS = ("dataset", "state", "as_of", "age", "rows", "late from", "last run")
BLOCKS = " ▁▂▃▄▅▆▇█"
NumberOption = Annotated[int, typer.Option("-k", help="how many")]
EachOption = Annotated[bool, typer.Option("--each", help="a line for each article, not for each text")]
STATES = {"fresh": "green", "late": "yellow", "failing": "red", "running": "blue"}


def versions(context: typer.Context, dataset: SomeDataset = None, as_json: Json = False) -> None:
    """List the published versions."""
    from shopmill import datasets
    from shopmill.versions.store import Store
    from shopmill.versions.versions import Versions

    store = Store(context.obj.store)
    wanted = [datasets.load(dataset).name] if dataset else datasets.names()
    rows = [row for name in wanted for row in _rows_of(Versions(store, name, context.obj.zone))]
    if as_json:
        print_json(rows)
    elif not rows:
        out.print(f"No version in {store.url} yet: run [bold]shopmill run DATASET --as-of DATE[/].")
    else:
        withdrawn = ("withdrawn",) if any("withdrawn" in row for row in rows) else ()
        print_table(rows, (*COLUMNS, *withdrawn), spare=("bytes", "rejected", "current"))


def _rows_of(versions: "Versions") -> list[dict[str, Any]]:
    lines = versions.lines()
    counted = versions.counted(lines)
    return [
        {
            "dataset": versions.dataset,
            **{name: getattr(line, name) for name in ("as_of", "version", "rows", "rejected", "bytes")},
            "current": (line.as_of, line.version) in counted,
            **({"withdrawn": line.withdrawn} if line.withdrawn else {}),
        }
        for _, line in sorted(lines.items())
        if line.whole
    ]


def show(
    context: typer.Context,
    dataset: DatasetName,
    as_of: AsOfOption = None,
    table: Annotated[str | None, typer.Option(help="a table of the dataset; default: its main one")] = None,
    rows: Annotated[int, typer.Option(min=0, max=MOST_ROWS, help="how many rows of sample")] = 5,
    html: Annotated[Path | None, typer.Option("--html", help="write it as one HTML file instead")] = None,
    as_json: Json = False,
) -> None:
    """Show a version: columns and what they look like, checks, a sample of its rows with personal columns masked."""
    from shopmill import datasets
    from shopmill.versions.load import Version
    from shopmill.versions.scanning import own_connection

    found = Version(datasets.load(dataset).name, as_of, context.obj)
    if html:
        from shopmill.cli.report import write_version

        write_version(context.obj, found.manifest, html)
        return
    name = found.manifest.need(table or found.manifest.content["main_table"])
    sample = _masked(found.to_duckdb(name, own_connection()).limit(rows))
    if as_json:
        print_json(_document(found, name, sample, context.obj))
    else:
        _print_version(found, name, sample, context.obj)


def _masked(sample: "DuckDBPyRelation") -> list[tuple[Any, ...]]:
    """The rows as others may see them. What a rejected row was is a row of the shop's, written as JSON."""
    from shopmill.personal import SOURCE_ROW, masked, masked_json

    def shown(column: str, value: Any) -> Any:
        return masked_json(value) if column == SOURCE_ROW and value is not None else masked(column, value)

    return [tuple(map(shown, sample.columns, row)) for row in sample.fetchall()]


def _document(found: "Version", table: str, sample: Sequence[tuple[Any, ...]], settings: "Settings") -> dict[str, Any]:
    manifest = found.manifest
    names = [column["name"] for column in manifest.content["tables"][table]["columns"]]
    statistics = _statistics(found, table, settings)
    return {
        **asdict(manifest.summary),
        "path": found.path,
        "tables": manifest.content["tables"],
        "checks": manifest.checks,
        "accounts": manifest.content.get("accounts", {}),
        "sampled": statistics.sampled if statistics else 0,
        "statistics": {column.name: asdict(column) for column in statistics.columns} if statistics else {},
        "sample": [{n: v if v is None else str(v) for n, v in zip(names, row, strict=True)} for row in sample],
    }


def _print_version(found: "Version", table: str, sample: Sequence[tuple[Any, ...]], settings: "Settings") -> None:
    manifest = found.manifest
    described = manifest.content["tables"][table]
    out.print(f"[bold]{manifest.dataset}[/] as of {manifest.as_of}, version {manifest.version}")
    out.print(
        f"{table}: {described['grain']}; {manifest.rows(table):,} rows. Tables: {', '.join(manifest.tables)}\n",
        soft_wrap=not out.is_terminal,
    )
    known = _statistics(found, table, settings)
    looks = [{**column, **_looks(known, column["name"])} for column in described["columns"]]
    print_table(looks, COLUMN_COLUMNS, spare=("unit", "distinct", "type"))
    if known and known.sampled < known.rows:
        print_lines(f"Nulls, distinct and values are of {known.sampled:,} rows, spread over all.")
    out.print()
    checks = manifest.checks
    results = [
        {**c, "result": "passed" if c["passed"] else f"{c['severity']}: {c['detail'] or c['violations']}"}
        for c in checks
    ]
    print_table(results, ("table", "name", "result"), "Checks")
    for account in manifest.accounts:
        print_lines(account.sentence())
    out.print()
    for column, *values in zip([column["name"] for column in described["columns"]], *sample, strict=True):
        print_lines(f"{column:<28} " + "  ".join(str(value)[:24].ljust(24) for value in values))


def _statistics(found: "Version", table: str, settings: "Settings") -> "TableStatistics | None":
    """What the columns of a table look like, where that is known."""
    from shopmill.versions.statistics import statistics_of
    from shopmill.versions.store import Store
    from shopmill.versions.versions import Versions

    versions_of = Versions(Store(settings.store), found.manifest.dataset, settings.zone)
    return statistics_of(versions_of, found.manifest).get(table)


def _looks(table: "TableStatistics | None", name: str) -> dict[str, Any]:
    """The distribution of a column in a few characters."""
    if table is None or (column := table.column(name)) is None:
        return {}
    counts = [bar.rows for bar in column.histogram]
    most = max(counts, default=0)
    drawn = "".join(BLOCKS[-(-count * 8 // most)] for count in counts) if most else ""
    span = f"{column.minimum} … {column.maximum}" if column.minimum is not None else ""
    top = ", ".join(f"{bar.label} ({bar.rows:,})" for bar in column.top[:3])
    values = "personal" if column.personal else " ".join(filter(None, (drawn, span))) or top
    return {"nulls": column.nulls, "distinct": column.distinct, "values": values}


def path(
    context: typer.Context,
    dataset: DatasetName,
    as_of: AsOfOption = None,
    table: Annotated[str | None, typer.Option(help="a table of it")] = None,
    as_json: Json = False,
) -> None:
    """Print where a version is, for other programs: a folder of Parquet files per table."""
    from shopmill import datasets
    from shopmill.versions.load import Version

    found = Version(datasets.load(dataset).name, as_of, context.obj)
    place = found.path if table is None else f"{found.path}/{found.manifest.need(table)}"
    if as_json:
        print_json({**asdict(found.manifest.summary), "path": place})
    else:
        print_lines(place)


def runs(
    context: typer.Context,
    dataset: SomeDataset = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="how many, the newest first")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest runs in the registry."""
    from shopmill import datasets
    from shopmill.registry import Registry

    found = Registry(context.obj.registry_dsn.get_secret_value()).runs(dataset, limit)
    if dataset and not found:
        datasets.load(dataset)  # one that nobody knows is a mistake
    if as_json:
        print_json(found)
    elif not found:
        out.print(f"No run{f' of {dataset}' if dataset else ''} has begun yet.")
    else:
        rows = [{**run, "started_at": f"{run['started_at']:%Y-%m-%d %H:%M:%S}"} for run in found]
        print_table(rows, RUN_COLUMNS, spare=("rows", "started_at", "version"))


def status(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="exit code 1 when something is late or failing")] = False,
    as_json: Json = False,
) -> None:
    """Show in one screen what is fresh, late, failing or running, and when each dataset becomes late."""
    from datetime import UTC, datetime

    from shopmill.catalogue.reader import Reader
    from shopmill.catalogue.standing import Standing, standing

    def row(found: Standing) -> dict[str, Any]:
        run = found.last_run
        return {
            "dataset": found.dataset,
            "state": found.state + (", running" if found.running else ""),
            "as_of": found.current.as_of if found.current else None,
            "age": found.spoken_age,
            "promised": found.spoken_promise,
            "rows": found.current.rows if found.current else None,
            "late from": f"{found.due:%Y-%m-%d %H:%M} UTC" if found.due and found.state == "fresh" else None,
            "last run": f"{run.status} {run.started_at:%Y-%m-%d %H:%M}" if run else None,
            "error": run.error if run else None,
        }

    reader = Reader(context.obj, datetime.now(UTC))
    found = [standing(reader, name) for name in reader.names]
    rows = [row(one) for one in found]
    if as_json:
        print_json([{name.replace(" ", "_"): value for name, value in one.items()} for one in rows])
    else:
        if reader.silence:
            out.print(f"[yellow]warning[/] {escape(reader.silence)}", soft_wrap=True, highlight=False)
        print_table(rows, STATUS_COLUMNS, spare=("rows", "late from", "last run"))
        for one in rows:
            if one["state"].startswith("failing"):
                print_lines(f"{one['dataset']}: {cell(one['error'])}")
    raise typer.Exit(int(check and any(one.state in {"late", "failing"} for one in found)))


def similar(
    context: typer.Context,
    article_id: Annotated[str, typer.Argument(metavar="ARTICLE_ID", help="an article, as the shop names it")],
    number: NumberOption = 10,
    each: EachOption = False,
    as_json: Json = False,
) -> None:
    """List the texts nearest to an article's and their articles; first the other articles of its own text."""
    from shopmill.embeddings import neighbours

    if each:
        _print_neighbours(context.obj, neighbours.similar(article_id, number, context.obj), as_json)
    else:
        _print_groups(context.obj, neighbours.similar_groups(article_id, number, context.obj), as_json)


def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="what to look for, in words")],
    number: NumberOption = 10,
    each: EachOption = False,
    as_json: Json = False,
) -> None:
    """List the texts nearest to a text, and their articles."""
    from shopmill.embeddings import neighbours

    if each:
        _print_neighbours(context.obj, neighbours.search(text, number, context.obj), as_json)
    else:
        _print_groups(context.obj, neighbours.search_groups(text, number, context.obj), as_json)


def _print_neighbours(settings: "Settings", found: Sequence["Neighbour"], as_json: bool) -> None:
    from shopmill.embeddings.neighbours import texts_of

    texts = texts_of([neighbour.id for neighbour in found], settings)
    rows = [{"article_id": n.id, "similarity": round(n.similarity, 4), "text": texts.get(n.id, "")} for n in found]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ("article_id", "similarity", "text"))


def _print_groups(settings: "Settings", found: Sequence["Group"], as_json: bool) -> None:
    from shopmill.embeddings.neighbours import texts_of

    texts = texts_of([group.ids[0] for group in found], settings)
    rows = [_group_row(group, texts.get(group.ids[0], "")) for group in found]
    if as_json:
        print_json(rows)
        return
    print_table(rows, ("article_id", "articles", "similarity", "text"))
    if any(len(group.ids) > 1 for group in found):
        print_lines("A line stands for all articles of one text: --each lists them one by one.")


def _group_row(group: "Group", text: str) -> dict[str, Any]:
    """The line of a group goes by its first article."""
    return {
        "article_id": group.ids[0],
        "articles": len(group.ids),
        "similarity": round(group.similarity, 4),
        "text": text,
        "article_ids": group.ids,
    }
