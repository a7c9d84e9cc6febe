"""The order of the demo: few datasets at once, the quickest first, and each gets its turn."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from shopmill import datasets
from shopmill.airflow.local import RunState
from shopmill.demo import demo
from shopmill.demo.demo import _made_of
from shopmill.demo.platform import THREADS
from shopmill.demo.shop import known_shop
from shopmill.demo.turns import WAITING, Turns, in_order
from shopmill.settings import Settings


@dataclass
class Runs:
    """An Airflow whose runs end after so many looks; it remembers how many were at work at once."""

    looks: dict[str, int]
    started: list[str] = field(default_factory=list)
    most: int = 0

    def start(self, name: str) -> str:
        self.started.append(name)
        self.most = max(self.most, sum(self.looks[one] > 0 for one in self.started))
        return f"run of {name}"

    def dag_run(self, name: str, run_id: str) -> RunState:
        assert run_id == f"run of {name}"
        self.looks[name] -= 1
        return RunState(name, run_id, "running" if self.looks[name] > 0 else "success", 1.0, ())


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "SELDOM_SECONDS"):
        monkeypatch.setattr(f"shopmill.demo.turns.{name}", 0.0)


def test_the_quickest_is_first_and_the_unknown_last() -> None:
    assert in_order(["zebra", "timeseries", "articles_content", "apes"]) == [
        "articles_content",
        "timeseries",
        "apes",
        "zebra",
    ]
    assert sorted(in_order(datasets.names())) == sorted(datasets.names())


def test_what_is_made_of_other_datasets_is_known() -> None:
    assert _made_of([*datasets.names(), "a_dag_of_something_else"]) == {"articles_embeddings": {"articles_content"}}


def test_the_first_has_the_machine_for_itself_and_then_few_are_at_work_at_once() -> None:
    runs = Runs({"a": 5, "b": 2, "c": 9, "d": 1, "e": 3})
    states = list(Turns(runs, runs.start, at_once=2).states(list(runs.looks)))  # type: ignore[arg-type]
    assert [run.state for run in states[0]] == ["running", WAITING, WAITING, WAITING, WAITING]
    assert {run.state for run in states[-1]} == {"success"}
    assert [run.dag_id for run in states[-1]] == list(runs.looks)
    assert runs.started == list(runs.looks)
    assert runs.most == 3  # one more than there are tasks, once the first has been published


def test_what_is_made_of_others_waits_for_them_alone() -> None:
    runs = Runs({"made": 1, "first": 2, "last": 1})
    made_of = {"made": {"first", "not_asked_for"}}
    *_, last = Turns(runs, runs.start, 1, made_of).states(list(runs.looks))  # type: ignore[arg-type]
    assert runs.started == ["first", "made", "last"]
    assert {run.state for run in last} == {"success"}


def test_a_run_that_airflow_has_woken_is_seen_and_not_started_again() -> None:
    """It takes the place of another one, and it is shown, although what it is made of has not ended yet."""
    runs = Runs({"first": 5, "second": 1, "made": 3})

    def woken(name: str) -> str | None:
        return f"run of {name}" if runs.looks["first"] < 4 else None

    states = list(Turns(runs, runs.start, 1, {"made": {"first"}}, woken).states(list(runs.looks)))  # type: ignore[arg-type]
    assert [state[-1].state for state in states[:4]] == [WAITING, "running", "running", "success"]
    assert {run.state for run in states[-1]} == {"success"}
    assert runs.started == ["first", "second"]


def test_one_alone_is_started_and_seen_to_its_end() -> None:
    runs = Runs({"a": 2})
    *_, [last] = Turns(runs, runs.start, at_once=4).states(["a"])  # type: ignore[arg-type]
    assert (last.state, runs.started) == ("success", ["a"])


def test_a_run_that_failed_makes_room_for_the_next() -> None:
    class Failing(Runs):
        def dag_run(self, name: str, run_id: str) -> RunState:
            return RunState(name, run_id, "failed", 1.0, ())

    runs = Failing({"a": 1, "b": 1, "c": 1})
    *_, last = Turns(runs, runs.start, at_once=1).states(["a", "b", "c"])  # type: ignore[arg-type]
    assert [run.state for run in last] == ["failed", "failed", "failed"]


@dataclass
class Platform:
    """A demo's place without servers."""

    home: Path
    tasks_at_once: int = 2
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> str:
        return str(self.home / "store")

    def watched(self, _: object, states: Any) -> Any:
        return states

    def shows_its_point(self, _: object) -> bool:
        return True


@dataclass
class Client(Runs):
    """An Airflow that remembers which DAGs are paused, and what a person or a demo has started."""

    paused: dict[str, bool] = field(default_factory=dict)

    def has_dag(self, name: str) -> bool:
        return name in self.looks

    def wait_for_dag(self, name: str, *_: object) -> None:
        self.looks.setdefault(name, 1)

    def set_paused(self, name: str, is_paused: bool) -> None:
        self.paused[name] = is_paused

    def abandon_runs(self, name: str) -> None:
        """There are none."""

    def runs_since(self, _: str, __: object) -> list[str]:
        return []

    def trigger(self, name: str, _: object) -> str:
        return self.start(name)


class Airflow:
    """What the demo asks of it."""

    url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.client = Client({})

    def check_alive(self) -> None:
        """It is."""


@dataclass
class Loads:
    """A shop that is whole so many looks after it was told to go on."""

    looks: int = 0
    goes_on: bool = False
    loading: Any = None

    @property
    def is_whole(self) -> bool:
        self.looks -= self.goes_on
        return self.looks <= 0

    def go_on(self) -> None:
        self.goes_on = True

    def wait(self) -> None:
        self.go_on()
        self.looks = 0


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., demo._Demo]:
    """A demo without servers, of some of all datasets."""
    monkeypatch.setattr(demo, "show_published", lambda *_: None)
    for name in ("source_dsn", "registry_dsn"):
        monkeypatch.setattr(demo.DemoServer, name, "postgresql://nobody@127.0.0.1:1/nothing")
    for name in datasets.names():
        (tmp_path / f"{name}.py").write_text("")

    def begin(*wanted: str) -> demo._Demo:
        place: Any = Platform(tmp_path)
        dag_ids = demo._dag_ids(tmp_path, wanted)
        return demo._Demo(Console(file=io.StringIO()), place, tmp_path, known_shop("synthetic"), 1.0, dag_ids)

    return begin


def test_a_demo_of_one_dataset_starts_nothing_else(begun: Callable[..., demo._Demo]) -> None:
    """Not even what the announcement of that dataset would wake: a DAG that is paused sleeps on."""
    airflow, wanted = Airflow(), ["articles_content"]
    started = begun(*wanted)
    assert started.publish(airflow, Loads()) == 0  # type: ignore[arg-type]
    assert airflow.client.started == wanted
    assert airflow.client.paused == {name: name not in wanted for name in datasets.names()}


def test_the_first_is_published_before_the_shop_is_whole(begun: Callable[..., demo._Demo]) -> None:
    """What is made of articles alone does not wait for the rest of the shop; what needs it does."""
    airflow, shop = Airflow(), Loads(looks=9)
    wanted = ["articles_content", "articles_embeddings", "reviews_nlp"]
    whole_at_start: dict[str, bool] = {}
    start = airflow.client.start
    airflow.client.start = lambda name: whole_at_start.update({name: shop.looks <= 0}) or start(name)  # type: ignore[func-returns-value,method-assign]
    assert begun(*wanted).publish(airflow, shop) == 0  # type: ignore[arg-type]
    assert whole_at_start == {"articles_content": False, "articles_embeddings": False, "reviews_nlp": True}


def test_what_is_made_of_articles_alone_is_known() -> None:
    assert {name for name in datasets.names() if demo._is_of_catalogue(name)} == {
        "articles_content",
        "articles_embeddings",
    }
    assert not demo._is_of_catalogue("a_dag_of_something_else")


def test_the_tasks_of_a_demo_have_their_share_of_the_threads(begun: Callable[..., demo._Demo]) -> None:
    """And so does the encoder, which has as many runs at once as its task has threads."""
    started = begun("articles_embeddings")
    assert started._variables()["SHOPMILL_THREADS"] == str(THREADS)
    assert Settings(_env_file=None, **started._settings()).threads == THREADS
