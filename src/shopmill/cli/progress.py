"""What a long command says while it works: a live line on a terminal, elsewhere a quiet line from time to time."""

from threading import Event, Lock, Thread
from time import monotonic
from types import TracebackType

from rich import filesize
from rich.console import Console
from rich.text import Text

LOOK_SECONDS = 0.5
QUIET_SECONDS = 10.0
"""Without a terminal, how long nothing is said at first. Lines become rarer as the work goes on."""
MOST_QUIET_SECONDS = 60.0


class ProgressLine:
    """What a command works at, how far it is, how fast, and how long that has taken."""

    def __init__(self, console: Console, subject: str):
        self._console, self._subject, self._doing = console, subject, ""
        self._status = console.status("") if console.is_terminal else None
        self._begun = self._said = self._since = monotonic()
        self._rows: dict[str, tuple[int, float]] = {}
        self._changing, self._ended = Lock(), Event()
        self._sayer = Thread(target=self._keep_saying, daemon=True)

    def __enter__(self) -> "ProgressLine":
        if self._status:
            self._status.update(Text(self._text))
            self._status.start()
        self._sayer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._sayer.join()
        if self._status:
            self._status.stop()

    def subject(self, subject: str) -> None:
        """What follows is about something else."""
        self._subject, self._doing, self._since = subject, "", monotonic()

    def step(self, name: str) -> None:
        """A step begins."""
        self._doing = name

    def count(self, table: str, more: int) -> None:
        """More rows of a table were read."""
        with self._changing:
            rows, since = self._rows.get(table, (0, monotonic()))
            self._rows[table] = rows + more, since
        rate = (rows + more) / max(monotonic() - since, 0.1)
        self._doing = f"extract {table} {rows + more:,} rows, {rate:,.0f} a second"

    def read(self, done: int, total: int) -> None:
        """So many bytes were read of those that are known to be read."""
        rate = done / max(monotonic() - self._since, 0.1)
        sizes = f"{filesize.decimal(done)} of {filesize.decimal(total)}"
        left = f", {_minutes((total - done) / rate)} left" if rate else ""
        self._doing = f"{sizes}, {filesize.decimal(int(rate))} a second{left}"

    def _keep_saying(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.say()

    def say(self) -> None:
        """Says how far it is, where that is due."""
        now = monotonic()
        if self._status:
            self._status.update(Text(self._text))
        elif now - self._said >= min(max(QUIET_SECONDS, (now - self._begun) / 4), MOST_QUIET_SECONDS):
            self._said = now
            self._console.print(self._text, soft_wrap=True, highlight=False, markup=False)

    @property
    def _text(self) -> str:
        doing = f": {self._doing}" if self._doing else ""
        return f"{self._subject}{doing} ({_minutes(monotonic() - self._begun)})"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
