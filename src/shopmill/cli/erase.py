"""`shopmill erase`: a person leaves the store and the registry."""

from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import err, print_json, print_lines


def erase(
    context: typer.Context,
    customer: Annotated[str, typer.Option(help="the customer's id, as the shop has it")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be removed, and remove nothing")] = False,
    as_json: Json = False,
) -> None:
    """Remove a person from raw files, every version, the caches and the registry, and keep them out."""
    from shopmill.trust.erasure.erase import Erasure

    with err.status("erasing") as status:
        erasure = Erasure(context.obj, lambda step: status.update(f"erasing: {step}"))
        receipt = erasure.preview(customer) if dry_run else erasure.run(customer)
    if as_json:
        print_json({"dry_run": dry_run, **receipt.document()})
        return
    print_lines(
        f"Would be removed of person {receipt.person}:" if dry_run else f"Removed of person {receipt.person}:",
        *(f"  {sentence}" for sentence in receipt.sentences),
    )
