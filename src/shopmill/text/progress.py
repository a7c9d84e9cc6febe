"""How far encoding has come: lines in the log, and a bar in a terminal."""

import logging
import time
from types import TracebackType

import rich
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LINES = 10
SECONDS_WITHOUT_BAR = 2


class ShownProgress:
    """A `Progress` for the block: a line every ten seconds; in a terminal a bar too, once it has taken two seconds."""

    def __init__(self, console: Console | None = None):
        self._console = console or rich.get_console()
        self._started = self._printed = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> "ShownProgress":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Reports that `done` of `total` texts are encoded."""
        now = time.monotonic()
        if self._console.is_interactive and now - self._started >= SECONDS_WITHOUT_BAR:
            self._show(done, total)
        if now - self._printed >= SECONDS_BETWEEN_LINES:
            self._printed = now
            rate = done / (now - self._started)
            log.info("encoded %d of %d texts (%d %%), %.0f texts/s", done, total, 100 * done // total, rate)

    def _show(self, done: int, total: int) -> None:
        if self._bar is None:
            columns = (TextColumn("encoding"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=self._console, transient=True)
            self._bar.add_task("", total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} texts/s" if task.speed else "")
