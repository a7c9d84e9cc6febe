"""DAGs beside those of the datasets: parsed without a heavy import, with a schedule and their documentation."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_dags import HEAVY, PARSE

from conftest import AirflowShop, Heard
from shopmill.airflow import connections, upkeep
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.messages import Outcome, upkeep_message
from shopmill.errors import PermanentError
from shopmill.settings import Settings
from shopmill.trust.looks import DifferencesError
from shopmill.versions.store import Store

DAGS = Path(__file__).parents[2] / "dags" / "upkeep"


@pytest.mark.parametrize(("name", "clock"), [("reconcile", "22:00"), ("verify", "00:00")])
def test_each_is_a_dag_of_its_own_every_week(name: str, clock: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARSE, str(DAGS / f"{name}.py"), json.dumps(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["dag_id"], found["heavy"], list(found["tasks"])) == (name, [], [name])
    assert (found["tasks"][name]["retries"], found["tasks"][name]["retry_policy"]) == (3, True)
    assert clock in found["doc"]


def test_the_message_has_the_differences_and_no_more_than_can_be_read() -> None:
    found = tuple(f"store/file-{n} is missing. Run `shopmill repair`." for n in range(30))
    message = upkeep_message(Outcome("verify", "", None, "http://airflow/run"), found, "http://airflow/log")
    assert message.subject == "[shopmill] verify failed: 30 differences"
    assert "store/file-19 is missing" in message.text
    assert "store/file-20" not in message.text
    assert "and 10 more: the log has them" in message.text
    assert "http://airflow/log" in message.text


STRAY = "user_item_interactions/as_of=2001-01-01/version=abcdefabcdef"


def test_the_task_fails_with_what_differs_and_only_then(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "airflow_settings", lambda: settings)
    assert upkeep.verify.function() == "Nothing differs."
    Store(settings.store).write(f"{STRAY}/part.parquet", b"")
    with pytest.raises(DifferencesError, match="shopmill verify --all --raw") as error:
        upkeep.verify.function()
    [sentence] = error.value.sentences
    assert "version abcdefabcdef has no manifest that can be read" in sentence
    assert isinstance(error.value, PermanentError), "trying again cannot help"


@pytest.mark.airflow
@pytest.mark.about("verify")
def test_people_are_notified_of_what_differs(airflow: LocalAirflow, airflow_shop: AirflowShop, slack: Heard) -> None:
    store = Store(str(airflow_shop.store))
    store.write(f"{STRAY}/part.parquet", b"")
    try:
        (airflow.dags_folder / "verify.py").write_text((DAGS / "verify.py").read_text())
        run_id = airflow.client.trigger("verify", timeout=90)
        *_, [last] = airflow.client.wait([("verify", run_id)], timeout=240)
    finally:
        (airflow.dags_folder / "verify.py").unlink()
        store.delete(STRAY.rsplit("/", 1)[0])
        store.delete_keys(["index/user_item_interactions/2001-01.json"])
    assert last.state == "failed"
    [task] = last.tasks
    assert task.try_number == 1
    assert any("has no manifest that can be read" in line for line in airflow.client.log_errors(last, task))
    [message] = slack.messages
    assert "version abcdefabcdef has no manifest that can be read" in message["text"]
