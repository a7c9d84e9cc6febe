"""`shopmill gc`: removes versions and raw files that nothing refers to any more."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import err, out, print_json
from shopmill.cli.progress import ProgressLine


def gc(
    context: typer.Context,
    last: Annotated[int, typer.Option(min=1, help="newest as_ofs of each dataset to keep")] = 14,
    weekly: Annotated[int, typer.Option(min=0, help="weeks of which the newest as_of is kept")] = 8,
    monthly: Annotated[int, typer.Option(min=0, help="months of which the newest as_of is kept")] = 24,
    grace_hours: Annotated[int, typer.Option(min=1, help="hours for which anything new is kept")] = 48,
    delete: Annotated[bool, typer.Option("--delete/--dry-run", help="delete it, not only show it")] = False,
    as_json: Json = False,
) -> None:
    """Show what the store holds beyond what is to be kept, and with --delete remove it."""
    from shopmill import datasets
    from shopmill.run.staging import staged_runs
    from shopmill.versions.garbage import Garbage, GarbageCollection, collect
    from shopmill.versions.locks import Locks
    from shopmill.versions.retention import Retention
    from shopmill.versions.store import Store

    settings = context.obj
    look = GarbageCollection(
        Store(settings.store),
        settings.zone,
        datasets.names(),
        staged_runs,
        Retention(last, weekly, monthly),
        datetime.now(UTC),
        timedelta(hours=grace_hours),
    )
    with ProgressLine(err, "gc"):
        found: Garbage = collect(look, Locks(look.store)) if delete else look.garbage()
    if as_json:
        keys = [entry.key for entry in found.entries]
        print_json({"deleted": delete, "bytes": found.bytes, "keys": keys})
        return
    for name, entries in (*found.versions.items(), *found.raw.items(), ("staging", found.staging)):
        if entries:
            files, size = sum(entry.files for entry in entries), sum(entry.bytes for entry in entries)
            out.print(f"{name}: {files:,} files, {size:,} bytes")
    if not found.entries:
        out.print("Nothing to delete.")
    elif delete:
        out.print(f"Deleted {found.files:,} files, {found.bytes:,} bytes.")
    else:
        out.print(f"{found.files:,} files, {found.bytes:,} bytes could go: add --delete to delete them.")
