import ast
import inspect
import json
import logging
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from shopmill.airflow import notifications
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.notifications import announce_failure, announce_success, failed_task, note_failure
from shopmill.errors import CheckFailedError
from shopmill.run.checks import Result
from shopmill.run.published import Published

pytestmark = pytest.mark.about("reviews_nlp")  # unless a test says otherwise
PUBLISHED = Published("user_item_interactions", "2020-09-23", "3f2a9c1d", 7, 100, 0, "published", "/store")


def context(exception: BaseException | None = None) -> dict[str, Any]:
    task = SimpleNamespace(
        dag_id="reviews_nlp", run_id="a_run", task_id="validate", log_url="http://127.0.0.1/log?try_number=1"
    )
    dag = SimpleNamespace(dag_id="reviews_nlp")
    return {"ti": task, "dag": dag, "run_id": "a_run", "params": {"as_of": "2020-09-23"}, "exception": exception}


def fail(exception: BaseException | None = None) -> None:
    """What Airflow does when a task fails and ends its run."""
    note_failure(context(exception))
    announce_failure(context())


@pytest.mark.airflow
class TestByAirflowItself:
    @pytest.mark.about("fails_twice")
    def test_a_failing_run_is_one_message_then_silence_then_a_recovery(
        self, airflow: LocalAirflow, slack: Any, mailbox: Any
    ) -> None:
        run(airflow, "fails_twice", fault="Price is negative")
        wait_until(lambda: slack.messages and mailbox.messages)
        run(airflow, "fails_twice", fault="Price is negative")
        run(airflow, "fails_twice", fault="Price is missing", as_of="2020-01-02")
        wait_until(lambda: len(mailbox.messages) == 2)
        run(airflow, "fails_twice", as_of="2020-01-02")
        wait_until(lambda: len(mailbox.messages) == 3)
        run(airflow, "fails_twice", as_of="2020-01-03")

        failed, failed_otherwise, recovered = mailbox.messages
        assert failed["subject"] == "[shopmill] fails_twice as of 2020-01-01 failed in one, other"
        assert (failed["to"], failed["from"]) == ("team@shop.example", "shopmill@shop.example")
        parts = {part.get_content_type(): part.get_content() for part in failed.iter_parts()}
        assert list(parts) == ["text/plain", "text/html"]
        for form in (*parts.values(), slack.messages[0]["text"]):
            for task in ("one", "other"):
                assert f"{task}: Price is negative in 3 rows of articles: correct them at the source." in form
                assert f"/tasks/{task}?try_number=1" in form
            assert "shopmill run fails_twice --as-of 2020-01-01" in form
            assert f"{airflow.url}/dags/fails_twice/runs/" in form
        assert failed_otherwise["subject"] == "[shopmill] fails_twice as of 2020-01-02 failed in one, other"
        assert recovered["subject"] == "[shopmill] fails_twice as of 2020-01-02 has recovered with 1 warning"
        assert "3 runs since" in recovered.get_body(("plain",)).get_content()
        assert len(slack.messages) == len(mailbox.messages) == 3

    @pytest.mark.about("is_killed")
    def test_a_run_whose_task_is_killed_is_told_of(self, airflow: LocalAirflow, mailbox: Any) -> None:
        run_id = airflow.client.trigger("is_killed", {"as_of": "2020-01-01"})
        *_, [last] = airflow.client.wait([("is_killed", run_id)], timeout=120)
        assert last.state == "failed"
        wait_until(lambda: mailbox.messages)
        assert mailbox.messages[0]["subject"] == "[shopmill] is_killed as of 2020-01-01 failed in killed"
        assert "killed: it ended without a word" in mailbox.messages[0].get_body(("plain",)).get_content()

    @pytest.mark.about("succeeds")
    def test_a_published_version_is_announced(self, airflow: LocalAirflow, slack: Any, mailbox: Any) -> None:
        run(airflow, "succeeds")
        assert "1,234,567" in slack.messages[0]["text"]
        assert mailbox.messages[0]["subject"] == "[shopmill] succeeds as of 2020-01-01 published with 1 warning"

    @pytest.mark.about("dawdles")
    def test_a_missed_deadline_is_told_by_the_triggerer(self, airflow: LocalAirflow, slack: Any, mailbox: Any) -> None:
        airflow.client.trigger("dawdles", {"as_of": "2020-01-01"})
        try:
            wait_until(lambda: slack.messages and mailbox.messages, seconds=90)
        finally:
            airflow.client.abandon_runs("dawdles")
        assert mailbox.messages[0]["subject"] == "[shopmill] dawdles as of 2020-01-01 is late"
        assert "published within 1 second of being queued" in slack.messages[0]["text"]


def run(airflow: LocalAirflow, dag_id: str, as_of: str = "2020-01-01", **params: str) -> None:
    run_id = airflow.client.trigger(dag_id, {"as_of": as_of, **params})
    *_, [last] = airflow.client.wait([(dag_id, run_id)], timeout=120)
    assert last.state == ("failed" if params else "success")


@pytest.fixture(autouse=True)
def all_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process the notes are there when the end of a run is told."""
    monkeypatch.setattr("shopmill.airflow.notifications.SETTLING_SECONDS", 0)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Once Airflow has set up its logging in this process, the root logger's handlers are its own: listen at the source."""
    log = logging.getLogger("shopmill.airflow")
    log.addHandler(caplog.handler)
    yield
    log.removeHandler(caplog.handler)


@pytest.fixture(autouse=True)
def registry(database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A registry that knows of nothing."""
    dsn = database()
    monkeypatch.setenv("SHOPMILL_REGISTRY_DSN", dsn)
    return dsn


@pytest.fixture
def connected(sink_connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sink_connections.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("connected")
def test_failed_checks_reach_both(slack: Any, mailbox: Any) -> None:
    result = Result("key of interactions", "interactions", "error", "the key is unique", violations=2)
    fail(CheckFailedError("1 check failed", [result]))
    assert "• interactions: key of interactions: 2 violations" in slack.messages[0]["text"]
    html = mailbox.messages[0].get_body().get_content()
    assert "key of interactions: 2 violations" in html


@pytest.mark.usefixtures("connected")
def test_braces_in_an_error_are_not_a_template(slack: Any, mailbox: Any) -> None:
    fail(ValueError("{{ params.as_of }} {% if x %}"))
    assert "{{ params.as_of }} {% if x %}" in slack.messages[0]["text"]
    assert len(mailbox.messages) == 1


@pytest.mark.usefixtures("connected")
def test_a_sink_that_refuses_is_a_warning_without_the_secret_and_the_other_is_served(
    slack: Any, mailbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    slack.sink.status = 500
    announce_success(context(), PUBLISHED)
    assert len(mailbox.messages) == 1
    record, *_ = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "shopmill_slack" in record.getMessage()
    assert "webhook-secret" not in caplog.text


def test_without_connections_nothing_is_sent_or_said(
    slack: Any, mailbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fail(ValueError("x"))
    assert (slack.messages, mailbox.messages) == ([], [])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.usefixtures("connected")
def test_recipients_may_come_from_the_environment(
    mailbox: Any,
    sink_connections: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection = json.loads(sink_connections["AIRFLOW_CONN_SHOPMILL_SMTP"])
    del connection["extra"]["to"]
    monkeypatch.setenv("AIRFLOW_CONN_SHOPMILL_SMTP", json.dumps(connection))
    announce_success(context(), PUBLISHED)
    assert mailbox.messages == []
    assert "SHOPMILL_NOTIFY_EMAIL" in caplog.text
    monkeypatch.setenv("SHOPMILL_NOTIFY_EMAIL", "a@shop.example, b@shop.example")
    announce_success(context(), PUBLISHED)
    assert mailbox.messages[0]["to"] == "a@shop.example, b@shop.example"


@pytest.mark.usefixtures("connected")
def test_the_same_failure_is_told_again_after_the_time_that_is_set(mailbox: Any, registry: str) -> None:
    for attempt in range(3):
        fail(ValueError(f"row {attempt} is too long (run_id=5f{attempt})"))
    assert len(mailbox.messages) == 1
    with psycopg.connect(registry) as connection:
        connection.execute("update shopmill.news set told_at = told_at - interval '12 hours'")
    fail(ValueError("row 7 is too long (run_id=93)"))
    assert "4 runs in a row" in mailbox.messages[1].get_body(("plain",)).get_content()


@pytest.mark.usefixtures("connected")
def test_a_message_that_a_sink_refused_is_sent_at_the_next_failure(slack: Any, mailbox: Any) -> None:
    slack.sink.status = 500
    fail(ValueError("x"))
    slack.sink.status = 200
    fail(ValueError("x"))
    fail(ValueError("x"))
    assert len(mailbox.messages) == 2


@pytest.mark.usefixtures("connected")
def test_without_a_registry_people_are_told_all_the_same(
    mailbox: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SHOPMILL_REGISTRY_DSN", "postgresql://nobody:a-password@127.0.0.1:1/none")
    fail(ValueError("x"))
    assert mailbox.messages[0]["subject"] == "[shopmill] reviews_nlp as of 2020-09-23 failed in validate"
    assert "does not answer" in caplog.text
    assert "a-password" not in caplog.text


@pytest.mark.usefixtures("connected")
def test_a_run_whose_task_was_killed_is_told_too(mailbox: Any) -> None:
    announce_failure(context())
    text = mailbox.messages[0].get_body(("plain",)).get_content()
    assert "validate: it ended without a word" in text


def test_a_killed_task_has_no_exception() -> None:
    assert "killed" in failed_task(context()).error


def test_parsing_a_dag_file_imports_no_airflow_for_this() -> None:
    module = ast.parse(inspect.getsource(notifications))
    imported = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("airflow.sdk" in ast.unparse(node) or "providers" in ast.unparse(node) for node in imported)


def wait_until(is_so: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
