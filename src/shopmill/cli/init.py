"""`shopmill init`: settings and a mapping for a shop, proposed after a look at its database."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import err, out, print_json, print_lines
from shopmill.cli.progress import ProgressLine
from shopmill.cli.running import examined, print_findings

FIRST = "user_item_interactions"

if TYPE_CHECKING:
    from shopmill.declaration import Dataset
    from shopmill.settings import Settings
    from shopmill.source.findings import Finding
    from shopmill.source.proposal.propose import Proposal


def init(
    context: typer.Context,
    dsn: Annotated[str | None, typer.Option(help="the shop's PostgreSQL; default: SHOPMILL_SOURCE_DSN")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="write although there are files; they are kept as .bak")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at the shop's database, and write shopmill.toml and a mapping; exit code 1 when doctor finds an error."""
    from shopmill.settings import load_settings, of_environment
    from shopmill.source.proposal.document import MAPPING, Place
    from shopmill.source.proposal.propose import propose

    place = Place.of_environment()
    overrides = {"store": context.obj.store, **({"source_dsn": dsn} if dsn else {})}
    if not force:
        place.refuse_what_is_there()
    with place.prepared() as folder, ProgressLine(err, "init looks at the shop"):
        proposal = propose(load_settings(**overrides), of_environment(), folder / MAPPING, str(place.mapping))
        written = [str(path) for path in place.write(proposal, folder)]
    settings = load_settings(**overrides)
    findings = examined(settings)
    steps = list(_next_steps(settings, proposal, findings, dsn))
    if as_json:
        print_json(_document(proposal, written, findings, steps))
    else:
        _print(proposal, written, findings, steps)
    raise typer.Exit(int(any(finding.level == "error" for finding in findings)))


def _document(
    proposal: "Proposal", written: Sequence[str], findings: "Sequence[Finding]", steps: Sequence[str]
) -> dict[str, Any]:
    return {
        "about": proposal.about,
        "written": written,
        "settings": [asdict(choice) for choice in proposal.choices],
        "questions": proposal.questions,
        "doctor": [finding.document() for finding in findings],
        "next": steps,
    }


def _print(proposal: "Proposal", written: Sequence[str], findings: "Sequence[Finding]", steps: Sequence[str]) -> None:
    print_lines(proposal.about)
    for path in written:
        out.print("[green]wrote[/]", end=" ")
        print_lines(path)
    for question in proposal.questions:
        out.print("[yellow]question[/]", end=" ")
        print_lines(question)
    print_lines("", "What doctor says of it:")
    print_findings(findings)
    print_lines("", *(f"Next: {step}" for step in steps))


def _next_steps(
    settings: "Settings", proposal: "Proposal", findings: "Sequence[Finding]", dsn: str | None
) -> Iterator[str]:
    from shopmill import datasets
    from shopmill.source.proposal.propose import as_of

    ready = {dataset.name: dataset for dataset in datasets.load_all() if _has_its_tables(dataset, proposal.tables)}
    if any(finding.level == "error" for finding in findings) or not ready:
        yield "fix the errors above, in shopmill.toml and the mapping, until `shopmill doctor` finds none"
        return
    if dsn:
        yield "set SHOPMILL_SOURCE_DSN to the connection string that you gave as --dsn: no file holds it"
    if not settings.registry_dsn.get_secret_value():
        yield "set SHOPMILL_REGISTRY_DSN to a database for the rows of runs: postgresql://user:password@host:5432/registry"
    yield f"shopmill run {FIRST if FIRST in ready else min(ready)} --as-of {as_of(proposal.newest)}"


def _has_its_tables(dataset: "Dataset", tables: Sequence[str]) -> bool:
    needed = [i.table for i in dataset.inputs if not i.optional]
    return bool(needed) and set(needed) <= set(tables)
