"""The commands about the shop's database: `shopmill moved` and `shopmill reconcile`."""

from dataclasses import asdict
from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import err, print_json, print_lines
from shopmill.cli.progress import ProgressLine


def moved(context: typer.Context, as_json: Json = False) -> None:
    """Confirm that the database of the settings is the shop that the store is of, in another place."""
    from shopmill.source.shop import move

    changed = move(context.obj)
    if as_json:
        print_json({"changed": list(changed)})
    else:
        print_lines(f"The store is of this database now ({'; '.join(changed)})." if changed else "Nothing has changed.")


def reconcile(
    context: typer.Context,
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE]...", help="facts; default: all")] = None,
    as_json: Json = False,
) -> None:
    """Compare every day that was read with the shop, and read the days again that differ."""
    from shopmill.source import reconcile as work
    from shopmill.versions.locks import Locks
    from shopmill.versions.store import Store

    settings = context.obj
    lock = Locks(Store(settings.store, settings.work_folder)).lock
    with ProgressLine(err, "reconcile") as progress:
        found = work.reconcile(settings, lock, tables or (), progress.step)
    if as_json:
        print_json([asdict(table) for table in found])
    else:
        print_lines(*([table.sentence for table in found] or ["Nothing has been read yet."]))
