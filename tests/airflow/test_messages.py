from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopmill.airflow.messages import (
    Failure,
    Success,
    failure_message,
    human_size,
    one_line,
    success_message,
    without_secrets,
)

FAILURE = Failure(
    dataset="user_item_interactions",
    as_of="2020-09-23",
    task="quality_check",
    error="2 checks failed\nTraceback (most recent call last): …",
    failed_checks=("recency_days at least 0: 3 violations (such as 17; 18)", "key of interactions: 2 violations"),
    log_url="http://127.0.0.1:8080/dags/x/runs/y/tasks/z?try_number=1",
)
SUCCESS = Success("articles_content", "2020-09-23", "3f2a9c1d", 105542, 12, 45_600_000, ("stale: 3 days",))


def test_a_failure_says_what_failed_and_how_to_run_it_again() -> None:
    message = failure_message(FAILURE)
    assert message.subject == "[shopmill] user_item_interactions as of 2020-09-23 failed in quality_check"
    for form in (message.text, message.slack, message.html):
        for part in (
            "user_item_interactions",
            "2020-09-23",
            "quality_check",
            "2 checks failed",
            *FAILURE.failed_checks,
        ):
            assert part in form
        assert "shopmill run user_item_interactions --as-of 2020-09-23" in form
        assert "http://127.0.0.1:8080/dags/x/runs/y/tasks/z?try_number=1" in form
        assert "Traceback" not in form


def test_the_text_form_as_a_whole() -> None:
    assert failure_message(FAILURE).text == (
        "user_item_interactions failed in quality_check\n"
        "\n"
        "Dataset: user_item_interactions\n"
        "As of:   2020-09-23\n"
        "Task:    quality_check\n"
        "Error:   2 checks failed\n"
        "\n"
        "Failed checks:\n"
        "  - recency_days at least 0: 3 violations (such as 17; 18)\n"
        "  - key of interactions: 2 violations\n"
        "\n"
        "Run it again:\n"
        "  shopmill run user_item_interactions --as-of 2020-09-23\n"
        "\n"
        "Log: http://127.0.0.1:8080/dags/x/runs/y/tasks/z?try_number=1\n"
    )


def test_without_an_as_of_the_command_has_none() -> None:
    message = failure_message(Failure("articles_content", None, "extract", ""))
    assert "shopmill run articles_content\n" in message.text
    assert "no reason was recorded" in message.text


def test_a_success_tells_the_figures() -> None:
    message = success_message(SUCCESS)
    assert message.subject == "[shopmill] articles_content as of 2020-09-23 published with 1 warning"
    for form in (message.text, message.slack, message.html):
        for part in ("3f2a9c1d", "105,542", "12", "45.6 MB", "stale: 3 days"):
            assert part in form


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
    message = failure_message(Failure("d", None, "t", text, failed_checks=(text,)))
    assert secret not in message.text + message.slack + message.html + message.subject
    assert secret not in without_secrets(text)


@given(st.text(max_size=300))
def test_any_error_leaves_the_html_in_shape(error: str) -> None:
    message = failure_message(Failure("d", "2020-01-01", "t", error, failed_checks=(error,)))
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
    assert "<!channel>" not in failure_message(Failure("d", None, "t", "<!channel> & co")).slack


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
