"""A run in a process of its own, which is killed at the n-th change that it makes to the store."""

import itertools
import multiprocessing
import os
import resource
import signal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from changes import before_each
from shopmill import datasets
from shopmill.errors import ShopmillError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DATASET = "user_item_interactions"
PARAMETERS = {"max_reject_share": 1, "max_row_drop": 1}

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "shopmill.run.steps",
        "shopmill.engine.duckdb_engine",
        "shopmill.source.extraction",
        "shopmill.trust.erasure.erase",
    ]
)


def start(settings: Settings, as_of: str, report: Path, **how: Any) -> BaseProcess:
    """Begins a run; `report` gets a line per change of the store, then the status or the error."""
    plain = {
        "store": settings.store,
        "source_dsn": settings.source_dsn.get_secret_value(),
        "registry_dsn": settings.registry_dsn.get_secret_value(),
        "encoder_folder": str(settings.encoder_folder),
    }
    process = processes.Process(target=_run, args=(plain, as_of, str(report)), kwargs=how)
    process.start()
    return process


def _run(
    plain: dict[str, str],
    as_of: str,
    report: str,
    kill_at: int = -1,
    run_id: str | None = None,
    file_limit: int = 0,
    barrier: Any = None,
    dataset: str = DATASET,
) -> None:
    with Path(report).open("a", buffering=1) as told:
        if not file_limit:  # which the report would run into
            _kill_at(kill_at, told)
        if barrier:
            barrier.wait(60)
        if file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
        try:
            published = steps.run_all(
                Run.create(datasets.load(dataset), as_of, Settings(_env_file=None, **plain), PARAMETERS, run_id)
            )
            outcome = f"{published.status} {published.version}"
        except ShopmillError as error:
            outcome = f"{type(error).__name__} {error}"
        if not file_limit:
            told.write(f"= {outcome}\n")
    os._exit(0 if " " in outcome and outcome.split()[0] in {"published", "unchanged"} else 3)


def _kill_at(number: int, told: Any) -> None:
    counter = itertools.count()

    def look(name: str, what: str) -> None:
        told.write(f"{name} {what}\n")
        if next(counter) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    before_each(look)
