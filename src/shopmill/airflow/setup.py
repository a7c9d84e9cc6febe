"""What shopmill needs in Airflow's database: the pool of the source, and roles for people where FAB knows them."""

from airflow.configuration import conf
from airflow.models.pool import Pool

from shopmill import datasets
from shopmill.airflow.pool import SOURCE_POOL

DEFAULT_SLOTS = 4
VIEWER, RUNNER = "shopmill_viewer", "shopmill_runner"
DESCRIPTION = "extract tasks that read the shop's database at once"


def ensure_pool(slots: int | None) -> int:
    """Makes the pool, or gives it other slots; without `slots` one that is there stays as it is. Returns its slots."""
    found = Pool.get_pool(SOURCE_POOL)
    if found is None or slots not in (None, found.slots):
        found = Pool.create_or_update_pool(SOURCE_POOL, slots or DEFAULT_SLOTS, DESCRIPTION, include_deferred=False)
    return int(found.slots)


def ensure_roles() -> list[str]:
    """Makes the roles, or gives them what they lack; returns their names, none where FAB does not manage access."""
    if "FabAuthManager" not in conf.get("core", "auth_manager"):
        return []
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        general = set(builder.sm.VIEWER_PERMISSIONS) - {("can_read", "DAGs")}
        roles = {VIEWER: general | _on_each_dag("can_read"), RUNNER: general | _to_run()}
        builder.sm.bulk_sync_roles([{"role": name, "perms": sorted(perms)} for name, perms in roles.items()])
    return list(roles)


def _to_run() -> set[tuple[str, str]]:
    """To trigger, clear and mark: FAB grants that on runs and tasks as such, and the DAG's own right bounds it."""
    on_runs = {(action, "DAG Runs") for action in ("can_create", "can_edit")}
    on_tasks = {(action, "Task Instances") for action in ("can_create", "can_edit")}
    return _on_each_dag("can_read", "can_edit") | on_runs | on_tasks


def _on_each_dag(*actions: str) -> set[tuple[str, str]]:
    return {(action, f"DAG:{name}") for name in datasets.names() for action in actions}
