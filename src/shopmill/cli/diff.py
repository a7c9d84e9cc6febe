"""`shopmill diff`: what changed between two versions, in one screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shopmill.cli.options import DatasetName, Json
from shopmill.cli.output import err, print_json, print_lines, print_table
from shopmill.cli.progress import ProgressLine

if TYPE_CHECKING:
    from shopmill.trust.diff import VersionDiff
    from shopmill.trust.manifest_diff import Change

MOST = 5
"""Lines of each kind that a screen has room for: --json and --html have all."""
NAMED = "its as_of, its id, or how the id begins"


def diff(
    context: typer.Context,
    dataset: DatasetName,
    before: Annotated[str, typer.Argument(metavar="A", help=f"a version: {NAMED}")],
    after: Annotated[str, typer.Argument(metavar="B", help="another version of it")],
    html: Annotated[Path | None, typer.Option("--html", help="write it as one HTML file instead")] = None,
    as_json: Json = False,
) -> None:
    """Show what changed between two versions: rows, columns, biggest movers, inputs, parameters, code."""
    from shopmill import datasets
    from shopmill.trust.diff import diff as compare

    name = datasets.load(dataset).name
    with ProgressLine(err, f"diff of {name}, {before} and {after}"):
        found = compare(name, before, after, context.obj)
    if html:
        _write_page(found, html)
    elif as_json:
        print_json(found.document())
    else:
        _print(found)


def _write_page(found: "VersionDiff", file: Path) -> None:
    from shopmill.catalogue.pages.diff import page_of
    from shopmill.catalogue.site import Site

    page = page_of(found)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(Site(whole=True).render(page, page.here))
    print_lines(file.resolve())


def _print(found: "VersionDiff") -> None:
    before, after = found.before, found.after
    print_lines(
        f"{after.dataset}: version {before.version} as of {before.as_of}, and version {after.version} as of {after.as_of}. "
        f"{found.same_files:,} of {len(after.all_files):,} files are the same.",
    )
    _print_rows(found)
    _print_columns(found)
    _print_movers(found)
    why = list(_why(found))
    print_lines("", *(why or ["Inputs, parameters, software, code and checks are the same."]))


def _print_rows(found: "VersionDiff") -> None:
    rows = [{**vars(table), "changed most": table.note or _counted(table.by_column)} for table in found.tables]
    print_lines("")
    print_table(
        rows, ("table", "before", "after", "added", "removed", "changed", "changed most"), spare=("changed most",)
    )


def _counted(by_column: dict[str, int]) -> str:
    most = sorted(by_column.items(), key=lambda one: (-one[1], one[0]))[:3]
    return ", ".join(f"{name} ({rows:,})" for name, rows in most)


def _print_columns(found: "VersionDiff") -> None:
    moved = sorted((c for c in found.columns if c.psi > 0), key=lambda c: (-c.psi, c.table, c.column))
    if not moved:
        return
    rows = [
        {
            "column": f"{c.table}.{c.column}",
            "stability index": f"{c.psi:.3f}",
            "nulls": f"{100 * c.nulls[0]:.1f} → {100 * c.nulls[1]:.1f} %",
            "mean": f"{c.mean[0]} → {c.mean[1]}" if c.mean[0] and c.mean[1] else "",
        }
        for c in moved[:MOST]
    ]
    title = "Columns that moved (population stability index: below 0.1 stable, above 0.25 another population)"
    print_lines("", title)
    print_table(rows, ("column", "stability index", "nulls", "mean"))


def _print_movers(found: "VersionDiff") -> None:
    if not found.movers:
        return
    rows = [
        {
            "column": f"{table}.{mover.column}",
            "row": mover.key,
            "before": mover.before,
            "after": mover.after,
            "deviations": f"{mover.deviations:.1f}",
        }
        for table, mover in found.movers[:MOST]
    ]
    print_lines("", "Biggest movers (in standard deviations of the column)")
    print_table(rows, ("column", "row", "before", "after", "deviations"))


def _why(found: "VersionDiff") -> Iterator[str]:
    """What the manifests say, but for the rows, a line per kind."""
    for group in found.groups:
        if group.heading == "Rows":
            continue
        said = [_said(change) for change in group.changes[:MOST]]
        more = f"; and {len(group.changes) - MOST} more" if len(group.changes) > MOST else ""
        yield f"{group.heading}: {'; '.join(said)}{more}"


def _said(change: "Change") -> str:
    return f"{change.name} {change.before or 'not there'} → {change.after or 'not there'}"
