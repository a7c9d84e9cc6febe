"""The command that prepares an Airflow for shopmill."""

from typing import Annotated

import typer

Slots = Annotated[
    int | None, typer.Option("--source-slots", min=1, help="extract tasks at once; default: 4, or what is set")
]


def airflow_setup(slots: Slots = None) -> None:
    """Make the pool of the source in Airflow's database, and roles where FAB manages access; again changes nothing."""
    from shopmill.airflow.pool import SOURCE_POOL
    from shopmill.airflow.setup import ensure_pool, ensure_roles

    print(f"Pool {SOURCE_POOL}: {ensure_pool(slots)} slots.")
    roles = ensure_roles()
    print(f"Roles: {', '.join(roles)}." if roles else "Roles: FAB does not manage access here, so there are none.")
