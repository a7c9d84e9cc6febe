"""All datasets for some simulated days, with faults by chance; in the end they must be what a clean build makes.

Everything is decided by the seed: the shop, the order of the datasets, the faults and where they happen. After each fault
everything that is published must be whole, and nothing that was published may be lost.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from faulty import Kind, Plant, kinds_for
from shopmill import datasets
from shopmill.settings import Settings
from soak import comparison, damage, people, runs
from soak.ending import settle
from soak.report import Report, SoakError
from soak.soaked import FIRST, UPSTREAM, WEEKLY, Soaked
from soak.world import World

BETWEEN = {
    "torn": damage.torn,
    "deleted": damage.deleted,
    "unreadable": damage.unreadable,
    "gc": people.gc,
    "unpublish": people.unpublish,
    "rerun": people.rerun,
    "future": people.future,
    "backfill": people.backfill,
    "refresh": people.refresh,
    "erase": people.erase,
}
"""What happens between the days, by name."""


@dataclass
class Soak:
    """A soak of one store. `settings` are those of a shop and a registry that are empty."""

    settings: Settings
    clean: Settings
    """The same shop, and an empty store and registry, for the build that everything is compared with."""
    folder: Path
    seed: int
    days: int
    plant: Plant | None = None
    share: float = 0.5
    """Of the runs, how many a fault happens to."""
    missed: float = 0.3
    """Of the runs, how many nobody starts."""
    kinds: tuple[Kind, ...] = ()
    """Default: all that can happen to this store."""
    between: tuple[str, ...] = tuple(BETWEEN)
    names: tuple[str, ...] = ()
    step: str = ""
    """The step in which faults happen; default: any."""
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        names = self.names or tuple(datasets.names())
        self._kinds = self.kinds or kinds_for(self.settings.store)
        world = World(self.settings.source_dsn.get_secret_value(), self.seed, FIRST)
        self._soaked = Soaked(self.settings, world, self.folder, self.seed, names, self.report, self.plant)

    def run(self) -> "Soak":
        """The whole of it; SoakError, with all that happened, where something was lost."""
        try:
            self._soaked.world.begin()
            for number in range(self.days):
                self._day(FIRST + timedelta(days=number))
            settle(self._soaked)
            comparison.compare(self._soaked, self.clean)
            comparison.compute_again(self._soaked)
        except Exception as error:
            self.report.lost.append(self.seed)
            history = "\n".join(self.report.told)
            raise SoakError(f"{history}\nseed {self.seed}: {type(error).__name__}: {error}") from error
        return self

    def _day(self, day: date) -> None:
        """The shop lives a day, and everything runs as of the next."""
        self._soaked.world.pass_day(day)
        self._soaked.last = day + timedelta(days=1)
        as_of = str(self._soaked.last)
        for dataset in self._order(as_of):
            self._runs(dataset, as_of, self._soaked.dice(as_of, dataset))
        dice = self._soaked.dice(as_of, "between")
        if self.between and day > FIRST:
            for name in dice.sample(self.between, min(2, len(self.between))):
                self._happens(name, dice)

    def _order(self, as_of: str) -> list[str]:
        """By chance, but for what is made of another dataset."""
        dice, known = self._soaked.dice(as_of, "order"), set(self._soaked.names)
        names = sorted(known - {UPSTREAM, WEEKLY})
        dice.shuffle(names)
        weekly = [WEEKLY] if WEEKLY in known and dice.random() < 0.4 else []
        return [*({UPSTREAM} & known), *names, *weekly]

    def _runs(self, dataset: str, as_of: str, dice: random.Random) -> None:
        """Perhaps nobody starts it, perhaps a fault happens to it, and perhaps nobody runs it again then."""
        if dataset != UPSTREAM and dice.random() < self.missed:
            return
        if dice.random() < self.share:
            runs.faulty_run(self._soaked, dataset, as_of, runs.by_chance(dataset, dice, self._kinds, self.step))
            if dice.random() < 0.3:
                return
        runs.run(self._soaked, dataset, as_of)

    def _happens(self, name: str, dice: random.Random) -> None:
        if name == "erase" and len(self._soaked.erased) >= people.ERASED:
            return
        self.report.faults[name] += 1
        BETWEEN[name](self._soaked, dice)
