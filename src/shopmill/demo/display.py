"""What the demo shows: live on a terminal, else a line per change, so that a log of it reads well too."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich import filesize
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from shopmill.asof import AsOf
from shopmill.errors import ShopmillError
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

if TYPE_CHECKING:
    from shopmill.airflow.local import LocalAirflow, RunState, TaskState

_COLOURS = {"success": "green", "failed": "red", "upstream_failed": "red", "running": "cyan", "up_for_retry": "yellow"}
_DONE = {"success", "skipped"}
_BAD = {"failed", "upstream_failed", "up_for_retry"}
QUIET_SECONDS = 30.0
_PIPE_WIDTH = 200


@contextmanager
def doing(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Shows what is being waited for; yields a way to say it more exactly, a line each half minute without a terminal."""
    if not console.is_terminal:
        console.print(what)
    begun = spoken = monotonic()

    def tell(exactly: str) -> None:
        nonlocal spoken
        status.update(exactly)
        if not console.is_terminal and monotonic() - spoken > QUIET_SECONDS:
            spoken = monotonic()
            console.print(f"{exactly} ({spoken - begun:.0f} s)", soft_wrap=True, highlight=False)

    with console.status(what) as status:
        yield tell


class Loading:
    """Shows the loading of a shop's tables; call it as a loader's progress."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, disable=not console.is_terminal)
        self._tables: dict[str, TaskID] = {}
        self._is_stopped = False

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bars.stop()

    @property
    def at_work(self) -> Table:
        """The bars of the tables that are not loaded yet, to be shown when this shows nothing by itself."""
        return self._bars.make_tasks_table([task for task in self._bars.tasks if not task.finished])

    def tell(self, what: str) -> None:
        """Says what happens beside the loading."""
        self._console.print(what, soft_wrap=True, highlight=False)

    def stop(self) -> None:
        """Ends the loading, which works in another thread, with its next rows."""
        self._is_stopped = True

    def end_where_stopped(self) -> None:
        """ShopmillError once it was stopped, which ends the loading."""
        if self._is_stopped:
            raise ShopmillError("The loading was stopped.")

    def __call__(self, table: str, rows: int, expected: int) -> None:
        """Takes the number of rows that are loaded, and about how many there will be."""
        self.end_where_stopped()
        if table not in self._tables:
            self._tables[table] = self._bars.add_task(f"Loading {table}", total=expected)
            if not self._console.is_terminal:
                self._console.print(f"Loading {table}")
        self._bars.update(self._tables[table], completed=rows, total=expected)


def watch(
    console: Console, states: "Iterator[list[RunState]]", loading: Loading | None = None, begun: float | None = None
) -> "list[RunState]":
    """Shows the runs until they are finished, and what is loaded beside them; returns their last states.

    Without a terminal each line ends with the time since `begun`, which is now by default.
    """
    since = monotonic() if begun is None else begun
    return _watch_live(console, states, loading) if console.is_terminal else _watch_lines(console, states, since)


def show_plan(console: Console, dag_ids: Sequence[str], as_of: str) -> None:
    """What is about to run, and what as_of means."""
    many = "1 DAG" if len(dag_ids) == 1 else f"{len(dag_ids)} DAGs, one for each dataset"
    console.print(
        f"Running {many}, as of {as_of}: what they publish is made of what happened before that day.", soft_wrap=True
    )


def show_end(console: Console, home: Path) -> None:
    """What is left when everything is stopped."""
    console.print(
        f"PostgreSQL and Airflow are stopped now. What was published stays in {home}: look at it with "
        f"`{activation(home)}` and `shopmill versions`, or start the demo again for the catalogue in Airflow's UI.",
        soft_wrap=True,
        highlight=False,
    )


def show_published(console: Console, settings: Settings, datasets: Sequence[str], as_of: str) -> None:
    """A row for each table of what was published, and how to read it."""
    store, registry = Store(settings.store), Registry(settings.registry_dsn.get_secret_value())
    table = Table(title=f"Published as of {as_of}", title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("dataset\n  table", no_wrap=True)
    for name in ("rows", "rows\nrejected", "size", "checks passed/\nwarned", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    paths = []
    for dataset in datasets:
        versions = Versions(store, dataset, settings.zone)
        manifest, runs = versions.at(AsOf.parse(as_of, settings.zone)), registry.runs(dataset, 1)
        if manifest and runs:
            _add_tables(table, manifest, runs[0])
            paths.append(store.uri(f"{versions.folder(manifest)}/{manifest.content['main_table']}"))
    if paths:
        print_whole(console, table)
        console.print(f"Read it in Python: shopmill.load({datasets[0]!r}).to_pandas(), or the files:", soft_wrap=True)
        console.print(*(f"  pandas.read_parquet({path!r})" for path in paths), sep="\n", soft_wrap=True)


def show_failures(console: Console, airflow: "LocalAirflow", runs: "Sequence[RunState]") -> None:
    """For each task that failed, the last lines of its log and where the whole of it is."""
    for run in runs:
        for task in run.failed_tasks:
            console.print(f"[red]{run.dag_id} failed in {task.task_id}[/red]")
            for line in airflow.client.log_errors(run, task):
                console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
            console.print(
                f"  Log: {airflow.task_log(run.dag_id, run.run_id, task.task_id)}", highlight=False, soft_wrap=True
            )
        if run.state != "success" and not run.failed_tasks:
            console.print(f"[red]{run.dag_id} ended as {run.state} before any task ran[/red]; see {airflow.logs}")


def activation(home: Path) -> str:
    """What a person types in a shell, so that documented commands work there as they are typed."""
    return f"source {os.path.relpath(home)}/activate"


def show_door(console: Console, door: str) -> None:
    """Where the catalogue is, before there is anything in it: nobody has to wait for the last dataset to see the first."""
    console.print(
        f"Open the catalogue, logged in, and see the datasets come: [bold]{door}[/]", soft_wrap=True, highlight=False
    )


def show_login(console: Console, airflow: "LocalAirflow", door: str, home: Path) -> None:
    """Where the UI is, logged in, and what a person wonders about there."""
    console.print(f"Open the catalogue, logged in: [bold]{door}[/]", soft_wrap=True, highlight=False)
    console.print(
        f"Airflow itself: {airflow.url}  login: {airflow.login}  password: {airflow.password}",
        soft_wrap=True,
        highlight=False,
    )
    console.print(
        "Its column Schedule says (off): the shop's data have ended, so no clock starts a DAG here. Trigger one by hand, or "
        "backfill days of the past.",
        soft_wrap=True,
        highlight=False,
    )
    console.print(
        f"Commands, in another shell: {activation(home)}, then shopmill status, shopmill report, airflow dags list. "
        "Ctrl-C here stops everything.",
        soft_wrap=True,
        highlight=False,
    )


def _watch_live(console: Console, states: "Iterator[list[RunState]]", loading: Loading | None) -> "list[RunState]":
    last: list[RunState] = []
    with Live(console=console, refresh_per_second=4) as live:
        for last in states:
            live.update(Group(_runs_table(last), loading.at_work) if loading else _runs_table(last))
    return last


def _runs_table(runs: "list[RunState]") -> Table:
    table = Table("DAG", "task", "state")
    table.add_column("seconds", justify="right")
    for run in runs:
        task = _current(run)
        done = sum(task.state in _DONE for task in run.tasks)
        step = f"{task.task_id} ({done}/{len(run.tasks)} done)" if task else ""
        table.add_row(run.dag_id, step, _coloured(_state(run)), f"{run.seconds:.0f}")
    return table


def _watch_lines(console: Console, states: "Iterator[list[RunState]]", begun: float) -> "list[RunState]":
    """A line when a run ends, when a task fails, and else every half minute what is at work: a log that a person reads."""
    last: list[RunState] = []
    told: set[tuple[str, str, int, int]] = set()
    spoken = monotonic()
    for last in states:
        lines = list(_news(last, told))
        if not lines and monotonic() - spoken > QUIET_SECONDS:
            lines = [at_work] if (at_work := _at_work(last)) else []
        for line in lines:
            spoken = monotonic()
            console.print(f"{line}, {_clock(spoken - begun)}", soft_wrap=True, highlight=False, markup=False)
    return last


def _clock(seconds: float) -> str:
    minutes, left = divmod(int(seconds), 60)
    return f"{minutes}:{left:02} after the start"


def _news(runs: "list[RunState]", told: set[tuple[str, str, int, int]]) -> Iterator[str]:
    """What has come to an end since the last look."""
    for run in runs:
        for task in run.tasks:
            change = (run.run_id, task.task_id, task.map_index, task.try_number)
            if task.state in _BAD and change not in told:
                told.add(change)
                yield f"{run.dag_id}: {task.task_id} {task.state} after {task.seconds or 0:.1f} s"
        if run.is_finished and (run.run_id, "", -1, 0) not in told:
            told.add((run.run_id, "", -1, 0))
            tasks = "1 task" if len(run.tasks) == 1 else f"{len(run.tasks)} tasks"
            yield f"{run.dag_id}: {run.state}, {tasks} in {run.seconds:.0f} s"


def _at_work(runs: "list[RunState]") -> str:
    """What works, what is between two of its tasks, and what is still to be started."""
    going = [run for run in runs if run.run_id and not run.is_finished]
    running = [(run, task) for run in going for task in run.tasks if task.state == "running"]
    between = [run.dag_id for run in going if run.dag_id not in {at_work.dag_id for at_work, _ in running}]
    said = {
        "At work": [f"{run.dag_id} {task.task_id} ({task.seconds or 0:.0f} s)" for run, task in running],
        "Next in a free place": between,
        "Start when others have ended": [run.dag_id for run in runs if not run.run_id],
    }
    return ". ".join(f"{what}: {', '.join(names)}" for what, names in said.items() if names)


def _current(run: "RunState") -> "TaskState | None":
    """The task that says most: the one that runs or failed, else the last one that ended."""
    telling = [task for task in run.tasks if task.state not in {None, "scheduled", "queued", "success", "skipped"}]
    return next(iter(telling or [task for task in reversed(run.tasks) if task.state in _DONE]), None)


def _state(run: "RunState") -> str:
    task = _current(run)
    return task.state or "" if task and task.state == "up_for_retry" else run.state


def _coloured(state: str) -> str:
    colour = _COLOURS.get(state, "default")
    return f"[{colour}]{escape(state)}[/{colour}]"


def print_whole(console: Console, table: Table) -> None:
    """Prints a table as wide as it is where there is no terminal, for a pipe has no width."""
    whole = console if console.is_terminal else Console(file=console.file, width=_PIPE_WIDTH)
    whole.print(table)


def _add_tables(table: Table, manifest: Manifest, run: dict[str, Any]) -> None:
    """The run in bold, 80 columns wide, and below it what it published."""
    warned = sum(not check["passed"] for check in run["checks"])
    checks = f"{len(run['checks']) - warned}/{warned}"
    seconds = (run["finished_at"] - run["started_at"]).total_seconds()
    size = filesize.decimal(sum(file.bytes for file in manifest.all_files))
    rejected = f"{run['rejected'] or 0:,}"
    table.add_row(manifest.dataset, "", rejected, size, checks, f"{seconds:.0f} s", style="bold")
    for name in manifest.tables:
        size = filesize.decimal(sum(file.bytes for file in manifest.files(name)))
        table.add_row(f"  {name}", f"{manifest.rows(name):,}", "", size)
