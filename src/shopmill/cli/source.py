"""The commands about the shop's database: `shopmill moved`."""

import typer
from rich.console import Console

out = Console()


def moved(context: typer.Context) -> None:
    """Confirm that the database of the settings is the shop that the store is of, in another place."""
    from shopmill.source.shop import move

    changed = move(context.obj)
    out.print(f"The store is of this database now ({'; '.join(changed)})." if changed else "Nothing has changed.")
