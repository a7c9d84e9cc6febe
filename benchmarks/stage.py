"""What a stage is: its contenders, and how their results are compared. A stage is one file in `benchmarks/stages/`."""

import resource
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

Results = Mapping[str, str]
"""Where a contender left its results: name, and a pattern of Parquet files."""


@dataclass(frozen=True)
class Place:
    """What a contender is given: the shop's files, an empty folder of its own, and what it may use."""

    shop: Path
    folder: Path
    scale: float
    threads: int = 2
    memory_limit: str = "4GB"
    values: Mapping[str, str] = field(default_factory=dict)

    def raw(self, table: str) -> str:
        """The raw files of a table of the shop, as a pattern."""
        return str(self.shop / "raw" / table / "*.parquet")

    def result(self, name: str) -> Path:
        """Where a contender may leave a result."""
        return self.folder / f"{name}.parquet"


class Clock:
    """Measures the part of a contender that counts: `with clock: ...`, once."""

    def __init__(self, on_event: Callable[[str], None] = lambda _event: None):
        self._on_event = on_event
        self.wall_s = self.cpu_s = 0.0

    def __enter__(self) -> None:
        self._on_event("begin")
        self._wall, self._cpu = time.perf_counter(), _processor_seconds()

    def __exit__(self, *_: object) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self._wall, _processor_seconds() - self._cpu
        self._on_event("end")


def _processor_seconds() -> float:
    """Of this process and of those of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a stage, as its own documentation recommends it.

    A `bound` does less than the work, as the least that it can cost: it has no result to compare. One of `extra` packages
    runs with the interpreter of `.venv-bench`, and is left out where that lacks them. Beyond `most_scale` it is left out.
    """

    name: str
    run: Callable[[Place, Clock], Results]
    bound: bool = False
    extra: str = ""
    most_scale: float = 10


@dataclass(frozen=True)
class Compared:
    """A result that contenders have in common: its key, and how far its numbers may lie apart.

    Columns of type double and decimal may differ by `tolerance`, relative or absolute; all others are equal. Where a rival
    has fewer columns, these alone are compared.
    """

    name: str
    key: tuple[str, ...]
    tolerance: float = 0.0


@dataclass(frozen=True)
class Stage:
    """A stage: shopmill's contender first, then its rivals. `tables` of the shop are made before.

    `around` is what has to run meanwhile, such as a database; it gives values for `Place.values`.
    """

    name: str
    what: str
    contenders: tuple[Contender, ...]
    compared: tuple[Compared, ...] = ()
    tables: tuple[str, ...] = ()
    around: Callable[[Place], AbstractContextManager[Mapping[str, str]]] = lambda _place: nullcontext({})

    @property
    def ours(self) -> Contender:
        """Shopmill's contender."""
        return self.contenders[0]

    def contender(self, name: str) -> Contender:
        """The contender of a name."""
        return next(found for found in self.contenders if found.name == name)
