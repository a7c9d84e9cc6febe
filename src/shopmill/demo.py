"""The demo: one command from nothing to published datasets, in a folder of its own, and nothing left when it ends."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from shopmill.asof import AsOf
from shopmill.demo_display import Loading, show_failures, show_login, show_published, watch
from shopmill.errors import ConflictError, InvalidInputError
from shopmill.settings import Settings
from shopmill.shops import completejourney, synthetic
from shopmill.shops.loading import Progress
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.shops.server import DemoServer, demo_server

if TYPE_CHECKING:
    from shopmill.airflow.local import AirflowClient, LocalAirflow, RunState

HOME = Path(".shopmill")
DAGS = Path("dags")
INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RUN_SECONDS = 3600


@dataclass(frozen=True)
class DemoShop:
    """A shop that the demo can load, and the first as_of that sees all of it."""

    note: str
    time_zone: str
    as_of: date
    load: Callable[[str, float, Progress], Mapping[str, int]]


SHOPS = {
    "complete-journey": DemoShop(
        completejourney.SOURCE_NOTE,
        completejourney.TIME_ZONE,
        completejourney.AS_OF,
        lambda dsn, _, progress: completejourney.load(dsn, progress),
    ),
    "synthetic": DemoShop(
        synthetic.SOURCE_NOTE,
        synthetic.TIME_ZONE,
        synthetic.AS_OF,
        lambda dsn, scale, progress: synthetic.load(dsn, scale, progress=progress),
    ),
}


def run_demo(
    *,
    console: Console,
    exit: bool = False,  # noqa: A002 (named as the command's option is)
    port: int = 8080,
    shop: str = "complete-journey",
    scale: float = 0.01,
    home: Path = HOME,
    dags_folder: Path = DAGS,
    datasets: Sequence[str] | None = None,
) -> int:
    """Runs the demo in `home` and returns its exit code: 0 when every DAG run succeeded, 1 when not, 130 interrupted.

    `datasets` are the DAGs to run, all in `dags_folder` if None; `scale` is for the synthetic shop only. With `exit`,
    or without a terminal, it ends by itself, else it keeps the UI up until Ctrl-C. Whatever ends it (Ctrl-C, SIGTERM,
    an error) stops PostgreSQL and Airflow; what a killed demo has left is ended by the next one in the same folder.
    """
    demo = Demo(console, home.resolve(), dags_folder, _known_shop(shop), scale, _dag_ids(dags_folder, datasets))
    outcome = INTERRUPTED
    with _sole_demo(demo.home), _signals_interrupt(), ExitStack() as started:
        started.callback(_ignore_signals)  # its place is the last to be called: see below
        try:
            airflow = demo.start(started, port)
            outcome = demo.publish(airflow)
            show_login(console, airflow, stays=not exit and console.is_terminal)
            if not exit and console.is_terminal:
                _stay_up(airflow)
        except KeyboardInterrupt:
            console.print("Stopping …")
        finally:
            _ignore_signals()  # a second Ctrl-C must not end the ending
    return outcome
