"""What the doctor finds: one thing that was looked at, how it is, and how to fix it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and how to fix it when it is not well."""

    subject: str
    level: Level
    text: str
    fix: str = ""
    suffers: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        return asdict(self)


def percent(part: int, whole: int) -> str:
    """A share as people read it: some are never 0%, and not quite all never 100%."""
    shown = f"{100 * part / whole:.1f}%"
    if part and shown == "0.0%":
        return "under 0.1%"
    return "over 99.9%" if part < whole and shown == "100.0%" else shown.replace(".0%", "%")


def counted(words: Iterable[tuple[str, int]]) -> str:
    """Words with their numbers, as people read them."""
    return ", ".join(f"{word} {number:,}" for word, number in words)
