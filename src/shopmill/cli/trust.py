"""`shopmill verify`, `repair`, `rebuild` and `unpublish`: whether a store can be trusted, and what to do where it cannot."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.cli.options import DatasetName, Json, SomeDataset
from shopmill.cli.output import err, print_json, print_lines
from shopmill.cli.progress import ProgressLine
from shopmill.errors import InvalidInputError

if TYPE_CHECKING:
    from shopmill.trust.finding import Finding
    from shopmill.versions.manifest import Manifest


def verify(
    context: typer.Context,
    dataset: SomeDataset = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="the version of this as_of; default: the current one")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="every version")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="the raw files that the versions were read from as well")] = False,
    as_json: Json = False,
) -> None:
    """Compare the store with its manifests, pointers, index and registry; exit code 1 when something differs."""
    from shopmill.trust.looks import verifications

    if as_of and everything:
        raise InvalidInputError("--as-of and --all exclude each other: give one of them.")
    at = AsOf.parse(as_of, context.obj.zone) if as_of else None
    found: list[Finding] = []
    with ProgressLine(err, "verify") as progress:
        for look in verifications(context.obj, dataset, raw, report=progress.read):
            progress.subject(f"verify {look.dataset.name}")
            found += look.of(at, everything)
        if raw:
            from shopmill.trust.erasure.returned import findings

            progress.subject("verify: looking for people who were erased")
            found += findings(context.obj)
    if as_json:
        print_json([finding.document() for finding in found])
    else:
        print_lines(*([finding.sentence for finding in found] or ["Nothing differs."]))
    raise typer.Exit(int(bool(found)))


def repair(context: typer.Context, dataset: SomeDataset = None, as_json: Json = False) -> None:
    """Make pointers, index and damaged files again from what is whole; exit code 1 when something is left to do."""
    from shopmill.trust.looks import verifications
    from shopmill.trust.repair import Repair
    from shopmill.versions.locks import Locks

    done: list[str] = []
    left: list[Finding] = []
    with ProgressLine(err, "repair") as progress:
        for look in verifications(context.obj, dataset, trusting=True, report=progress.read):
            progress.subject(f"repair {look.dataset.name}")
            with Locks(look.store).lock(f"publish {look.dataset.name}"):
                repaired = list(Repair(look).run())
            done += repaired
            left += (replace(look) if repaired else look).of(everything=True)  # what has changed is looked at again
    if as_json:
        print_json({"repaired": done, "left": [finding.document() for finding in left]})
    else:
        lines = [*(f"{one}." for one in done), *(finding.sentence for finding in left)]
        print_lines(*(lines or ["Nothing to repair."]))
    raise typer.Exit(int(bool(left)))


def rebuild(
    context: typer.Context,
    dataset: DatasetName,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="its id, or how it begins")],
    as_json: Json = False,
) -> None:
    """Compute a version again from its recorded inputs and compare the bytes; exit code 1 when they differ."""
    from shopmill.datasets.faults import refuse_faults
    from shopmill.trust.rebuild import rebuild as again

    refuse_faults(declared := datasets.load(dataset))
    with ProgressLine(err, f"rebuild {dataset} {version}") as progress:
        found = again(declared, version, context.obj, progress.step)
    if as_json:
        print_json({"same": found.is_same, "different": found.different, "changed": found.changed})
    else:
        print_lines(found.sentence)
    raise typer.Exit(int(not found.is_same))


def unpublish(
    context: typer.Context,
    dataset: DatasetName,
    as_of: Annotated[str, typer.Argument(metavar="AS_OF", help="the as_of whose version is wrong")],
    reason: Annotated[str, typer.Option(help="why: readers see it")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="put it into service again")] = False,
    as_json: Json = False,
) -> None:
    """Withdraw the version of an as_of: readers get an earlier one, or the reason."""
    from shopmill.trust.looks import verifications
    from shopmill.versions.locks import Locks

    [look] = verifications(context.obj, dataset)
    moment, name = AsOf.parse(as_of, context.obj.zone), look.dataset.name
    if not undo and not reason.strip():
        raise InvalidInputError("Say why with --reason: whoever loads the version sees it.")
    with Locks(look.store).lock(f"publish {name}"):
        left = look.versions.restore(moment) if undo else look.versions.withdraw(moment, reason.strip())
    current = look.versions.current()
    if as_json:
        serving = {"serves": left and left.version, "current": current and current.version}
        print_json({"dataset": name, "as_of": as_of, "withdrawn": not undo, **serving})
    elif undo and left:
        print_lines(f"{name} as of {as_of}: version {left.version} is in service again.")
    else:
        print_lines(_withdrawn(name, as_of, left, current))


def _withdrawn(name: str, as_of: str, left: "Manifest | None", current: "Manifest | None") -> str:
    now = f"version {left.version} serves as of {as_of}" if left else f"no version is left as of {as_of}"
    newest = (
        f"the current version is {current.version} as of {current.as_of}" if current else "no version is left at all"
    )
    return f"{name} as of {as_of} is withdrawn: {now}, and {newest}."
