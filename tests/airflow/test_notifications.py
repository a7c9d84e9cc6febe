import ast
import inspect
import json
import logging
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from shopmill.airflow import notifications
from shopmill.airflow.local import LocalAirflow
from shopmill.airflow.notifications import announce_failure, announce_success, failure_of
from shopmill.checks import Result
from shopmill.errors import CheckFailedError

SUMMARY = {"version": "3f2a9c1d", "rows": 7, "rejected": 0, "bytes": 100}


def context(exception: BaseException | None = None) -> dict[str, Any]:
    task = SimpleNamespace(dag_id="articles_content", task_id="validate", log_url="http://127.0.0.1/log")
    return {"ti": task, "params": {"as_of": "2020-09-23"}, "exception": exception}


@pytest.mark.airflow
@pytest.mark.xdist_group("airflow")
class TestByAirflowItself:
    def test_a_failed_task_is_announced_once_to_both(self, airflow: LocalAirflow, slack: Any, mailbox: Any) -> None:
        run_id = airflow.client.trigger("fails", {"as_of": "2018-01-01"})
        *_, [last] = airflow.client.wait([("fails", run_id)], timeout=120)
        assert last.state == "failed"
        _wait_until(lambda: bool(slack.messages and mailbox.messages))
        [mail], [posted] = mailbox.messages, slack.messages
        assert mail["subject"] == "[shopmill] fails as of 2018-01-01 failed in broken"
        assert (mail["to"], mail["from"]) == ("team@shop.example", "shopmill@shop.example")
        parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
        assert list(parts) == ["text/plain", "text/html"]
        for form in (*parts.values(), posted["text"]):
            assert "Price is negative in 3 rows of articles: correct them at the source." in form
            assert "shopmill run fails --as-of 2018-01-01" in form
            assert f"{airflow.url}/dags/fails/runs/" in form

    def test_a_published_version_is_announced(self, airflow: LocalAirflow, slack: Any, mailbox: Any) -> None:
        run_id = airflow.client.trigger("succeeds")
        *_, [last] = airflow.client.wait([("succeeds", run_id)], timeout=120)
        assert last.state == "success"
        assert "1,234,567" in slack.messages[0]["text"]
        assert mailbox.messages[0]["subject"] == "[shopmill] succeeds as of 2020-01-01 published with 1 warning"


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Once Airflow has set up its logging in this process, the root logger's handlers are its own: listen at the source."""
    log = logging.getLogger("shopmill.airflow.notifications")
    log.addHandler(caplog.handler)
    yield
    log.removeHandler(caplog.handler)


@pytest.fixture
def connected(sink_connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sink_connections.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("connected")
def test_failed_checks_reach_both(slack: Any, mailbox: Any) -> None:
    result = Result("key of interactions", "interactions", "error", "the key is unique", violations=2)
    announce_failure(context(CheckFailedError("1 check failed", [result])))
    assert "key of interactions: 2 violations" in slack.messages[0]["text"]
    html = mailbox.messages[0].get_body().get_content()
    assert "key of interactions: 2 violations" in html


@pytest.mark.usefixtures("connected")
def test_braces_in_an_error_are_not_a_template(slack: Any, mailbox: Any) -> None:
    announce_failure(context(ValueError("{{ params.as_of }} {% if x %}")))
    assert "{{ params.as_of }} {% if x %}" in slack.messages[0]["text"]
    assert len(mailbox.messages) == 1


@pytest.mark.usefixtures("connected")
def test_a_sink_that_refuses_is_a_warning_without_the_secret_and_the_other_is_served(
    slack: Any, mailbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    slack.status = 500
    announce_success(context(), SUMMARY)
    assert len(mailbox.messages) == 1
    record, *_ = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "shopmill_slack" in record.getMessage()
    assert "webhook-secret" not in caplog.text


def test_without_connections_nothing_is_sent_or_said(
    slack: Any, mailbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    announce_failure(context(ValueError("x")))
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
    announce_success(context(), SUMMARY)
    assert mailbox.messages == []
    assert "SHOPMILL_NOTIFY_EMAIL" in caplog.text
    monkeypatch.setenv("SHOPMILL_NOTIFY_EMAIL", "a@shop.example, b@shop.example")
    announce_success(context(), SUMMARY)
    assert mailbox.messages[0]["to"] == "a@shop.example, b@shop.example"


def test_a_killed_task_has_no_exception() -> None:
    assert "killed" in failure_of(context()).error


def test_parsing_a_dag_file_imports_no_airflow_for_this() -> None:
    module = ast.parse(inspect.getsource(notifications))
    imported = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("airflow.sdk" in ast.unparse(node) or "providers" in ast.unparse(node) for node in imported)


def _wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
