"""What the demo's Airflow runs on: by itself one machine, where nothing but PostgreSQL and Airflow is to be started."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopmill.airflow.local import LocalAirflow, RunState
    from shopmill.airflow.local.topology import Topology

CORES = os.cpu_count() or 2
TASKS_AT_ONCE = max(2, min(4, CORES))
THREADS = max(1, CORES // TASKS_AT_ONCE)
"""Of each task: together the tasks have as many threads as there are cores, and do not fight for them."""
SELDOM = {
    "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "5",
    "DAG_PROCESSOR__FILE_PARSING_SORT_MODE": "alphabetical",
}
"""Airflow itself needs a core as well: it looks around less often than in a test, and first at what is published first."""


@dataclass
class OneMachine:
    """Tasks run beside the scheduler, and the store is a folder. `environment` is what a program needs to reach it."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict, init=False)
    tasks_at_once: int = field(default=TASKS_AT_ONCE, init=False)

    @property
    def store(self) -> str:
        """The address of the store."""
        return str(self.home / "store")

    @property
    def topology(self) -> "Topology":
        """The processes of Airflow."""
        from shopmill.airflow.local.topology import Topology

        return Topology(settings={"CORE__PARALLELISM": str(TASKS_AT_ONCE), **SELDOM})

    def start(self, running: ExitStack) -> None:
        """Starts what Airflow and the store need; `running` is given what ends it."""

    def watched(self, _: "LocalAirflow", states: "Iterator[list[RunState]]") -> "Iterator[list[RunState]]":
        """The states of the runs as they come; what happens to Airflow meanwhile happens between them."""
        return states

    def shows_its_point(self, _: "Sequence[RunState]") -> bool:
        """Whether what was to happen to Airflow has happened and did no harm."""
        return True
