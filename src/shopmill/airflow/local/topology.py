"""Which processes an Airflow on this machine is made of: tasks beside the scheduler, or on Celery workers."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shopmill.airflow.local.configuration import LOGIN

API = "api-server"
COMPONENTS = {
    API: (API,),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
HEARTBEAT_TIMEOUT_SECONDS = 20
PING_SECONDS = 2.0


@dataclass(frozen=True)
class Topology:
    """The processes by name with their arguments for `airflow`, and the settings that this way of running needs.

    `prepare` are commands of `airflow` for a new database; each is given the administrator's password twice as input.
    `absent_workers` says which processes do not answer that Airflow's own health report leaves out.
    """

    processes: Mapping[str, Sequence[str]] = field(default_factory=lambda: COMPONENTS)
    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: Sequence[Sequence[str]] = ()
    absent_workers: Callable[[], list[str]] = list

    @property
    def builds_api_early(self) -> bool:
        """Whether the API can be built before the database has its tables: FAB's users and roles lie in them."""
        return "CORE__AUTH_MANAGER" not in self.settings


def celery_topology(broker_url: str, workers: int = 2) -> Topology:
    """Celery workers of two tasks each behind a Redis, and users of the FAB auth manager, of whom `admin` is made.

    All processes share one log folder, so no worker serves its logs over the network.
    """
    names = [f"worker-{number}" for number in range(1, workers + 1)]
    return Topology(
        processes={**COMPONENTS, **{name: _worker(name) for name in names}},
        settings=_settings(broker_url),
        prepare=[_administrator()],
        absent_workers=lambda: _absent(names, broker_url),
    )


def _absent(names: Sequence[str], broker_url: str) -> list[str]:
    from celery import Celery  # type: ignore[import-untyped]

    with Celery(broker=broker_url) as app:
        answers = app.control.ping(timeout=PING_SECONDS, limit=len(names)) or []
    present = {node.split("@")[0] for answer in answers for node in answer}
    return [name for name in names if name not in present]


def _worker(name: str) -> Sequence[str]:
    options = ("--concurrency", "2", "--skip-serve-logs", "--without-gossip")
    return ("celery", "worker", "--celery-hostname", f"{name}@{os.uname().nodename}", *options)


def _administrator() -> Sequence[str]:
    person = ("--firstname", "Demo", "--lastname", "Administrator", "--email", "admin@shop.example")
    return ("users", "create", "--username", LOGIN, "--role", "Admin", *person)


def _settings(broker_url: str) -> dict[str, str]:
    """What docs/operations.md explains: a lost worker is noticed within seconds, not after five minutes."""
    return {
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__AUTH_MANAGER": FAB,
        "CELERY__BROKER_URL": broker_url,
        "CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        "CELERY__OPERATION_TIMEOUT": "10",
        "CELERY__CELERY_CONFIG_OPTIONS": "shopmill.airflow.celery_settings.PRELOADING",
        "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "86400",  # longer than any task
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        "SCHEDULER__TASK_QUEUED_TIMEOUT": "60",  # what the lost worker had taken and not begun is queued again
        "SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "1000",  # as is what waits for the other worker, and that is no failure
        "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    }
