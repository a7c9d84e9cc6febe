"""All datasets for some simulated days, with faults by chance; in the end they must be what a clean build makes.

Everything is decided by the seed: the shop, the order of the datasets, the faults and where they happen. After each fault
everything that is published must be whole, and nothing that was published may be lost.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from golden import LENIENT

import shopmill
from faulty import KINDS, Erasing, Fault, Kind, Plant, Running, begin
from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.run.staging import staged_runs
from shopmill.settings import Settings
from shopmill.source import tombstones
from shopmill.trust.backfill import Backfill
from shopmill.trust.erasure.erase import Erasure
from shopmill.trust.erasure.returned import findings
from shopmill.trust.looks import verifications
from shopmill.trust.rebuild import rebuild
from shopmill.trust.repair import Repair
from shopmill.trust.verify import Finding
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.locks import Locks
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import faults
from shopmill.versions.retention import Retention
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions
from soak.world import World

FIRST = date(2020, 9, 9)
UPSTREAM, WEEKLY = "articles_content", "articles_embeddings"
BETWEEN = ("torn", "deleted", "unreadable", "gc", "unpublish", "rerun", "future", "backfill", "refresh", "erase")
DOCUMENTS = ("manifest.json", "current.json", "index/", "snapshots/", "statistics.json")
HASHES = re.compile(r"(?<=version=)[^/]+|[0-9a-f]{12,}")
GARBAGE = (b"", b"\0" * 40, b'{"as_of": "2020-0', b"[]")
HISTORY: dict[str, dict[str, set[str]]] = {
    "articles_content": {"articles": {"first_seen", "last_seen"}, "catalogue_changes": {"*"}},
    "user_item_interactions": {
        "customer_index": {"customer_index"},
        "article_index": {"article_index"},
        "interactions": {"customer_index", "article_index"},
    },
    "events_and_funnels": {"session_history": {"*"}},
    "articles_embeddings": {},
}
"""By dataset and table the columns that say what earlier versions were: a clean build has no earlier ones. * is all of a table."""


class SoakError(AssertionError):
    """Something was lost, or differs."""


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
    kinds: tuple[Kind, ...] = KINDS
    between: tuple[str, ...] = BETWEEN
    names: tuple[str, ...] = ()
    step: str = ""
    """The step in which faults happen; default: any."""
    say: Callable[[str], None] = lambda _: None
    told: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.names = self.names or tuple(datasets.names())
        self._world = World(self.settings.source_dsn.get_secret_value(), self.seed, FIRST)
        self._published: dict[tuple[str, str], str] = {}
        self._withdrawn: set[tuple[str, str]] = set()
        self._damaged: set[str] = set()
        self._erased: list[str] = []
        self._looked_at: dict[str, tuple[int, int, int] | None] = {}
        self._works = 0
        self._last = FIRST

    def run(self) -> "Soak":
        """The whole of it; SoakError, with all that happened, where something was lost."""
        try:
            self._world.begin()
            for number in range(self.days):
                self._day(FIRST + timedelta(days=number))
            self._settle()
            self._compare()
        except Exception as error:
            history = "\n".join(self.told)
            raise SoakError(f"{history}\nseed {self.seed}: {type(error).__name__}: {error}") from error
        return self

    # --- days -------------------------------------------------------------------------------------------------------

    def _day(self, day: date) -> None:
        """The shop lives a day, and everything runs as of the next."""
        self._world.pass_day(day)
        self._last = day + timedelta(days=1)
        as_of = str(self._last)
        for dataset in self._order(as_of):
            dice = self._dice(as_of, dataset)
            if dataset != UPSTREAM and dice.random() < self.missed:
                continue
            if dice.random() < self.share:
                self._faulty_run(dataset, as_of, dice)
                if dice.random() < 0.3:
                    continue  # nobody runs it again
            self._run(dataset, as_of)
        dice = self._dice(as_of, "between")
        if self.between and day > FIRST:
            for kind in dice.sample(self.between, min(2, len(self.between))):
                self._happens(kind, dice)

    def _order(self, as_of: str) -> list[str]:
        """By chance, but for what is made of another dataset."""
        dice = self._dice(as_of, "order")
        names = sorted(set(self.names) - {UPSTREAM, WEEKLY})
        dice.shuffle(names)
        weekly = [WEEKLY] if WEEKLY in self.names and dice.random() < 0.4 else []
        return [*({UPSTREAM} & set(self.names)), *names, *weekly]

    def _dice(self, *what: str) -> random.Random:
        return random.Random(f"{self.seed} {' '.join(what)}")

    def _faulty_run(self, dataset: str, as_of: str, dice: random.Random) -> None:
        fault = self._fault(dataset, dice)
        before = self._current(dataset)
        outcome = self._work(Running(dataset, as_of, lenient(dataset), f"soak-{self._works}"), fault)
        self._note(f"{as_of} {dataset}: {fault.kind} in {fault.step or 'all'} at change {fault.at} -> {outcome}")
        self.faults[fault.kind] += 1
        self._nothing_lost(dataset)
        now = self._current(dataset)
        if before and (now is None or now < before):
            raise SoakError(f"{dataset}: the current version went back from {before} to {now}")

    def _fault(self, dataset: str, dice: random.Random) -> Fault:
        rarely = [0.3 if kind.endswith("silent") else 1.0 for kind in self.kinds]  # seconds are waited for these
        declared, [kind] = datasets.load(dataset), dice.choices(self.kinds, rarely)
        extracts = list(declared.extracts)
        ordered = [*extracts, *(task.name for task in declared.tasks), "check", "publish", "register"]
        if kind.startswith("source"):
            ordered = extracts
        step = self.step or dice.choice(ordered)
        return Fault(kind, step, dice.choice((0, 1, 2, 3, 5, 8, 13, 21, 99)))

    def _work(self, work: Any, fault: Fault | None) -> str:
        self._works += 1
        return begin(self.settings, work, self.folder / "work", fault, self.plant).end()

    def _run(self, dataset: str, as_of: str, refresh: bool = False) -> None:
        """A run without a fault: it must end, or say in a sentence why it cannot."""
        run = Run.create(datasets.load(dataset), as_of, self.settings, lenient(dataset), refresh=refresh)
        try:
            made = steps.run_all(run)
        except ShopmillError as error:
            self._note(f"{as_of} {dataset}: refused: {error}")
            if not self._may_refuse(str(error)):
                raise
            return
        self._note(f"{as_of} {dataset}: {made.status} {made.version}")
        self._published[dataset, as_of] = made.version
        self._nothing_lost(dataset)

    def _may_refuse(self, sentence: str) -> bool:
        """What is damaged must be repaired first, and what was withdrawn stays withdrawn."""
        return bool(
            (self._damaged and ("damaged" in sentence or "missing" in sentence or "first" in sentence))
            or (self._withdrawn and "withdrawn" in sentence)
            or "has no version as of" in sentence
        )

    # --- between the days -------------------------------------------------------------------------------------------

    def _happens(self, kind: str, dice: random.Random) -> None:
        self.faults[kind] += 1
        getattr(self, f"_{kind}")(dice)
        if kind in {"gc", "erase", "unpublish"}:
            for dataset in self.names:
                self._nothing_lost(dataset)

    def _files(self, dice: random.Random, chosen: Callable[[str], bool]) -> list[str]:
        """Two keys by chance; the same ones for a seed, whatever the hashes in their names are."""
        keys = sorted((key for key in self._store.keys("") if chosen(key)), key=lambda key: (HASHES.sub("", key), key))
        return dice.sample(keys, min(len(keys), 2))

    def _torn(self, dice: random.Random) -> None:
        for key in self._one_of_each(dice):
            data = self._store.read(key)
            self._harm(key, data[: len(data) // 2] if dice.random() < 0.5 else _flipped(data, dice))

    def _deleted(self, dice: random.Random) -> None:
        for key in self._one_of_each(dice):
            self._harm(key, None)

    def _one_of_each(self, dice: random.Random) -> list[str]:
        """A raw file, and a file of a version."""
        found = [
            self._files(dice, lambda key, top=top: key.endswith(".parquet") and key.split("/")[0] in top)
            for top in ({"raw"}, {*self.names})
        ]
        return [key for keys in found for key in keys[:1]]

    def _unreadable(self, dice: random.Random) -> None:
        for key in self._files(dice, lambda key: any(name in key for name in DOCUMENTS)):
            self._harm(key, dice.choice(GARBAGE))

    def _harm(self, key: str, data: bytes | None) -> None:
        """Damages what is there, under this name alone: links to the same bytes stay whole, as on another disk block."""
        self._note(f"{self._last} {key} is {'deleted' if data is None else f'{len(data)} bytes now'}")
        self._damaged.add(key)
        self._store.write(key, data) if data is not None else self._store.delete_keys([key])

    def _gc(self, dice: random.Random) -> None:
        self._collect(dice.randint(2, 4))

    def _collect(self, last: int) -> None:
        now = datetime.now(UTC) + timedelta(minutes=1)
        look = GarbageCollection(
            self._store, self.settings.zone, datasets.names(), staged_runs, Retention(last, 0, 0), now, timedelta(0)
        )
        gone = collect(look, Locks(self._store))
        self._note(f"{self._last} gc of all but {last}: {gone.files} files")
        there = {(name, as_of) for name in self.names for as_of, _ in self._versions(name).lines()}
        self._published = {name: version for name, version in self._published.items() if name in there}
        self._withdrawn &= there

    def _unpublish(self, dice: random.Random) -> None:
        dataset, as_of = dice.choice(sorted(self._published))
        versions, moment = self._versions(dataset), AsOf.parse(as_of, self.settings.zone)
        with Locks(self._store).lock(f"publish {dataset}"):
            try:
                versions.withdraw(moment, "a wrong price")
            except InvalidInputError as error:
                self._note(f"{self._last} unpublish of {dataset} {as_of} refused: {error}")
                return
        self._note(f"{self._last} {dataset} {as_of} is withdrawn")
        self._published.pop((dataset, as_of))
        self._withdrawn.add((dataset, as_of))

    def _rerun(self, dice: random.Random) -> None:
        self._run(*dice.choice(sorted(self._published)))

    def _refresh(self, dice: random.Random) -> None:
        self._run(*dice.choice(sorted(self._published)), refresh=True)

    def _future(self, dice: random.Random) -> None:
        before = self._store.keys("raw")
        try:
            steps.run_all(Run.create(datasets.load(dice.choice(self.names)), "2100-01-01", self.settings))
        except InvalidInputError as error:
            self._note(f"{self._last} {error}")
        else:
            raise SoakError("a run as of 2100 was made")
        if self._store.keys("raw") != before:
            raise SoakError("a run as of 2100 left raw files")

    def _backfill(self, dice: random.Random) -> None:
        self._backfill_of(dice.choice(sorted(set(self.names) - {"events_and_funnels"})))

    def _backfill_of(self, dataset: str) -> None:
        now = datetime(self._last.year, self._last.month, self._last.day, tzinfo=UTC) + timedelta(hours=12)
        reasons = frozenset({"missing", "stale", "failed"})
        known = sorted(as_of for name, as_of in self._published if name == dataset)
        if not known:
            return
        asked = Backfill(
            datasets.load(dataset), self.settings, now, reasons, known[0], str(self._last), lenient(dataset)
        )
        due = [one for one in asked.due() if (dataset, one.as_of) not in self._withdrawn]
        for done in asked.run(due, lambda _due, _number: lambda _step: None):
            self._note(f"{self._last} backfill of {dataset} {done.as_of}: {done.status} {done.version} {done.error}")
            if done.version:
                self._published[dataset, done.as_of] = done.version
            elif not self._may_refuse(done.error):
                raise SoakError(f"backfill of {dataset} {done.as_of}: {done.error}")

    def _erase(self, dice: random.Random) -> None:
        if len(self._erased) > 1:
            return
        self._repair()
        customer = dice.choice(self._world.customers)
        fault = Fault("kill", "", dice.randint(0, 300))
        outcome = self._work(Erasing(customer), fault)
        self._note(f"{self._last} erase of {customer}: kill at change {fault.at} -> {outcome}")
        self.faults["erase, killed"] += outcome == "killed"
        if not outcome.startswith("erased"):
            try:
                Erasure(self.settings).run(customer)
            except (InvalidInputError, ShopmillError) as error:
                self._note(f"{self._last} erase of {customer}: {error}")
                if not ("nothing of theirs is left" in str(error) or self._may_refuse(str(error))):
                    raise
                if "nothing of theirs" not in str(error):
                    return
        self._erased.append(customer)
        self._read_versions()

    def _read_versions(self) -> None:
        """After an erasure, or at the end: versions have other ids."""
        for dataset in self.names:
            lines = self._versions(dataset).counted(self._versions(dataset).lines())
            now = {(dataset, as_of): version for as_of, version in lines}
            lost = {name for name in self._published if name[0] == dataset} - now.keys()
            if lost:
                raise SoakError(f"lost: {sorted(lost)}")
            self._published |= {name: now[name] for name in self._published if name in now}

    # --- what must hold ---------------------------------------------------------------------------------------------

    @property
    def _store(self) -> Store:
        return Store(self.settings.store)

    def _versions(self, dataset: str) -> Versions:
        return Versions(self._store, dataset, self.settings.zone)

    def _current(self, dataset: str) -> str | None:
        found = self._versions(dataset).current()
        return found.as_of if found else None

    def _nothing_lost(self, dataset: str) -> None:
        """Every version is whole, but for what the soak damaged itself, and all that were published are there."""
        versions = self._versions(dataset)
        found = versions.all()
        for manifest in found:
            if broken := self._broken(versions, manifest):
                raise SoakError(f"{dataset} {manifest.as_of} {manifest.version} is not whole: {sorted(broken)}")
        there = {(manifest.as_of, manifest.version) for manifest in found}
        for (name, as_of), version in self._published.items():
            key = f"{dataset}/{AsOf.parse(as_of, self.settings.zone).path}/version={version}/manifest.json"
            if name == dataset and (as_of, version) not in there and key not in self._damaged:
                raise SoakError(f"{dataset} as of {as_of}: version {version} was published, and is lost")

    def _broken(self, versions: Versions, manifest: Manifest) -> set[str]:
        """Files of a version that are not what was published. Those that are as they were when they were looked at are whole."""
        sealed = {one.key: Path(self.settings.store) / one.key for one in versions.sealed(manifest)}
        now = {key: _identity(path) for key, path in sealed.items()}
        if all(identity and self._looked_at.get(key) == identity for key, identity in now.items()):
            return set()
        found = faults(self._store, versions.sealed(manifest), versions.folder(manifest), hashes=True)
        broken = found.keys() - self._damaged
        if not broken:
            self._looked_at.update(now)
        return set(broken)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """What people do: undo, repair, run what verify names, fill the gaps, and remove what nothing refers to."""
        for dataset, as_of in sorted(self._withdrawn):
            try:
                self._versions(dataset).restore(AsOf.parse(as_of, self.settings.zone))
            except InvalidInputError as error:
                self._note(f"end: {error}")
        self._withdrawn.clear()
        self._repair()
        as_of = str(self._last)
        for dataset in self._all_in_order():
            self._run(dataset, as_of)
        for dataset in sorted(set(self.names) - {"events_and_funnels", WEEKLY}):
            self._backfill_of(dataset)
        self._follow()
        self._quiet_day()
        self._collect(100)
        if left := self._findings():
            raise SoakError("verify: " + "; ".join(finding.sentence for finding in left))
        self._damaged.clear()
        self._looked_at.clear()
        for dataset in self.names:
            self._nothing_lost(dataset)

    def _quiet_day(self) -> None:
        """A day without a fault. Until then sums count who was erased, and what was replaced is what the newest continued from."""
        self._world.pass_day(self._last)
        self._last += timedelta(days=1)
        for dataset in self._all_in_order():
            self._run(dataset, str(self._last))

    def _all_in_order(self) -> list[str]:
        order = [UPSTREAM, *sorted(set(self.names) - {UPSTREAM, WEEKLY}), WEEKLY]
        return [name for name in order if name in self.names]

    def _repair(self) -> None:
        for look in self._looks():
            with Locks(look.store).lock(f"publish {look.dataset.name}"):
                for sentence in Repair(look).run():
                    self._note(f"repair: {sentence}")

    def _looks(self, raw: bool = False) -> Iterator[Any]:
        for look in verifications(self.settings, raw=raw):
            if look.dataset.name in self.names:
                yield look

    def _findings(self) -> list[Finding]:
        found = [finding for look in self._looks(raw=True) for finding in look.of(everything=True)]
        return found + list(findings(self.settings))

    def _follow(self) -> None:
        """Runs what verify says to run, for as long as it has something new to say."""
        done: set[tuple[str, str]] = set()
        while (
            due := {(one.dataset, one.as_of, "--refresh" in one.way_out) for one in self._findings() if one.as_of}
            - done
        ):
            for dataset, as_of, refresh in sorted(due, key=lambda one: (one[1], one[0] == WEEKLY, one[0] != UPSTREAM)):
                self._run(dataset, as_of, refresh=refresh)
            done |= due
            self._repair()

    def _compare(self) -> None:
        """With a clean build of the shop as it is now; the people who were erased stay out of that, too."""
        store = Store(self.clean.store)
        if self._store.exists(tombstones.KEY):
            store.write(tombstones.KEY, self._store.read(tombstones.KEY))
        as_of = str(self._last)
        for dataset in self._all_in_order():
            steps.run_all(Run.create(datasets.load(dataset), as_of, self.clean, lenient(dataset)))
            self._same(dataset, as_of)
        self._rebuilt()

    def _same(self, dataset: str, as_of: str) -> None:
        soaked, clean = (shopmill.load(dataset, as_of, store=one.store) for one in (self.settings, self.clean))
        if soaked.version == clean.version:
            self.compared["equal ids"] += 1
            return
        if dataset not in HISTORY:
            raise SoakError(f"{dataset}: version {soaked.version}, and {clean.version} of a clean build")
        history = HISTORY[dataset]
        for table in soaked.tables:
            columns = history.get(table, set())
            if "*" in columns:
                continue
            left, right = (_rows(one.to_arrow(table=table), columns) for one in (soaked, clean))
            if left != right:
                difference = (
                    [row for row in left if row not in right][:3],
                    [row for row in right if row not in left][:3],
                )
                raise SoakError(f"{dataset}: other rows of {table} than in a clean build: {difference}")
        self.compared["equal rows"] += 1

    def _rebuilt(self) -> None:
        """A version of each dataset, by chance, is computed again from what was recorded."""
        for dataset in self._all_in_order():
            dice = self._dice("rebuild", dataset)
            _, version = dice.choice(sorted(v for v in self._versions(dataset).lines()))
            try:
                found = rebuild(datasets.load(dataset), version, self.settings)
            except InvalidInputError as error:
                self._note(f"rebuild {dataset}: {error}")
                continue
            if not found.is_same:
                raise SoakError(found.sentence)
            self.compared["rebuilt"] += 1

    def _note(self, sentence: str) -> None:
        self.told.append(sentence)
        self.say(sentence)


def _identity(path: Path) -> tuple[int, int, int] | None:
    if not path.exists():
        return None
    about = path.stat()
    return about.st_ino, about.st_mtime_ns, about.st_size


def lenient(dataset: str) -> dict[str, Any]:
    known = {parameter.name for parameter in datasets.load(dataset).all_parameters}
    return {name: value for name, value in LENIENT.items() if name in known}


def _flipped(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _rows(table: pa.Table, without: set[str]) -> list[str]:
    rows = table.drop_columns([name for name in without if name in table.column_names]).to_pylist()
    return sorted(repr(row) for row in rows if not any(str(value).startswith("erased-") for value in row.values()))
