"""Who waits for whom: a real registry and store, and what Airflow would say about its runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from airflow.sdk.exceptions import AirflowRescheduleException
from golden import fill_shop

from shopmill import datasets
from shopmill.airflow import turns
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

DAG = "user_item_interactions"


@dataclass
class Airflow:
    """Answers as Airflow does, about the runs that it is told are running."""

    running: set[str] = field(default_factory=set)
    asked: int = 0
    ends_after: int = 1000
    dag_id: str = DAG

    def get_dr_count(self, dag_id: str, states: list[str], run_ids: list[str] | None = None) -> int:
        assert (dag_id, states) == (self.dag_id, ["running"])
        self.asked += 1
        if self.asked > self.ends_after:
            self.running = {"mine"}
        return len(self.running if run_ids is None else self.running & set(run_ids))


@pytest.fixture
def begun(settings: Settings, database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Opens the row of a run, as its extract does."""
    monkeypatch.setattr(turns, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(turns, "IN_PLACE_SECONDS", 0.05)
    own = settings.model_copy(update={"registry_dsn": type(settings.registry_dsn)(database())})

    def begin(as_of: str, dag_run_id: str, dataset: str = DAG) -> Run:
        run = Run.create(datasets.load(dataset), as_of, own, orchestrator={"dag_id": dataset, "dag_run_id": dag_run_id})
        run.registry.begin(run.run_id, dataset, as_of, {}, run.orchestrator)
        return run

    return begin


def test_alone_it_does_not_wait(begun: Callable[..., Run]) -> None:
    turns.wait_for_turn(begun("2020-09-03", "mine"), Airflow({"mine"}))


def test_a_later_one_waits_for_an_earlier_one_and_not_the_reverse(begun: Callable[..., Run]) -> None:
    earlier, mine = begun("2020-09-02", "earlier"), begun("2020-09-03", "mine")
    with pytest.raises(AirflowRescheduleException):
        turns.wait_for_turn(mine, Airflow({"earlier", "mine"}))
    turns.wait_for_turn(earlier, Airflow({"earlier", "mine"}))


def test_it_goes_on_when_the_earlier_one_has_ended(begun: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "IN_PLACE_SECONDS", 60.0)
    begun("2020-09-02", "earlier")
    airflow = Airflow({"earlier", "mine"}, ends_after=1)
    turns.wait_for_turn(begun("2020-09-03", "mine"), airflow)
    assert airflow.asked > 1


def test_a_run_that_died_is_not_waited_for(begun: Callable[..., Run]) -> None:
    begun("2020-09-02", "died")
    turns.wait_for_turn(begun("2020-09-03", "mine"), Airflow({"mine"}))


def test_a_published_one_is_not_waited_for(begun: Callable[..., Run]) -> None:
    earlier = begun("2020-09-02", "earlier")
    earlier.registry.finish(earlier.run_id, status="published")
    turns.wait_for_turn(begun("2020-09-03", "mine"), Airflow({"earlier", "mine"}))


def test_one_that_failed_and_is_tried_again_is_waited_for(begun: Callable[..., Run]) -> None:
    earlier = begun("2020-09-02", "earlier")
    earlier.registry.finish(earlier.run_id, status="failed")
    with pytest.raises(AirflowRescheduleException):
        turns.wait_for_turn(begun("2020-09-03", "mine"), Airflow({"earlier", "mine"}))


def test_one_whose_as_of_is_not_known_yet_is_waited_for(begun: Callable[..., Run]) -> None:
    with pytest.raises(AirflowRescheduleException):
        turns.wait_for_turn(begun("2020-09-03", "mine"), Airflow({"mine", "another"}))


def test_today_does_not_wait_for_what_is_filled_in_long_ago(begun: Callable[..., Run], shop_dsn: str) -> None:
    fill_shop(shop_dsn, {"transactions": [{"t_dat": "2020-09-01", "customer_id": "c", "article_id": "a", "price": 1}]})
    yesterday = begun("2020-09-02", "yesterday")
    steps.run_all(yesterday)
    begun("2020-08-02", "long-ago")
    turns.wait_for_turn(begun("2020-09-03", "mine"), Airflow({"long-ago", "mine"}))


def test_a_dataset_that_does_not_continue_never_waits(begun: Callable[..., Run]) -> None:
    begun("2020-09-02", "earlier", "customer_features")
    airflow = Airflow({"earlier", "mine"})
    turns.wait_for_turn(begun("2020-09-03", "mine", "customer_features"), airflow)
    assert airflow.asked == 0
