"""`shopmill erase`: finds a person, writes down what takes the place of what names them, and puts it there.

Until the plan is written nothing is removed that cannot be found again, and nobody sees anything new. From then on the plan
is carried out, by whoever runs the command next if this process dies.
"""

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from pathlib import Path

from shopmill import datasets
from shopmill.errors import ConflictError, InvalidInputError, ShopmillError
from shopmill.registry import Registry
from shopmill.registry.erasures import Erasures, Renamed
from shopmill.run.functions import find_function
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.personal_data import Policy
from shopmill.source.tombstones import KINDS, Tombstone, Tombstones, keyed, need_key, put
from shopmill.trust.erasure import raw
from shopmill.trust.erasure.holdings import Holding, Holdings
from shopmill.trust.erasure.journal import PLAN, WORK, Plan, Receipt, Successor, keep
from shopmill.trust.erasure.person import Person
from shopmill.trust.erasure.replacement import Replacement, folder_on_this_machine
from shopmill.trust.erasure.rows import Touched, touched
from shopmill.trust.erasure.search import find, returned, vectors_of
from shopmill.trust.erasure.vectors import forget
from shopmill.trust.erasure.versions import Succession, dead_folders
from shopmill.versions import layout
from shopmill.versions.locks import Locks
from shopmill.versions.store import Store
from shopmill.versions.versions import Versions

log = logging.getLogger(__name__)
Report = Callable[[str], None]
Due = list[tuple[Holding, Touched]]


@dataclass(frozen=True)
class Erasure:
    """Erases people from one store."""

    settings: Settings
    report: Report = lambda _: None

    @cached_property
    def store(self) -> Store:
        """The store."""
        return Store(self.settings.store, self.settings.work_folder)

    @cached_property
    def _erasures(self) -> Erasures:
        return Erasures(Registry(self.settings.registry_dsn.get_secret_value()), self.store.url)

    def preview(self, customer: str) -> Receipt:
        """What erasing a customer would remove. Changes nothing."""
        person = self._hash(customer)
        with self.store.scratch() as scratch:
            _, receipt, _ = self._look(Holdings(self.store, self.settings.zone, scratch), {customer}, person)
        return receipt

    def run(self, customer: str) -> Receipt:
        """Erases a customer; InvalidInputError where there is no such customer, or nothing is left of them."""
        return self._erase({customer}, self._hash(customer))

    def _erase(self, customers: set[str], person: str) -> Receipt:
        """Erases the person whose ids as a customer these are: the shop's own, or what stands for it in the store."""
        under_way = self._erasures.under_way()
        with self._alone():
            if plan := Plan.read(self.store):
                self._carry_out(plan)
                if plan.receipt.person == person:
                    return plan.receipt
            if under_way:
                raise ConflictError(f"{under_way[0]} is being made: wait until its DAG run ends, then erase again.")
            with self.store.scratch() as scratch:
                plan = self._plan(Holdings(self.store, self.settings.zone, scratch), customers, person, scratch)
            self._carry_out(plan)
            return plan.receipt

    def restored(self) -> list[Receipt]:
        """Erases again whom a backup brought back: everyone whose tombstone the store or the registry has."""
        need_key(self.settings.pseudonym_key)
        for document in self._erasures.tombstones().values():
            put(self.store, self.settings.pseudonym_key, Tombstone(**{**document, "ids": tuple(document["ids"])}))
        found = Tombstones.read(self.store, self.settings.pseudonym_key)
        with self.store.scratch() as scratch:
            back = returned(Holdings(self.store, self.settings.zone, scratch), self.settings.pseudonym_key, found.ids)
        theirs: dict[str, set[str]] = {}
        for customer in back:
            hashed = self._hash(customer)
            person = next(one.person for one in found.people.values() if hashed in (one.person, *one.ids))
            theirs.setdefault(person, set()).add(customer)
        return [self._erase(customers, person) for person, customers in sorted(theirs.items())]

    def _hash(self, customer: str) -> str:
        need_key(self.settings.pseudonym_key)
        if not customer.strip():
            raise InvalidInputError("Name the customer to erase: --customer ID.")
        return keyed(self.settings.pseudonym_key, "customer", customer)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds every lock, so that nobody reads what is about to go, or publishes what was read before."""
        known = sorted({*datasets.names(), *(name for name in self.store.folders("") if name != layout.RAW)})
        tables = sorted({*TABLES, *self.store.folders(layout.RAW)})
        with ExitStack() as stack:
            locks = Locks(self.store)
            for name in ("erase", *(f"run of {dataset}" for dataset in known)):
                stack.enter_context(locks.lock(name, wait=False))
            for name in (*(f"raw {table}" for table in tables), *(f"publish {dataset}" for dataset in known)):
                stack.enter_context(locks.lock(name))
            yield

    def _look(self, holdings: Holdings, customers: set[str], person: str) -> tuple[Person, Receipt, Due]:
        self.report("looking for the person")
        tombstones = Tombstones.read(self.store, self.settings.pseudonym_key)
        policy = Policy.of(self.settings)
        found, rows = find(holdings, customers | {policy.stands_for("customer_id", one) for one in customers})
        found = replace(found, hash=person)
        every = (*holdings.raw, *holdings.published)
        due: Due = []
        for number, one in enumerate(every, start=1):
            if had := self._touched(holdings, one, found, rows.get(one.key, 0)):
                due.append((one, had))
            self.report(f"looked for the person in {number:,} of {len(every):,} files, found in {len(due):,}")
        receipt = Receipt(
            person,
            datetime.now(UTC).isoformat(timespec="seconds"),
            _raw_rows(due),
            _version_rows(holdings, due),
            embeddings=len(vectors_of(holdings, found)) if found.texts else 0,
            registry=self._erasures.masked(found.masked_document, keep=False),
        )
        if receipt.is_empty:
            raise InvalidInputError(self._nobody(tombstones.people.get(person), min(customers)))
        return found, receipt, due

    def _touched(self, holdings: Holdings, holding: Holding, person: Person, rows: int) -> Touched:
        with holdings.opened(holding) as path:
            return touched(path, person, rows)

    def _nobody(self, tombstone: Tombstone | None, customer: str) -> str:
        if tombstone:
            return (
                f"This customer was erased from {self.store.url} on {tombstone.at[:10]}, and nothing of theirs is left."
            )
        return f"{self.store.url} has no customer {customer!r}: check the id, which is the shop's own."

    def _plan(self, holdings: Holdings, customers: set[str], person: str, scratch: Path) -> Plan:
        """Prepares everything beside what is there."""
        found, looked, due = self._look(holdings, customers, person)
        tombstone = Tombstone(person, looked.at, ids=tuple(sorted(self._hashes(found))))
        put(self.store, self.settings.pseudonym_key, tombstone)
        self._erasures.note(person, looked.at, asdict(tombstone), looked.document())
        self._clear(holdings, scratch)
        self.report(f"writing {len(due):,} files without the person")
        if any(looked.registry.values()):
            self._erasures.masked(found.masked_document)
        replaced = raw.rewrite(holdings, [one for one, _ in due if not one.dataset], found)
        published = [one for one, _ in due if one.dataset]
        successors = Succession(holdings, published, found, raw.Snapshots(self.store, replaced), self.report).make()
        vectors = tuple(sorted(vectors_of(holdings, found))) if found.texts else ()
        receipt = Receipt(**{**looked.document(), "rewritten": tuple(map(_described, successors))})
        plan = Plan(receipt, replaced, successors, vectors)
        plan.write(self.store)
        return plan

    def _hashes(self, person: Person) -> Iterator[str]:
        kinds = set(KINDS.values())
        for kind in kinds & person.ids.keys():
            yield from (keyed(self.settings.pseudonym_key, kind, value) for value in person.ids[kind])

    def _clear(self, holdings: Holdings, scratch: Path) -> None:
        """Removes what dead runs and a dead erasure left: it may name anybody."""
        own = {"scratch"} if self.store.root and self.store.root in scratch.parents else set()
        for folder in self.store.folders(layout.STAGING):
            if folder not in own:
                self.store.delete(f"{layout.STAGING}/{folder}")
        for folder in self.store.folders(layout.SCRATCH):
            if folder != scratch.name:
                self.store.delete(f"{layout.SCRATCH}/{folder}")
        for folder in dead_folders(holdings):
            self.store.delete(folder)
        self.store.delete(WORK)

    def _carry_out(self, plan: Plan) -> None:
        """Puts everything in its place. Each step may have been done already."""
        self.report("putting them in place")
        raw.name_instead(self.store, plan.raw)
        renamed: list[Renamed] = []
        for dataset, group in groupby(plan.versions, key=lambda one: one.dataset):
            successors = list(group)
            replacement = Replacement(Versions(self.store, dataset, self.settings.zone), successors)
            renamed += replacement.put()
        self.store.delete_keys([key for key in plan.raw if self.store.exists(key)])
        forget(self.store, plan.vectors)
        self._erasures.rename(renamed)
        self._serve(plan.versions)
        for one in renamed:
            shutil.rmtree(folder_on_this_machine(one.old), ignore_errors=True)
        self._end(plan)

    def _end(self, plan: Plan) -> None:
        tombstones = Tombstones.read(self.store, self.settings.pseudonym_key)
        before = tombstones.people[plan.receipt.person]
        tombstone = Tombstone(before.person, before.at, complete=True, ids=before.ids)
        keep(self.store, plan.receipt)
        self._erasures.note(before.person, before.at, asdict(tombstone), plan.receipt.document())
        put(self.store, self.settings.pseudonym_key, tombstone)
        self.store.delete_keys([PLAN])
        self.store.delete(WORK)
        self.store.delete(layout.TRASH)

    def _serve(self, successors: Iterable[Successor]) -> None:
        """Lets what serves a version, such as an index, follow to the version that took its place."""
        names = {one.dataset for one in successors if one.old != one.new} & set(datasets.names())
        for dataset in map(datasets.load, sorted(names)):
            current = Versions(self.store, dataset.name, self.settings.zone).current()
            if dataset.serving and current:
                run = Run.create(dataset, current.as_of, self.settings, was_accepted=True)
                try:
                    find_function(dataset.serving.serve)(run, current)
                except ShopmillError as error:
                    log.warning("%s: what serves it was not renewed: %s", dataset.name, error)


def _raw_rows(due: Due) -> dict[str, int]:
    found: dict[str, int] = {}
    for holding, had in due:
        if not holding.dataset:
            found[holding.table] = found.get(holding.table, 0) + had.rows + had.values
    return found


def _version_rows(holdings: Holdings, due: Due) -> dict[str, int]:
    by_hash = {holding.sha256: had.rows + had.values for holding, had in due if holding.dataset}
    found: dict[str, int] = {}
    for (dataset, sha256), copies in holdings.copies.items():
        if rows := by_hash.get(sha256, 0) * copies:
            found[dataset] = found.get(dataset, 0) + rows
    return found


def _described(one: Successor) -> dict[str, str]:
    return {"dataset": one.dataset, "as_of": one.as_of, "erased_from": one.old, "version": one.new}
