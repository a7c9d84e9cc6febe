"""The command that prepares an Airflow for shopmill."""

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import print_json, print_lines

Slots = Annotated[
    int | None, typer.Option("--source-slots", min=1, help="extract tasks at once; default: 4, or what is set")
]


def airflow_setup(slots: Slots = None, as_json: Json = False) -> None:
    """Make the pool of the source in Airflow's database, and roles where FAB manages access; again changes nothing."""
    with redirect_stdout(sys.stderr):  # where Airflow's own log lines belong
        from shopmill.airflow.pool import SOURCE_POOL
        from shopmill.airflow.setup import ensure_pool, ensure_roles

        found, roles = ensure_pool(slots), ensure_roles()
    if as_json:
        print_json({"pool": SOURCE_POOL, "slots": found, "roles": roles})
        return
    names = ", ".join(roles) or "none, for FAB does not manage access here"
    print_lines(f"Pool {SOURCE_POOL}: {found} slots.", f"Roles: {names}.")
