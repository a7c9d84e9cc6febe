"""The demo: one command from nothing to published datasets, in a folder of its own, and nothing runs after it."""

import fcntl
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console

from shopmill import datasets
from shopmill.demo.display import (
    Loading,
    doing,
    show_door,
    show_end,
    show_failures,
    show_login,
    show_plan,
    show_published,
    watch,
)
from shopmill.demo.door import Door
from shopmill.demo.platform import THREADS, OneMachine
from shopmill.demo.shop import DemoShop, ShopLoads, known_shop
from shopmill.demo.turns import Turns, in_order
from shopmill.errors import INTERRUPTED, ConflictError, InvalidInputError, ShopmillError
from shopmill.registry import Registry
from shopmill.settings import load_settings
from shopmill.shops.loading import CATALOGUE
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.shops.server import DemoServer, demo_server

if TYPE_CHECKING:
    from shopmill.airflow.local import LocalAirflow, RunState

HOME = Path(".shopmill")
DAGS = Path("dags")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LONGEST_START_SECONDS = 1800  # on a machine that does other things too


def run_demo(
    *,
    console: Console,
    exit: bool = False,  # noqa: A002 (as the command's option is called)
    port: int = 8080,
    shop: str = "complete-journey",
    scale: float = 0.01,
    home: Path = HOME,
    dags_folder: Path = DAGS,
    datasets: Sequence[str] | None = None,
    cluster: bool = False,
) -> int:
    """Runs the demo in `home` and returns its exit code: 0 when every DAG run succeeded, 1 when not, 130 interrupted.

    `datasets` are the DAGs to run, all in `dags_folder` if None; `scale` is for the synthetic shop only. With `exit`,
    or without a terminal, it ends by itself, else the UI stays up until Ctrl-C. Whatever ends it (Ctrl-C, SIGTERM, an
    error) stops everything; what a killed demo left behind, the next one in the same folder ends. A `cluster` has Celery
    workers, one of which is killed in mid-task, and lives in a folder of its own within `home`.
    """
    stays = console.is_terminal and not exit
    platform = _cluster(console, home.resolve() / "cluster") if cluster else OneMachine(home.resolve())
    demo = _Demo(console, platform, dags_folder, known_shop(shop), scale, _dag_ids(dags_folder, datasets))
    code = INTERRUPTED
    with _sole_demo(demo.home), _signals_interrupt() as ignore_signals, ExitStack() as running:
        try:
            shop_loads, airflow = demo.start(running, port)
            door = _opened_door(running, airflow) if stays else None
            if door:
                show_door(console, door.address)
            code = demo.publish(airflow, shop_loads)
            if door:
                show_login(console, airflow, door.address, demo.home)
                _stay_up(airflow)
            elif not cluster:
                show_end(console, demo.home)
        except KeyboardInterrupt:
            console.print("Stopping everything …")
        finally:
            ignore_signals()  # a second Ctrl-C must not end the ending
    return code


@dataclass
class _Demo:
    console: Console
    platform: OneMachine
    dags_folder: Path
    shop: DemoShop
    scale: float
    dag_ids: list[str]
    begun: float = field(default_factory=time.monotonic)

    def start(self, running: ExitStack, port: int) -> "tuple[ShopLoads, LocalAirflow]":
        """Starts everything and loads the shop beside it, as far as the first dataset needs it.

        What runs is handed to `running` before it is started.
        """
        self.console.print(self.shop.note, soft_wrap=True)
        with doing(self.console, "Starting PostgreSQL …"):
            self._start_postgres(running)
        self.platform.start(running)
        with Loading(self.console) as loading:
            shop = ShopLoads(self.shop, self.server.shop_owner_dsn, self.scale, loading)
            running.callback(shop.close)
            if not _is_of_catalogue(self.dag_ids[0]):
                shop.go_on()
            airflow = self._start_airflow(running, port, loading)
            shop.wait_for_catalogue()
        with doing(self.console, "Waiting for Airflow …") as tell:
            airflow.wait_healthy(_LONGEST_START_SECONDS, lambda late: tell(f"Waiting for Airflow: {', '.join(late)} …"))
        return shop, airflow

    def publish(self, airflow: "LocalAirflow", shop: ShopLoads) -> int:
        """Runs the DAGs and prints what came of it. Returns the exit code."""
        as_of = self.shop.as_of.isoformat()
        begun = datetime.now(UTC)
        all_dags = _dag_ids(self.dags_folder, None)
        soon = [name for name in all_dags if name == self.dag_ids[0] or airflow.client.has_dag(name)]
        later = [name for name in all_dags if name not in soon]
        with doing(self.console, "Waiting for Airflow to read the DAGs …") as tell:
            self._make_ready(airflow, soon, tell)
        show_plan(self.console, self.dag_ids, as_of)
        states = _while_alive(airflow, self._turns(airflow, shop, as_of, begun).states(self.dag_ids))
        states = self._beside(airflow, shop, later, states)
        last = watch(self.console, self.platform.watched(airflow, states), shop.loading, self.begun)
        shop.wait()
        published = [run.dag_id for run in last if run.state == "success"]
        show_published(self.console, load_settings(**self._settings()), published, as_of)
        show_failures(self.console, airflow, last)
        return 0 if self.platform.shows_its_point(last) and len(published) == len(last) else 1

    def _make_ready(
        self, airflow: "LocalAirflow", dag_ids: Sequence[str], tell: Callable[[str], None] = lambda _: None
    ) -> None:
        """What was not asked for does not run either when another dataset announces something."""
        for dag_id in dag_ids:
            waiting = partial(tell, f"Waiting for Airflow to read {dag_id} …")
            airflow.client.wait_for_dag(dag_id, _LONGEST_START_SECONDS, waiting)
            airflow.client.set_paused(dag_id, dag_id not in self.dag_ids)
            airflow.client.abandon_runs(dag_id)  # of a demo that was stopped in the middle: they would go first

    def _beside(
        self, airflow: "LocalAirflow", shop: ShopLoads, later: Sequence[str], states: "Iterator[list[RunState]]"
    ) -> "Iterator[list[RunState]]":
        """The states as they come; the other DAGs are read during the first run, and the shop is loaded to its end after it."""
        for number, runs in enumerate(states):
            yield runs
            if number == 0:
                self._make_ready(airflow, later)
            if any(run.is_finished for run in runs):
                shop.go_on()

    def _turns(self, airflow: "LocalAirflow", shop: ShopLoads, as_of: str, begun: datetime) -> Turns:
        def woken(name: str) -> str | None:
            return next(iter(airflow.client.runs_since(name, begun)), None)

        def start(name: str) -> str:
            return woken(name) or airflow.client.trigger(name, {"as_of": as_of})

        def may_start(name: str) -> bool:
            return shop.is_whole or _is_of_catalogue(name)

        return Turns(airflow.client, start, self.platform.tasks_at_once, _made_of(self.dag_ids), woken, may_start)

    @property
    def home(self) -> Path:
        """The folder of everything."""
        return self.platform.home

    @property
    def server(self) -> DemoServer:
        """The embedded PostgreSQL, running or not."""
        return DemoServer(EmbeddedPostgres(self.home / "postgres"))

    def _start_postgres(self, running: ExitStack) -> None:
        running.callback(self.server.postgres.stop)
        demo_server(self.server.postgres.home)
        self._write_settings()
        Registry(self.server.registry_dsn).migrate()

    def _start_airflow(self, running: ExitStack, port: int, loading: Loading) -> "LocalAirflow":
        from shopmill.airflow.local import LocalAirflow

        environment = {
            **self._variables(),
            "AIRFLOW_CONN_SHOPMILL_SOURCE": self.server.source_dsn,
            "AIRFLOW_CONN_SHOPMILL_REGISTRY": self.server.registry_dsn,
            "OPENLINEAGE__TRANSPORT": json.dumps(
                {"type": "file", "log_file_path": str(self._events()), "append": True}
            ),
        }
        home, topology = self.home / "airflow", self.platform.topology
        airflow = LocalAirflow(home, self.dags_folder, self.server.metadata_dsn, port, environment, topology)
        running.callback(airflow.stop)
        airflow.start(lambda what: loading.tell(f"Starting Airflow: {what} …"))
        self._write_activation(airflow)
        return airflow

    def _events(self) -> Path:
        """The file that Airflow appends the lineage of its runs to."""
        folder = self.home / "lineage"
        folder.mkdir(exist_ok=True)
        return folder / "events.ndjson"

    def _settings(self) -> dict[str, str]:
        return {
            "store": self.platform.store,
            "source_dsn": self.server.source_dsn,
            "registry_dsn": self.server.registry_dsn,
            "time_zone": self.shop.time_zone,
            "threads": str(THREADS),
            "schedules": "false",  # the shop's data ended long ago: no clock has anything new for it
            "encoder_precision": "int8",  # less work, nearly the same neighbours: somebody waits
        }

    def _variables(self) -> dict[str, str]:
        return {f"SHOPMILL_{name.upper()}": value for name, value in self._settings().items()}

    def _write_settings(self) -> None:
        """The file by which `shopmill` commands in this folder find the demo's store and databases."""
        from shopmill.airflow.local.configuration import write_private

        variables = {**self._variables(), **self.platform.environment}
        lines = [f"{name}='{value}'\n" for name, value in variables.items()]
        write_private(self.home / "env", "".join(lines))

    def _write_activation(self, airflow: "LocalAirflow") -> None:
        """The file that a shell sources: then `shopmill`, `airflow` and `python` are those of the demo, as docs type them."""
        from shopmill.airflow.local.configuration import write_private

        variables = {name: value for name, value in airflow.environment().items() if name.startswith("AIRFLOW_")}
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
        programs = shlex.quote(str(Path(sys.executable).parent))
        write_private(self.home / "activate", "".join([f'export PATH={programs}:"$PATH"\n', *lines]))


def _cluster(console: Console, home: Path) -> OneMachine:
    from shopmill.demo.cluster import Cluster

    return Cluster(home, console)


def _dag_ids(folder: Path, wanted: Sequence[str] | None) -> list[str]:
    """The DAGs to run: a DAG file has the name of its dataset."""
    known = sorted(path.stem for path in folder.glob("*.py"))
    if not known:
        raise InvalidInputError(f"{folder.resolve()} has no DAG files: go to the repository, or give their folder.")
    if unknown := sorted(set(wanted or []) - set(known)):
        raise InvalidInputError(f"{folder} has no DAG {unknown[0]!r}: choose from {', '.join(known)}.")
    return in_order(wanted or known)


def _is_of_catalogue(name: str) -> bool:
    """Whether a dataset is made of no more than what is loaded first."""
    if name not in datasets.names():
        return False
    dataset = datasets.load(name)
    tables = {one.table for inputs in dataset.extracts.values() for one in inputs}
    return tables <= set(CATALOGUE) and all(_is_of_catalogue(one.table) for one in dataset.upstream)


def _made_of(dag_ids: Sequence[str]) -> dict[str, set[str]]:
    """The datasets that are made of others, with these."""
    upstream = {name: datasets.load(name).upstream for name in dag_ids if name in datasets.names()}
    return {name: {one.table for one in of} for name, of in upstream.items() if of}


@contextmanager
def _sole_demo(home: Path) -> Iterator[None]:
    """Holds the lock of the folder; the kernel frees it even when this process is killed."""
    try:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
        file = (home / "demo.lock").open("a+")
    except OSError as error:
        raise ShopmillError(f"The demo cannot write to {home}: {error.strerror}. Run it in another folder.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ConflictError(
                f"A demo already runs in {home} (process {file.read().strip() or 'unknown'}): "
                "end it with Ctrl-C, or start this one in another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def _signals_interrupt() -> Iterator[Callable[[], None]]:
    """The first signal that asks to end raises KeyboardInterrupt, later ones do nothing. Yields a way to ignore all."""

    def ignore() -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def interrupt(_: int, __: FrameType | None) -> None:
        ignore()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _while_alive(airflow: "LocalAirflow", states: "Iterator[list[RunState]]") -> "Iterator[list[RunState]]":
    for runs in states:
        airflow.check_alive()
        yield runs


def _opened_door(running: ExitStack, airflow: "LocalAirflow") -> Door:
    door = Door(f"{airflow.url}/plugin/shopmill", airflow.client.token)
    running.callback(door.close)
    return door


def _stay_up(airflow: "LocalAirflow") -> None:
    while True:
        airflow.check_alive()
        time.sleep(1)
