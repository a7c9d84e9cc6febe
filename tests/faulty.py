"""Work in a process of its own to which something happens: in a step, at a change that the step makes to the store.

`begin` starts it and `Work` says what came of it. The report has a line per step and change, and the outcome at the end.
"""

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any, Literal, get_args

from pydantic import SecretStr

from changes import REMOVES, before_each
from crashing import processes
from power_cut import Platters, watched
from relay import Relay
from shopmill import datasets, registry
from shopmill.errors import ShopmillError, StoreError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.trust.erasure.erase import Erasure
from shopmill.versions import store

Kind = Literal[
    "kill",
    "power cut",
    "store error",
    "full disk",
    "source away",
    "source silent",
    "registry away",
    "registry silent",
    "store away",
    "store silent",
]
OF_DISKS, OF_NETWORKS = {"power cut", "full disk"}, {"store away", "store silent"}
ENDED = 3
"""Exit code of work that ended with a sentence."""
SILENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Fault:
    """What happens, in which step, and before which of its changes; where it makes fewer, when the step has ended."""

    kind: Kind
    step: str = ""
    at: int = 0


def kinds_for(store: str) -> tuple[Kind, ...]:
    """The faults that can happen to a store."""
    others = OF_DISKS if "://" in store else OF_NETWORKS
    return tuple(kind for kind in get_args(Kind) if kind not in others)


Plant = Callable[[], None]
Task = Callable[[Settings, Callable[[str], None]], str]


@dataclass(frozen=True)
class Running:
    """A run of a dataset, as work."""

    dataset: str
    as_of: str
    parameters: dict[str, Any]
    run_id: str
    refresh: bool = False

    def __call__(self, settings: Settings, on_step: Callable[[str], None]) -> str:
        run = Run.create(
            datasets.load(self.dataset), self.as_of, settings, self.parameters, self.run_id, refresh=self.refresh
        )
        published = steps.run_all(run, on_step)
        return f"{published.status} {published.version}"


@dataclass(frozen=True)
class Step:
    """One step of a run, as an Airflow task has it."""

    running: Running
    step: str

    def __call__(self, settings: Settings, on_step: Callable[[str], None]) -> str:
        one = self.running
        run = Run.create(datasets.load(one.dataset), one.as_of, settings, one.parameters, one.run_id)
        on_step(self.step)
        if self.step in run.dataset.extracts:
            return f"done {steps.extract(run, self.step)}"
        if self.step in {task.name for task in run.dataset.tasks}:
            return f"done {steps.transform(run, self.step)}"
        return f"done {getattr(steps, self.step)(run)}"


@dataclass(frozen=True)
class Erasing:
    """The erasure of a person, as work."""

    customer: str

    def __call__(self, settings: Settings, on_step: Callable[[str], None]) -> str:
        on_step("")
        return f"erased {Erasure(settings).run(self.customer).person}"


@dataclass(frozen=True)
class Work:
    """A process at work, where it reports, and where a power cut leaves what it leaves."""

    process: BaseProcess
    report: Path
    left: Path
    store: Path

    def end(self) -> str:
        """Waits for it, and gives its last word: `killed` where it had none."""
        self.process.join(1500)
        assert self.process.exitcode in {0, ENDED, -signal.SIGKILL}, (self.process.exitcode, self.report.read_text())
        if self.left.exists():
            self.store.rename(before := self.left.with_name(f"{self.left.name}-before"))
            self.left.rename(self.store)
            shutil.rmtree(before)
        if self.process.exitcode == -signal.SIGKILL:
            return "killed"
        return self.report.read_text().splitlines()[-1].removeprefix("= ")

    @property
    def changes(self) -> int:
        """How many changes of the store it began."""
        others = ("step ", "! ", "= ")
        return sum(not line.startswith(others) for line in self.report.read_text().splitlines())

    @property
    def happened(self) -> bool:
        """Whether the fault happened: a run that ends before its step is never hit."""
        return "\n! " in f"\n{self.report.read_text()}"


def begin(settings: Settings, work: Task, folder: Path, fault: Fault | None = None, plant: Plant | None = None) -> Work:
    """Starts work to which a fault happens; `plant` changes the code in its process first."""
    folder.mkdir(parents=True, exist_ok=True)
    report, left = folder / "report", folder / "left"
    report.unlink(missing_ok=True)
    way = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "XDG_"))}
    process = processes.Process(target=_work, args=(settings, work, str(report), str(left), fault, plant, way))
    process.start()
    return Work(process, report, left, Path(settings.store))


def _work(
    settings: Settings,
    work: Task,
    report: str,
    left: str,
    fault: Fault | None,
    plant: Plant | None,
    way: Mapping[str, str],
) -> None:
    os.environ.update(way)  # a process of the fork server has that of when the server began
    if plant:
        plant()
    with Path(report).open("a", buffering=1) as told, ExitStack() as stack:
        happening = Happening(fault, told, Path(left))
        settings = happening.prepare(settings, stack)
        try:
            outcome = work(settings, happening.on_step)
            happening.on_step("")
        except ShopmillError as error:
            outcome = f"{type(error).__name__} {error}"
        told.write(f"= {' '.join(outcome.split())}\n")
    os._exit(ENDED if outcome.split()[0].endswith("Error") else 0)


class Happening:
    """Counts the changes of the store in each step, and lets the fault happen."""

    def __init__(self, fault: Fault | None, told: IO[str], left: Path):
        self._fault, self._told, self._left = fault, told, left
        self._step: str | None = None
        self._number, self._has_happened = 0, False
        self._platters: Platters | None = None
        self._relay: Relay | None = None

    def prepare(self, settings: Settings, stack: ExitStack) -> Settings:
        """Puts itself between the work and the store, the shop or the registry; gives the settings to work with."""
        before_each(self._look)
        kind = self._fault.kind if self._fault else ""
        if kind == "power cut":
            self._platters = stack.enter_context(watched(Path(settings.store), has_all=True))
        if kind.startswith("source"):
            self._relay = Relay(settings.source_dsn.get_secret_value())
            way = {"source_dsn": SecretStr(self._relay.address), "source_patience_seconds": SILENCE_SECONDS}
            return settings.model_copy(update=way)
        if kind.startswith("registry"):
            registry.SILENT_SECONDS = SILENCE_SECONDS
            registry.CONNECTION = {**registry.CONNECTION, "connect_timeout": 2}
            self._relay = Relay(settings.registry_dsn.get_secret_value())
            return settings.model_copy(update={"registry_dsn": SecretStr(self._relay.address)})
        if kind in OF_NETWORKS:
            self._relay = Relay(os.environ["AWS_ENDPOINT_URL"])
            os.environ["AWS_ENDPOINT_URL"] = self._relay.address
            store.from_url = partial(_impatient, store.from_url)
        return settings

    def on_step(self, step: str) -> None:
        """A step begins, and the one before it has ended."""
        if self._fault and self._step == self._fault.step and not self._has_happened:
            self._happen()
        self._step, self._number = step, 0
        self._told.write(f"step {step}\n")

    def _look(self, name: str, what: str) -> None:
        self._told.write(f"{name} {what}\n")
        self._before(name)

    def _before(self, name: str) -> None:
        fault = self._fault
        if fault is None:
            return
        if not self._has_happened and self._step == fault.step:
            if self._number == fault.at:
                self._happen()
            self._number += 1
        elif self._has_happened and fault.kind == "full disk" and name not in REMOVES:
            raise StoreError("The store cannot write: No space left on device (injected).")

    def _happen(self) -> None:
        assert self._fault
        self._has_happened = True
        self._told.write(f"! {self._fault}\n")
        if self._fault.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault.kind == "power cut" and self._platters:
            self._platters.leave(self._left)
            os.kill(os.getpid(), signal.SIGKILL)
        if self._relay:
            self._relay.shut() if self._fault.kind.endswith("away") else self._relay.fall_silent()
        if self._fault.kind in {"store error", "full disk"}:
            raise StoreError("The store cannot write: Input/output error (injected).")


def _impatient(opened: Callable[..., Any], url: str, client_options: dict[str, Any]) -> Any:
    """A store on S3 whose server is asked twice, and for a second each: in life it is asked for minutes."""
    second = timedelta(seconds=SILENCE_SECONDS)
    retry = {"max_retries": 1, "retry_timeout": 2 * second}
    return opened(url, client_options={**client_options, "timeout": second}, retry_config=retry)
