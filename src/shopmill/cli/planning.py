"""`shopmill plan` and `shopmill backfill`: what runs would do, and those that are due."""

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from shopmill import datasets
from shopmill.cli.options import MOST_ROWS, DatasetName, Json, pairs
from shopmill.cli.output import err, out, print_json, print_lines, print_table
from shopmill.cli.progress import ProgressLine
from shopmill.errors import InvalidInputError

if TYPE_CHECKING:
    from shopmill.run.plan import RunPlan
    from shopmill.trust.backfill import Backfill, Done, Due, OnStep, Reason

Params = Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value; repeat for more")]
SAYS = {
    "unchanged": "Nothing would be computed",
    "first": "The first version",
    "full": "A full rebuild",
    "incremental": "An incremental run",
}


def plan(
    context: typer.Context,
    dataset: DatasetName,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="2020-09-23, or 2020-09-23T10:15:00Z; default: the newest that is over"),
    ] = None,
    param: Params = None,
    refresh: Annotated[bool, typer.Option(help="as if the source were read again")] = False,
    as_json: Json = False,
) -> None:
    """Show what a run would read, compute, take over and write, and why. Writes nothing."""
    from shopmill.run.plan import plan_of
    from shopmill.run.rehearsal import Rehearsal
    from shopmill.trust.due import newest_begun

    declared, settings = datasets.load(dataset), context.obj
    wanted = as_of or newest_begun(declared.promise, datetime.now(UTC), settings.zone).label
    parameters = pairs("--param", param or [])
    found = plan_of(Rehearsal.create(declared, wanted, settings, parameters, refresh=refresh))
    if as_json:
        print_json(found.document())
    else:
        _print_plan(found)


def _print_plan(found: "RunPlan") -> None:
    print_lines(f"{found.dataset} as of {found.as_of}. {SAYS[found.kind]}: {'; '.join(found.why)}.")
    if found.previous:
        print_lines(f"Previous version: {found.previous.version} as of {found.previous.as_of}.")
    print_lines("", "Reads")
    print_table([vars(one) for one in found.reads], ("name", "source", "what"))
    if found.writes:
        rows = [{**vars(one), "files taken over": one.taken_over} for one in found.writes]
        print_lines("", f"Writes a version in {found.folder}")
        print_table(rows, ("table", "computed", "files taken over"))
    if found.replaces:
        print_lines("", f"It would replace version {found.replaces} of this as_of, unless it comes out the same.")
    if not found.serves:
        print_lines("", "It would not become the current version: there is one of a later as_of.")


def backfill(
    context: typer.Context,
    dataset: DatasetName,
    missing: Annotated[bool, typer.Option("--missing", help="as_ofs of the schedule that have no version")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="versions whose inputs, parameters or code changed")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="as_ofs whose last run failed or was blocked")] = False,
    first: Annotated[str | None, typer.Option("--from", help="the first as_of; default: the first one known")] = None,
    last: Annotated[str | None, typer.Option("--to", help="the last as_of; default: the newest that is due")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="how many runs at most, the oldest first")] = 100,
    param: Params = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what is due, and run nothing")] = False,
    airflow: Annotated[
        bool, typer.Option("--airflow", help="print Airflow's commands for it, and run nothing")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the as_ofs that are missing, stale or failed, and only those; exit code 1 when one of them failed."""
    from shopmill.trust.backfill import Backfill

    chosen: dict[Reason, bool] = {"missing": missing, "stale": stale, "failed": failed}
    if not any(chosen.values()):
        raise InvalidInputError("Say what to fill in: --missing, --stale, --failed, or several of them.")
    asked = Backfill(
        datasets.load(dataset),
        context.obj,
        datetime.now(UTC),
        frozenset(name for name, wanted in chosen.items() if wanted),
        first,
        last,
        pairs("--param", param or []),
    )
    with ProgressLine(err, f"looking at the versions of {dataset}"):
        due = list(islice(asked.due(), limit + 1))
    more, due = len(due) > limit, due[:limit]
    if airflow:
        _print_airflow(asked, due, more, as_json)
        return
    done = [] if dry_run else _run(asked, due, quiet=as_json)
    if as_json:
        print_json(
            {"dataset": dataset, "due": [vars(one) for one in due], "more": more, "done": [d.document() for d in done]}
        )
    elif dry_run:
        _print_due(dataset, due, more)
    else:
        _print_done(dataset, due, done, more)
    raise typer.Exit(int(any(one.status == "failed" for one in done)))


def _print_airflow(asked: "Backfill", due: "list[Due]", more: bool, as_json: bool) -> None:
    from shopmill.trust.airflow_commands import airflow_commands

    commands = list(airflow_commands(asked.dataset, due, asked.settings.zone))
    if as_json:
        print_json(
            {"dataset": asked.dataset.name, "due": [vars(one) for one in due], "more": more, "commands": commands}
        )
        return
    print_lines(*(commands or [NOTHING]))
    if more:
        err.print(f"warning More is due than the {len(due):,} runs that --limit allows.", markup=False, soft_wrap=True)


NOTHING = "Nothing is due."


def _print_due(dataset: str, due: "list[Due]", more: bool) -> None:
    if not due:
        print_lines(NOTHING)
        return
    print_table([vars(one) for one in due], ("as_of", "reason", "why"))
    print_lines("", f"{dataset}: {len(due):,} runs are due{', and more than --limit allows' if more else ''}.")


def _run(asked: "Backfill", due: "list[Due]", quiet: bool) -> "list[Done]":
    name = asked.dataset.name
    done = []
    with ProgressLine(err, name) as progress:

        def begin(one: "Due", number: int) -> "OnStep":
            progress.subject(f"{name} as of {one.as_of} ({number} of {len(due)})")
            return progress.step

        for one in asked.run(due, begin):
            done.append(one)
            if not quiet:
                out.print(_sentence(name, one), soft_wrap=True, highlight=False, markup=False)
    return done


def _sentence(name: str, one: "Done") -> str:
    return f"{name} as of {one.as_of}: {f'failed: {one.error}' if one.error else f'version {one.version} {one.status}'}"


def _print_done(dataset: str, due: "list[Due]", done: "list[Done]", more: bool) -> None:
    if not due:
        print_lines(NOTHING)
        return
    failed = sum(one.status == "failed" for one in done)
    left = len(due) - len(done)
    ended = [f"{len(done) - failed:,} of {len(due):,} runs ended well"]
    ended += [f"{failed:,} failed"] if failed else []
    ended += [f"{left:,} were not begun, because they continue from one that failed"] if left else []
    ended += ["more is due than --limit allows"] if more else []
    print_lines(
        f"{dataset}: {', '.join(ended)}." + (" Run it again for what is left." if left or more or failed else "")
    )
