"""What is seen of a long encoding, in a terminal and elsewhere."""

import io
import logging
import time

import pytest
from rich.console import Console

from shopmill.text import progress as subject
from shopmill.text.progress import ShownProgress


def console(**how: bool) -> Console:
    return Console(file=io.StringIO(), width=100, **how)


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def test_a_bar_in_a_terminal_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "SECONDS_WITHOUT_BAR", 0)
    terminal = console(force_terminal=True, force_interactive=True)
    with ShownProgress(terminal) as tell:
        tell(10, 100)
        tell(30, 100)
    assert "encoding" in written(terminal)
    assert "30/100" in written(terminal)
    assert "100" not in written(terminal).split("\x1b[2K")[-1], "the line is erased"


def test_a_bar_below_the_status_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "SECONDS_WITHOUT_BAR", 0)
    terminal = console(force_terminal=True, force_interactive=True)
    with terminal.status("a run"), ShownProgress(terminal) as tell:
        tell(30, 100)
        deadline = time.monotonic() + 30
        while "30/100" not in written(terminal) and time.monotonic() < deadline:
            time.sleep(0.01)  # the status is drawn anew twelve times a second, and the bar with it
    assert "30/100" in written(terminal)


def test_no_bar_for_what_is_quick_nor_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, file = console(force_terminal=True, force_interactive=True), console()
    with ShownProgress(terminal) as tell:
        tell(10, 100)
    monkeypatch.setattr(subject, "SECONDS_WITHOUT_BAR", 0)
    with ShownProgress(file) as tell:
        tell(10, 100)
    assert written(terminal) == written(file) == ""


def test_a_line_in_the_log_with_the_rate(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = [100.0]
    monkeypatch.setattr(subject.time, "monotonic", lambda: now[0])
    with ShownProgress(console()) as tell:
        for seconds, done in ((4, 100), (10, 250), (12, 300), (20, 500)):
            now[0] = 100 + seconds
            tell(done, 1000)
    assert caplog.messages == [
        "encoded 250 of 1000 texts (25 %), 25 texts/s",
        "encoded 500 of 1000 texts (50 %), 25 texts/s",
    ]
