"""Rows of runs that were killed or interrupted: none says for ever that it is at work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from golden import fill_shop

from crashing import DATASET, PARAMETERS, start
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

AS_OF = "2020-09-08"


@pytest.fixture
def shop(shop_dsn: str) -> None:
    fill_shop(
        shop_dsn,
        {
            "transactions": [
                {"t_dat": "2020-09-07", "customer_id": "c1", "article_id": "a1", "price": "1.5", "sales_channel_id": 1}
            ]
        },
    )


def new_run(settings: Settings) -> Run:
    return Run.create(datasets.load(DATASET), AS_OF, settings, PARAMETERS)


def rows(settings: Settings) -> dict[str, dict[str, object]]:
    return {row["run_id"]: row for row in new_run(settings).registry.runs(limit=1000) if row["store"] == settings.store}


def test_a_task_that_died_when_it_had_registered_is_run_again(shop: None, settings: Settings) -> None:
    """Airflow runs a task again whose end it did not hear of; by then the staging area is cleared."""
    run = new_run(settings)
    steps.extract(run)
    steps.transform(run, "transform")
    steps.check(run)
    steps.publish(run)
    done = steps.register(run)
    assert done.status == "published"
    assert steps.register(run) == done
    assert rows(settings)[run.run_id]["status"] == "published"
    again = new_run(settings)
    steps.extract(again)
    made = steps.already_made(again)
    assert made is not None
    assert steps.already_made(again) == made
    assert rows(settings)[again.run_id]["status"] == "unchanged"


def test_the_row_of_a_killed_run_is_closed_by_the_next_one(shop: None, settings: Settings, tmp_path: Path) -> None:
    process = start(settings, AS_OF, tmp_path / "report", kill_at=12, run_id=f"cli-killed {settings.store}")
    process.join(120)
    assert rows(settings)[f"cli-killed {settings.store}"]["status"] == "running"
    steps.run_all(new_run(settings))
    row = rows(settings)[f"cli-killed {settings.store}"]
    assert row["status"] == "failed"
    assert "ended without a word" in str(row["error"])
    assert row["finished_at"] is not None


def test_a_version_whose_run_was_killed_before_it_said_so_gets_its_row(shop: None, settings: Settings) -> None:
    run = new_run(settings)
    steps.extract(run)
    for task in run.dataset.tasks:
        steps.transform(run, task.name)
    steps.check(run)
    steps.publish(run)  # and the process dies before it registers
    steps.run_all(new_run(settings))
    row = rows(settings)[run.run_id]
    assert (row["status"], row["rows"]) == ("published", 1)
    assert row["version"] == run.versions.current().version  # type: ignore[union-attr]


def test_a_run_of_another_store_is_left_alone(shop: None, settings: Settings, tmp_path: Path) -> None:
    other = new_run(settings.model_copy(update={"store": str(tmp_path / "other")}))
    steps.extract(other)
    steps.run_all(new_run(settings))
    assert other.registry.unfinished(DATASET, other.store.url)[-1]["run_id"] == other.run_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_row_of_its_run(
    shop: None, settings: Settings, tmp_path: Path, number: signal.Signals
) -> None:
    environment = {
        **os.environ,
        "SHOPMILL_STORE": settings.store,
        "SHOPMILL_SOURCE_DSN": settings.source_dsn.get_secret_value(),
        "SHOPMILL_REGISTRY_DSN": settings.registry_dsn.get_secret_value(),
    }
    slow = (
        "import sys, time; from shopmill.run import steps; from shopmill.cli.app import main; "
        "steps.transform = lambda *_: (print('here', flush=True), time.sleep(60)); "
        f"sys.argv = ['shopmill', 'run', '{DATASET}', '--as-of', '{AS_OF}']; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(number)
        assert process.wait(60) != 0
    until = time.monotonic() + 30
    while (row := next(iter(rows(settings).values())))["status"] == "running" and time.monotonic() < until:
        time.sleep(0.2)
    assert row["status"] == "failed"
