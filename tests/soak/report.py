"""What happens in a soak: told in sentences, and counted."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


class SoakError(AssertionError):
    """Something was lost, or differs."""


@dataclass
class Report:
    """Of one soak, or of several together."""

    say: Callable[[str], None] = lambda _: None
    told: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    """How often each happened: a fault of a step that never came is none."""
    compared: Counter[str] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)
    """The seeds that lost something."""

    def note(self, sentence: str) -> None:
        """Remembers what happened, and says it."""
        self.told.append(sentence)
        self.say(sentence)

    def add(self, other: "Report") -> None:
        """Counts what happened in another soak, too."""
        self.faults += other.faults
        self.compared += other.compared
        self.lost += other.lost

    def counts(self) -> str:
        """The counts, as JSON."""
        found = {"faults": dict(sorted(self.faults.items())), "compared": dict(sorted(self.compared.items()))}
        return json.dumps({**found, "lost": self.lost})
