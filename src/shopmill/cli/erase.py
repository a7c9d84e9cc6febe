"""`shopmill erase`: a person leaves the store and the registry."""

from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import err, print_json, print_lines
from shopmill.cli.progress import ProgressLine
from shopmill.errors import InvalidInputError


def erase(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option(help="the customer's id, as the shop has it")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be removed, and remove nothing")] = False,
    restored: Annotated[
        bool, typer.Option("--restored", help="erase again whom a backup of the store brought back")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove a person from raw files, every version, the caches and the registry, and keep them out."""
    from shopmill.trust.erasure.erase import Erasure

    if (customer is None) != restored or (restored and dry_run):
        raise InvalidInputError(
            "Say whom to erase: --customer ID, or --restored alone for everyone who was erased before."
        )
    with ProgressLine(err, "erase") as progress:
        erasure = Erasure(context.obj, progress.step)
        once = erasure.preview if dry_run else erasure.run
        receipts = erasure.restored() if customer is None else [once(customer)]
    documents = [{"dry_run": dry_run, **receipt.document()} for receipt in receipts]
    if as_json:
        print_json(documents if restored else documents[0])
        return
    for receipt in receipts:
        what = "Would be removed" if dry_run else "Removed"
        print_lines(f"{what} of person {receipt.person}:", *(f"  {sentence}" for sentence in receipt.sentences))
    if not receipts:
        print_lines("Nobody who was erased is in the store.")
