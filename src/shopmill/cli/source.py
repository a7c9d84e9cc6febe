"""The commands about the shop's database: `shopmill moved` and `shopmill reconcile`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

out = Console()


def moved(context: typer.Context) -> None:
    """Confirm that the database of the settings is the shop that the store is of, in another place."""
    from shopmill.source.shop import move

    changed = move(context.obj)
    out.print(f"The store is of this database now ({'; '.join(changed)})." if changed else "Nothing has changed.")


def reconcile(
    context: typer.Context,
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE]...", help="facts; default: all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, for scripts")] = False,
) -> None:
    """Compare every day that was read with the shop, and read the days again that differ."""
    from shopmill.source import reconcile as work
    from shopmill.versions.locks import Locks
    from shopmill.versions.store import Store

    settings = context.obj
    found = work.reconcile(settings, Locks(Store(settings.store, settings.work_folder)).lock, tables or ())
    if as_json:
        out.print_json(json.dumps([asdict(table) for table in found], default=str))
        return
    for table in found:
        out.print(table.sentence, soft_wrap=True, highlight=False)
    if not found:
        out.print("Nothing has been read yet.")
