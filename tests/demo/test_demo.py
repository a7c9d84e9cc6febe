import io
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from ports import free_port
from shopmill.airflow.local import RunState, TaskState
from shopmill.airflow.local.processes import end_all, owned_by
from shopmill.demo.demo import run_demo
from shopmill.demo.display import Loading, doing, print_whole, watch
from shopmill.demo.shop import ShopLoads, known_shop
from shopmill.demo.turns import WAITING
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.shops.loading import Progress
from shopmill.shops.postgres import EmbeddedPostgres

DAG = """
from airflow.sdk import DAG, Param, task

with DAG({name!r}, schedule=None, params={{"as_of": Param("")}}):

    @task
    def tell(params):
        {work}

    tell()
"""
PROGRAM = """
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shopmill.demo.demo import run_demo
from shopmill.errors import ShopmillError

folder, port = Path(sys.argv[1]), int(sys.argv[2])
try:
    options = {"shop": "synthetic", "scale": 0.0005, "home": folder / "home", "dags_folder": folder / "dags"}
    sys.exit(run_demo(console=Console(width=200), port=port, **options))
except ShopmillError as error:
    sys.exit(f"error: {error}")
"""


class DemoProcesses:
    """Demos as programs of their own, as a person would start them, and what runs because of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self._port = free_port()

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, str(self.folder), str(self._port)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    @property
    def airflow_processes(self) -> int:
        return len(owned_by(self.home / "airflow"))

    @property
    def postgres(self) -> EmbeddedPostgres:
        return EmbeddedPostgres(self.home / "postgres")

    def await_airflow(self, demo: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 900  # the first time it makes the tables of its database
        while self.airflow_processes < 4:
            assert demo.poll() is None, demo.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture
def demo() -> Iterator[DemoProcesses]:
    # Not pytest's own temporary folder: that is private, and the server of a root user runs as nobody.
    with tempfile.TemporaryDirectory(prefix="shopmill-demo-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "dags").mkdir()
        (folder / "dags" / "good.py").write_text(DAG.format(name="good", work='assert params["as_of"] == "2020-09-23"'))
        (folder / "dags" / "bad.py").write_text(DAG.format(name="bad", work='raise ValueError("the reason of it")'))
        processes = DemoProcesses(folder)
        yield processes
        end_all(processes.home / "airflow", grace=1)
        processes.postgres.stop()


@pytest.mark.airflow
@pytest.mark.timeout(1800)
def test_it_runs_every_dag_tells_what_failed_and_leaves_nothing_running(demo: DemoProcesses) -> None:
    first = demo.start()
    demo.await_airflow(first)
    second = demo.start()
    refusal, _ = second.communicate(timeout=300)
    assert second.returncode == 1
    assert f"A demo already runs in {demo.home} (process {first.pid})" in refusal

    told, _ = first.communicate(timeout=900)
    assert first.returncode == 1, told
    assert "good: success, 1 task in" in told
    assert "bad: tell failed after" in told
    assert "ValueError: the reason of it" in told
    assert demo.airflow_processes == 0
    assert not demo.postgres.is_running()
    assert stat.S_IMODE((demo.home / "env").stat().st_mode) == 0o600


@pytest.mark.airflow
@pytest.mark.timeout(1800)
def test_what_a_killed_demo_left_is_ended_and_a_signal_stops_everything(demo: DemoProcesses) -> None:
    killed = demo.start()
    demo.await_airflow(killed)
    left = {process.pid for process in owned_by(demo.home / "airflow")}
    killed.kill()
    killed.communicate()
    assert demo.airflow_processes >= 4
    assert demo.postgres.is_running()

    with demo.start() as stopped:
        assert stopped.stdout is not None
        told = []
        for line in stopped.stdout:
            told.append(line)
            if "Waiting for Airflow" in line:
                break
        assert "Waiting for Airflow" in "".join(told)
        assert not left & {process.pid for process in owned_by(demo.home / "airflow")}
        stopped.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        stopped.send_signal(signal.SIGINT)  # an impatient one
        stopped.communicate(timeout=300)
    assert stopped.returncode == 130
    assert demo.airflow_processes == 0
    assert not demo.postgres.is_running()


def states() -> Iterator[list[RunState]]:
    def run(state: str, *tasks: TaskState) -> list[RunState]:
        return [RunState("articles", "r", state, 2.0, tasks)]

    yield run("queued")
    yield run("running", TaskState("extract", -1, "running", 1, 0.5), TaskState("check", -1, None, 0, None))
    yield run("running", TaskState("extract", -1, "running", 1, 1.0), TaskState("check", -1, None, 0, None))
    yield run("failed", TaskState("extract", -1, "success", 1, 1.5), TaskState("check", -1, "failed", 1, 0.5))


def test_without_a_terminal_only_what_ends_is_a_line() -> None:
    output = io.StringIO()
    [last] = watch(Console(file=output, width=20), states(), begun=time.monotonic() - 83)
    assert last.state == "failed"
    assert output.getvalue().splitlines() == [
        "articles: check failed after 0.5 s, 1:23 after the start",
        "articles: failed, 2 tasks in 2 s, 1:23 after the start",
    ]


def test_without_a_terminal_a_long_task_says_that_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 7))
    monkeypatch.setattr("shopmill.demo.display.monotonic", lambda: float(next(clock)))
    task = TaskState("rolling_features", -1, "running", 1, 321.0)
    runs = [
        RunState("timeseries", "r", "running", 400.0, (task,)),
        RunState("articles", "r", "queued", 0.0, ()),
        RunState("reviews_nlp", "", WAITING, 0.0, ()),
    ]
    long = [runs] * 12
    output = io.StringIO()
    watch(Console(file=output), iter(long))
    lines = output.getvalue().splitlines()
    assert {line.rpartition(", ")[0] for line in lines} == {
        "At work: timeseries rolling_features (321 s). Next in a free place: articles. Start when others have ended: "
        "reviews_nlp"
    }
    assert lines[0].endswith(", 0:49 after the start")


def test_without_a_terminal_what_is_waited_for_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 7))
    monkeypatch.setattr("shopmill.demo.display.monotonic", lambda: float(next(clock)))
    output = io.StringIO()
    with doing(Console(file=output, width=80), "Waiting for Airflow …") as tell:
        for _ in range(10):
            tell("Waiting for Airflow: scheduler …")
    said = output.getvalue().splitlines()
    assert said[0] == "Waiting for Airflow …"
    assert 1 < len(said) < 5
    assert all(line.startswith("Waiting for Airflow: scheduler … (") for line in said[1:])


@pytest.mark.parametrize("width", [20, 80])
def test_what_was_published_is_whole_in_a_pipe(width: int) -> None:
    output, table = io.StringIO(), Table("dataset", "rows")
    table.add_row("customer_article_labels", "17,442,400")
    print_whole(Console(file=output, width=width), table)
    assert "customer_article_labels" in output.getvalue()
    assert "17,442,400" in output.getvalue()


def test_a_shop_loads_its_rest_when_it_may_and_ends_when_it_is_closed() -> None:
    told: list[str] = []

    def load(dsn: str, _: float, progress: Progress, catalogue_loaded: Callable[[], None]) -> dict[str, int]:
        told.append(dsn)
        catalogue_loaded()
        told.append("the rest")
        progress("events", 1, 2)
        return {"events": 2}

    def begin() -> ShopLoads:
        loading = Loading(Console(file=io.StringIO()))
        return ShopLoads(replace(known_shop("synthetic"), load=load), "dsn", 1.0, loading)

    shop = begin()
    shop.wait_for_catalogue()
    assert (told, shop.is_whole) == (["dsn"], False)
    shop.wait()
    assert (told, shop.is_whole) == (["dsn", "the rest"], True)

    closed = begin()
    closed.wait_for_catalogue()
    closed.close()
    with pytest.raises(ShopmillError, match="stopped"):
        assert closed.is_whole
    assert told == ["dsn", "the rest", "dsn"], "nothing of the rest is begun"


def test_a_shop_that_cannot_be_loaded_says_so_at_once() -> None:
    def load(*_: object) -> dict[str, int]:
        raise ShopmillError("no shop")

    shop = ShopLoads(replace(known_shop("synthetic"), load=load), "dsn", 1.0, Loading(Console(file=io.StringIO())))
    with pytest.raises(ShopmillError, match="no shop"):
        shop.wait_for_catalogue()


def test_a_loading_that_is_stopped_ends_with_its_next_rows() -> None:
    with Loading(Console(file=io.StringIO())) as loading:
        loading("articles", 1, 2)
        loading.stop()
        with pytest.raises(ShopmillError, match="stopped"):
            loading("articles", 2, 2)


def test_the_door_logs_in_who_knows_its_path_and_nobody_else() -> None:
    import httpx

    from shopmill.demo.door import Door

    door = Door("http://127.0.0.1:1/plugin/shopmill", lambda: "a-fresh-token")
    try:
        with httpx.Client(trust_env=False) as client:
            answer = client.get(door.address)
            assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:1/plugin/shopmill")
            assert "_token=a-fresh-token" in answer.headers["set-cookie"]
            assert "HttpOnly" in answer.headers["set-cookie"]
            base = door.address.rsplit("/", 1)[0]
            for path in ("/", "/wrong", "/plugin/shopmill"):
                answer = client.get(base + path)
                assert (answer.status_code, "set-cookie" in answer.headers) == (404, False)
    finally:
        door.close()


def test_tasks_and_their_threads_do_not_fight_for_the_cores() -> None:
    from shopmill.demo.platform import CORES, TASKS_AT_ONCE, THREADS, OneMachine

    assert max(2, CORES) >= TASKS_AT_ONCE * THREADS
    assert OneMachine(Path("unused")).topology.settings["CORE__PARALLELISM"] == str(TASKS_AT_ONCE)


def test_on_a_terminal_a_table_shows_the_task_at_work() -> None:
    output = io.StringIO()
    [last] = watch(Console(file=output, width=80, force_terminal=True), states())
    assert last.state == "failed"
    assert "check (1/2 done)" in output.getvalue()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"shop": "h&m"}, "complete-journey, synthetic"),
        ({"datasets": ["other"]}, "choose from articles"),
        ({"dags_folder": Path("/nonexistent")}, "no DAG files"),
    ],
)
def test_bad_options_are_refused_before_anything_starts(
    options: dict[str, object], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "articles.py").write_text("")
    given = {"home": tmp_path / "home", "dags_folder": tmp_path / "dags", **options}
    with pytest.raises(InvalidInputError, match=reason):
        run_demo(console=Console(), **given)
    assert not (tmp_path / "home").exists()
