"""A store that is soaked: where it is, what was published to it, and what was done to it."""

import random
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from golden import LENIENT

from faulty import Fault, Plant, Task, Work, begin
from shopmill import datasets
from shopmill.settings import Settings
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions
from soak.report import Report
from soak.world import World

FIRST = date(2020, 9, 9)
UPSTREAM, WEEKLY = "articles_content", "articles_embeddings"


@dataclass
class Soaked:
    """What all parts of a soak know. `settings` are those of a shop and a registry that were empty."""

    settings: Settings
    world: World
    folder: Path
    seed: int
    names: tuple[str, ...]
    report: Report
    plant: Plant | None = None
    last: date = FIRST
    """The as_of of today."""
    published: dict[tuple[str, str], str] = field(default_factory=dict)
    """The version that counts, by dataset and as_of."""
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    """What the soak tore, deleted or made unreadable itself."""
    erased: list[str] = field(default_factory=list)
    looked_at: dict[str, Any] = field(default_factory=dict)
    """What each file was like when it was last found whole."""
    works: int = 0

    def dice(self, *what: str) -> random.Random:
        """Chance that depends on the seed and on what it is for alone."""
        return random.Random(f"{self.seed} {' '.join(what)}")

    def note(self, sentence: str) -> None:
        """Says what happens, and today's as_of."""
        self.report.note(f"{self.last} {sentence}")

    @property
    def store(self) -> Store:
        """The store."""
        return Store(self.settings.store)

    def versions(self, dataset: str) -> Versions:
        """The versions of a dataset."""
        return Versions(self.store, dataset, self.settings.zone)

    def current(self, dataset: str) -> str | None:
        """The as_of of the version that serves."""
        found = self.versions(dataset).current()
        return found.as_of if found else None

    def in_order(self) -> list[str]:
        """The datasets, what others are made of first."""
        order = [UPSTREAM, *sorted(set(self.names) - {UPSTREAM, WEEKLY}), WEEKLY]
        return [name for name in order if name in self.names]

    def begin(self, task: Task, fault: Fault | None) -> Work:
        """Starts work in a process of its own, to which a fault happens."""
        self.works += 1
        return begin(self.settings, task, self.folder / "work", fault, self.plant)

    def may_refuse(self, sentence: str) -> bool:
        """What is damaged must be repaired first, and what was withdrawn stays withdrawn."""
        return bool(
            (
                self.damaged
                and any(word in sentence for word in ("damaged", "missing", "first", "bytes", "cannot be read"))
            )
            or (self.withdrawn and "withdrawn" in sentence)
            or "has no version as of" in sentence
        )


def lenient(dataset: str) -> dict[str, Any]:
    """Parameters of a dataset with which a tiny shop passes its checks."""
    known = {parameter.name for parameter in datasets.load(dataset).all_parameters}
    return {name: value for name, value in LENIENT.items() if name in known}
