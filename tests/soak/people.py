"""What people do to a soaked store between the runs: remove, withdraw, run again, fill in, erase, repair."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from faulty import Erasing, Fault
from shopmill import datasets
from shopmill.asof import AsOf
from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.run.staging import staged_runs
from shopmill.trust.erasure.erase import Erasure
from shopmill.trust.looks import verifications
from shopmill.trust.repair import Repair
from shopmill.trust.verify import Verification
from shopmill.versions.garbage import GarbageCollection, collect
from shopmill.versions.locks import Locks
from shopmill.versions.retention import Retention
from soak import runs
from soak.report import SoakError
from soak.soaked import Soaked
from soak.whole import nothing_lost, read_versions

ERASED = 2
"""How many are erased at most: the shop is small."""


def gc(soaked: Soaked, dice: random.Random) -> None:
    """Old versions are removed."""
    collect_all_but(soaked, dice.randint(2, 4))
    _look(soaked)


def collect_all_but(soaked: Soaked, last: int) -> None:
    """Removes all but the last versions, and what nothing refers to."""
    now, rule = datetime.now(UTC) + timedelta(minutes=1), Retention(last, 0, 0)
    store, zone = soaked.store, soaked.settings.zone
    look = GarbageCollection(store, zone, datasets.names(), staged_runs, rule, now, timedelta(0))
    gone = collect(look, Locks(store))
    soaked.note(f"gc of all but {last}: {gone.files} files")
    there = {(name, as_of) for name in soaked.names for as_of, _ in soaked.versions(name).lines()}
    soaked.published = {name: version for name, version in soaked.published.items() if name in there}
    soaked.withdrawn &= there


def unpublish(soaked: Soaked, dice: random.Random) -> None:
    """A version is withdrawn."""
    dataset, as_of = dice.choice(sorted(soaked.published))
    with Locks(soaked.store).lock(f"publish {dataset}"):
        try:
            soaked.versions(dataset).withdraw(AsOf.parse(as_of, soaked.settings.zone), "a wrong price")
        except InvalidInputError as error:
            soaked.note(f"unpublish of {dataset} {as_of} refused: {error}")
            return
    soaked.note(f"{dataset} {as_of} is withdrawn")
    soaked.published.pop((dataset, as_of))
    soaked.withdrawn.add((dataset, as_of))
    _look(soaked)


def restore_all(soaked: Soaked) -> None:
    """What was withdrawn counts again."""
    for dataset, as_of in sorted(soaked.withdrawn):
        try:
            soaked.versions(dataset).restore(AsOf.parse(as_of, soaked.settings.zone))
        except InvalidInputError as error:
            soaked.note(f"undo of unpublish: {error}")
    soaked.withdrawn.clear()


def rerun(soaked: Soaked, dice: random.Random) -> None:
    """What was published is run again."""
    runs.run(soaked, *dice.choice(sorted(soaked.published)))


def refresh(soaked: Soaked, dice: random.Random) -> None:
    """The same, with everything read from the shop again."""
    runs.run(soaked, *dice.choice(sorted(soaked.published)), refresh=True)


def future(soaked: Soaked, dice: random.Random) -> None:
    """Somebody mistypes a year."""
    before = soaked.store.keys("raw")
    try:
        steps.run_all(Run.create(datasets.load(dice.choice(soaked.names)), "2100-01-01", soaked.settings))
    except InvalidInputError as error:
        soaked.note(str(error))
    else:
        raise SoakError("a run as of 2100 was made")
    if soaked.store.keys("raw") != before:
        raise SoakError("a run as of 2100 left raw files")


def backfill(soaked: Soaked, dice: random.Random) -> None:
    """Gaps are filled in."""
    runs.backfill(soaked, dice.choice(sorted(set(soaked.names) - {"events_and_funnels"})))


def erase(soaked: Soaked, dice: random.Random) -> None:
    """A person is erased, and the erasure is killed before one of its changes. Run again, it ends."""
    repair(soaked)
    customer = dice.choice(soaked.world.customers)
    fault = Fault("kill", "", dice.randint(0, 300))
    work = soaked.begin(Erasing(customer), fault)
    outcome = work.end()
    soaked.note(f"erase of {customer}: kill at change {fault.at} -> {outcome}")
    soaked.report.faults["erase, killed"] += work.happened
    if outcome.startswith("erased") or _is_erased_now(soaked, customer):
        soaked.erased.append(customer)
        read_versions(soaked)
    _look(soaked)


def _is_erased_now(soaked: Soaked, customer: str) -> bool:
    try:
        Erasure(soaked.settings).run(customer)
    except (InvalidInputError, ShopmillError) as error:
        soaked.note(f"erase of {customer}: {error}")
        if "nothing of theirs is left" in str(error):
            return True
        if "has no customer" not in str(error) and not soaked.may_refuse(str(error)):
            raise
        return False
    return True


def repair(soaked: Soaked) -> None:
    """`shopmill repair` of everything."""
    for look in looks(soaked, trusting=True):
        with Locks(look.store).lock(f"publish {look.dataset.name}"):
            for sentence in Repair(look).run():
                soaked.note(f"repair: {sentence}")


def looks(soaked: Soaked, raw: bool = False, trusting: bool = False) -> Iterator[Verification]:
    """What `shopmill verify` looks at, and `repair`, which trusts what was found whole."""
    every = verifications(soaked.settings, raw=raw, trusting=trusting)
    return (look for look in every if look.dataset.name in soaked.names)


def _look(soaked: Soaked) -> None:
    for dataset in soaked.names:
        nothing_lost(soaked, dataset)
