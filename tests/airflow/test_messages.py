from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopmill.airflow.message_forms import Message, one_line, without_secrets
from shopmill.airflow.messages import (
    FailedTask,
    Outcome,
    failure_message,
    human_size,
    late_message,
    success_message,
)
from shopmill.registry.notices import Notice
from shopmill.run.published import Published

SINCE = datetime(2020, 9, 22, 4, 5, tzinfo=UTC)
RUN = Outcome("user_item_interactions", "ml-platform", "2020-09-23", "http://127.0.0.1:8080/dags/x/runs/y")
TASK = FailedTask(
    task="quality_check",
    error="2 checks failed\nTraceback (most recent call last): …",
    failed_checks=("recency_days at least 0: 3 violations (such as 17; 18; 19)", "key of interactions: 2 violations"),
    log_url="http://127.0.0.1:8080/dags/x/runs/y/tasks/z?try_number=1",
)
PUBLISHED = Published(
    "user_item_interactions", "2020-09-23", "3f2a9c1d", 105542, 45_600_000, 12, "published", "/store", warned=("stale: 3 days",)
)  # fmt: skip
DAY = timedelta(hours=24)


def failed(*tasks: FailedTask, run: Outcome = RUN, times: int = 1) -> Message:
    return failure_message(run, tasks or (TASK,), Notice(True, "failed", times, SINCE), DAY)


def failed_with(error: str) -> Message:
    return failed(FailedTask("t", error, failed_checks=(error,)), run=Outcome("d", "", None))


def test_a_failure_says_what_failed_and_how_to_run_it_again() -> None:
    message = failed()
    assert message.subject == "[shopmill] user_item_interactions as of 2020-09-23 failed in quality_check"
    for form in (message.text, message.slack, message.html):
        for part in ("ml-platform", "2020-09-23", "quality_check: 2 checks failed", *TASK.failed_checks):
            assert part in form
        assert "shopmill run user_item_interactions --as-of 2020-09-23" in form
        assert TASK.log_url in form
        assert "Traceback" not in form


def test_the_text_form_as_a_whole() -> None:
    assert failed(times=3).text == (
        "user_item_interactions failed in quality_check\n"
        "\n"
        "Dataset:  user_item_interactions\n"
        "Owner:    ml-platform\n"
        "As of:    2020-09-23\n"
        "Failures: 3 runs in a row since 2020-09-22 04:05 UTC\n"
        "\n"
        "What failed:\n"
        "  - quality_check: 2 checks failed\n"
        "\n"
        "Failed checks:\n"
        "  - recency_days at least 0: 3 violations (such as 17; 18; 19)\n"
        "  - key of interactions: 2 violations\n"
        "\n"
        "When it is fixed, run it again:\n"
        "  shopmill run user_item_interactions --as-of 2020-09-23\n"
        "\n"
        "Log of quality_check: http://127.0.0.1:8080/dags/x/runs/y/tasks/z?try_number=1\n"
        "\n"
        "The previous version stays current. While it fails like this, you are notified again after 1 day.\n"
    )


def test_the_slack_form_as_a_whole() -> None:
    assert failed(times=3).slack == (
        "*user_item_interactions failed in quality_check*\n"
        "Dataset: user_item_interactions\n"
        "Owner: ml-platform\n"
        "As of: 2020-09-23\n"
        "Failures: 3 runs in a row since 2020-09-22 04:05 UTC\n"
        "\n"
        "*What failed*\n"
        "• quality_check: 2 checks failed\n"
        "\n"
        "*Failed checks*\n"
        "• recency_days at least 0: 3 violations (such as 17; 18; 19)\n"
        "• key of interactions: 2 violations\n"
        "\n"
        "*When it is fixed, run it again*\n"
        "`shopmill run user_item_interactions --as-of 2020-09-23`\n"
        "\n"
        "<http://127.0.0.1:8080/dags/x/runs/y/tasks/z?try_number=1|Log of quality_check>\n"
        "\n"
        "_The previous version stays current. While it fails like this, you are notified again after 1 day._"
    )


def test_without_an_as_of_the_command_has_none() -> None:
    message = failed(FailedTask("extract", ""), run=Outcome("articles_content", "", None))
    assert "shopmill run articles_content\n" in message.text
    assert "no reason was recorded" in message.text


def test_all_failed_tasks_of_a_run_are_in_one_message() -> None:
    message = failed(TASK, FailedTask("extract", "the shop does not answer", log_url="http://log/2"))
    assert message.subject.endswith("failed in quality_check, extract")
    for part in (TASK.log_url, "http://log/2", "the shop does not answer"):
        assert str(part) in message.slack


def test_a_success_tells_the_figures() -> None:
    message = success_message(RUN, PUBLISHED)
    assert message.subject == "[shopmill] user_item_interactions as of 2020-09-23 published with 1 warning"
    for form in (message.text, message.slack, message.html):
        for part in ("3f2a9c1d", "105,542", "12", "45.6 MB", "stale: 3 days"):
            assert part in form


@pytest.mark.parametrize(
    ("before", "subject", "fact"),
    [
        (Notice(False, "failed", 3, SINCE), "has recovered", "3 runs since 2020-09-22 04:05 UTC"),
        (Notice(False, "failed", 1, SINCE), "has recovered", "one run since 2020-09-22 04:05 UTC"),
        (Notice(False, "late", 1, SINCE), "was late, and is published", "3f2a9c1d"),
        (Notice(False, "published", 9, SINCE), "published", "3f2a9c1d"),
    ],
)
def test_a_success_tells_what_it_ends(before: Notice, subject: str, fact: str) -> None:
    message = success_message(RUN, replace(PUBLISHED, warned=()), Notice(True, "published", 1, SINCE, before))
    assert message.subject == f"[shopmill] user_item_interactions as of 2020-09-23 {subject}"
    assert fact in message.text


def test_a_late_run_tells_the_promise() -> None:
    message = late_message(RUN, "2020-09-23 06:00 UTC", timedelta(hours=2))
    assert message.subject == "[shopmill] user_item_interactions as of 2020-09-23 is late"
    for form in (message.text, message.slack, message.html):
        for part in ("within 2 hours", "2020-09-23 06:00 UTC", RUN.url, "ml-platform"):
            assert str(part) in form


def test_what_is_noted_of_a_task_is_given_back_without_secrets() -> None:
    task = FailedTask("t", "no route to postgresql://a:secret5@b/c", "t", None, ("key: 'token=secret6'",))
    noted = FailedTask.from_document(task.document())
    assert noted == FailedTask("t", "no route to postgresql://a:***@b/c", "t", None, ("key: 'token=***",))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("could not connect to postgresql://reader:hunter22@db:5432/shop", "hunter22"),
        ("dsn host=db user=reader password=hunter22 dbname=shop", "hunter22"),
        ("dsn password='hunter 22' dbname=shop", "hunter 22"),
        ("POST https://hooks.slack.com/services/T0/B0/hunter22 failed", "hunter22"),
        ('{"api_key": "hunter22"}', "hunter22"),
        ("Token: hunter22", "hunter22"),
    ],
)
def test_secrets_are_left_out(text: str, secret: str) -> None:
    message = failed_with(text)
    assert secret not in message.text + message.slack + message.html + message.subject
    assert secret not in without_secrets(text)


@given(st.text(max_size=300))
def test_any_error_leaves_the_html_in_shape(error: str) -> None:
    message = failed_with(error)
    parser = _Balance()
    parser.feed(message.html)
    assert parser.open == []
    assert set(parser.seen) <= {
        "html",
        "head",
        "meta",
        "title",
        "body",
        "table",
        "tr",
        "td",
        "h1",
        "p",
        "ul",
        "li",
        "pre",
    }
    assert "\n" not in message.subject


@given(st.text())
def test_one_line_is_one_short_line(text: str) -> None:
    line = one_line(text)
    assert line
    assert len(line.splitlines()) == 1
    assert len(line) <= 500


def test_slack_cannot_be_made_to_alarm_everybody() -> None:
    assert "<!channel>" not in failed_with("<!channel> & co").slack


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (45_600_000, "45.6 MB"), (2 * 10**12, "2.0 TB")]
)
def test_sizes_read_well(size: int, text: str) -> None:
    assert human_size(size) == text


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, _: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
