"""What a long command says while it works: a live line on a terminal, a quiet line per step elsewhere."""

from time import monotonic
from types import TracebackType

from rich.console import Console

QUIET_SECONDS = 10.0


class ProgressLine:
    """The steps of a run, and the rows that one of them has read so far with their rate."""

    def __init__(self, console: Console, subject: str):
        self._console, self._subject = console, subject
        self._status = console.status(subject) if console.is_terminal else None
        self._begun = self._printed = monotonic()
        self._rows: dict[str, tuple[int, float]] = {}

    def __enter__(self) -> "ProgressLine":
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def step(self, name: str) -> None:
        """A step begins. Without a terminal a run that is over in seconds says nothing."""
        if self._status:
            self._status.update(f"{self._subject}: {name} [dim]{self._elapsed}[/]")
        elif monotonic() - self._printed > QUIET_SECONDS:
            self._line(name)

    def subject(self, subject: str) -> None:
        """What follows is about something else."""
        self._subject = subject
        self.step("begins")

    def count(self, table: str, more: int) -> None:
        """More rows of a table were read."""
        rows, since = self._rows.get(table, (0, monotonic()))
        self._rows[table] = rows + more, since
        text = f"extract {table} {rows + more:,} rows, {(rows + more) / max(monotonic() - since, 0.1):,.0f} a second"
        if self._status:
            self._status.update(f"{self._subject}: {text} [dim]{self._elapsed}[/]")
        elif monotonic() - self._printed > QUIET_SECONDS:
            self._line(text)

    def _line(self, text: str) -> None:
        self._printed = monotonic()
        self._console.print(f"{self._subject}: {text} ({self._elapsed})", soft_wrap=True, highlight=False, markup=False)

    @property
    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(monotonic() - self._begun), 60)
        return f"{minutes}:{seconds:02}"
